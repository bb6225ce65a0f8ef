//! `get`: YAML that can be pushed again, and JSON with the record.

use crate::{
    command::{ask, bellwether, run},
    controller::{Controller, problem},
};
use serde_json::{Value, json};

/// As a controller shows the document of the examples.
fn shop() -> Value {
    let example = include_str!("../../../examples/shop.yaml");
    let config = bellwether_ingress::IngressConfig::from_yaml(example).unwrap().to_canonical_json();
    json!({
        "name": "shop", "revision": 42, "author": "ann@laptop", "updated_at": "2026-01-02T03:04:05Z",
        "digest": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "config": serde_json::from_str::<Value>(&config).unwrap(),
    })
}

#[test]
fn what_is_written_can_be_checked_and_is_the_same_document() {
    let controller = Controller::always(200, shop());
    let ran = ask(&controller.url(), &["get", "shop"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert_eq!(controller.lines(), ["GET /v1/configs/shop"]);

    let again = bellwether_ingress::IngressConfig::from_yaml(&ran.stdout).unwrap();
    let again: Value = serde_json::from_str(&again.to_canonical_json()).unwrap();
    assert_eq!(Some(&again), shop().get("config"));

    let mut check = bellwether();
    check.args(["check", "-"]).write_stdin(ran.stdout);
    let checked = run(check);
    assert_eq!((checked.code, checked.stdout.as_str()), (0, "<stdin>: 1 document is good\n"));
}

#[test]
fn json_has_the_record_beside_the_canonical_document() {
    let controller = Controller::always(200, shop());
    assert_eq!(ask(&controller.url(), &["get", "shop", "-o", "json"]).json_lines(), [shop()]);
}

#[test]
fn a_config_that_is_not_there_is_an_error() {
    let (status, body) = problem(404, "there is no config of this name");
    let ran = ask(&Controller::always(status, body).url(), &["get", "shop"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""));
    assert_eq!(ran.stderr, "error: shop: there is no config of this name (404 Problem)\n");
}
