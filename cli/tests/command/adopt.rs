//! `adopt`: what is asked, what is said, and the refusal.

use crate::{
    command::ask,
    controller::{Controller, problem},
};
use serde_json::json;

#[test]
fn an_adoption_says_where_the_store_goes_on_and_what_agents_drop() {
    let adoption = json!({
        "adopted": true, "store_id": "7d1f0b0e-98f1-4f5c-b1f0-0d4b6f1f8a11", "revision": 43,
        "succeeds": ["0b9c0b0e-98f1-4f5c-b1f0-0d4b6f1f8a11"], "configs": 0,
    });
    let controller = Controller::always(200, adoption.clone());
    let ran = ask(&controller.url(), &["adopt"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert_eq!(
        ran.stdout,
        "adopted: store 7d1f0b0e-98f1-4f5c-b1f0-0d4b6f1f8a11 goes on at revision 43\n\
         it holds 0 configs; agents drop what it does not hold: push what is missing\n"
    );
    assert_eq!(ask(&controller.url(), &["adopt", "-o", "json"]).json_lines(), [adoption]);
    assert_eq!(controller.lines(), ["POST /v1/adopt", "POST /v1/adopt"]);
}

#[test]
fn a_refused_adoption_is_an_error() {
    let (status, body) = problem(409, "the store is not behind the fleet");
    let ran = ask(&Controller::always(status, body).url(), &["adopt"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""));
    assert_eq!(ran.stderr, "error: the store is not behind the fleet (409 Problem)\n");
}
