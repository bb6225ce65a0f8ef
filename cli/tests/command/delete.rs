//! `delete`: what is sent, what is written, and the exit code.

use crate::{
    command::ask,
    controller::{Controller, problem, rollout},
};
use serde_json::{Value, json};

fn deleted(applied: usize, rejected: usize) -> Value {
    let mut rollout = rollout("shop", applied, rejected, &[]);
    rollout.as_object_mut().unwrap().insert("digest".into(), Value::Null);
    rollout
}

#[test]
fn the_exit_code_says_how_many_serve_it_no_more() {
    for (end, code, line) in [
        (deleted(3, 0), 0, "3 of 3 serve shop no more (revision 42): 3 applied\n"),
        (deleted(2, 1), 3, "2 of 3 serve shop no more (revision 42): 2 applied, 1 rejected (node-1)\n"),
        (deleted(0, 1), 4, "0 of 1 serve shop no more (revision 42): 1 rejected (node-1)\n"),
        (deleted(0, 0), 5, "no target served shop, which is deleted (revision 42)\n"),
    ] {
        let controller = Controller::with_verdicts([("shop", end.clone())]);
        let ran = ask(&controller.url(), &["delete", "shop", "--timeout", "7s", "--author", "ci"]);
        assert_eq!(ran.code, code, "{}", ran.stderr);
        assert!(ran.stdout.starts_with(line), "{}", ran.stdout);
        let asked = controller.asked();
        let delete = asked.first().unwrap();
        assert_eq!(delete.line, "DELETE /v1/configs/shop?timeout=7s");
        assert_eq!(delete.header("x-bellwether-author"), Some("ci"));
        assert_eq!(ask(&controller.url(), &["delete", "shop", "-o", "json"]).json_lines(), [end]);
    }
}

#[test]
fn a_name_that_is_not_there_is_an_error() {
    let (status, body) = problem(404, "there is no config shop");
    let ran = ask(&Controller::always(status, body).url(), &["delete", "shop"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""));
    assert_eq!(ran.stderr, "error: shop: there is no config shop (404 Problem)\n");
}

#[test]
fn an_answer_that_is_no_controllers_is_said_to_be_none() {
    let ran = ask(&Controller::always(200, json!({"hello": 1})).url(), &["delete", "shop"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("is not a controller's"), "{}", ran.stderr);
}
