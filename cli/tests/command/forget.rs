//! `agents forget`: what is asked, and the refusal.

use crate::{
    command::ask,
    controller::{Controller, problem},
};
use serde_json::json;

#[test]
fn a_forgotten_agent_is_named() {
    let controller = Controller::always(200, json!({"forgotten": "node-7"}));
    let ran = ask(&controller.url(), &["agents", "forget", "node-7"]);
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (0, "node-7 is forgotten\n", ""));
    let ran = ask(&controller.url(), &["agents", "forget", "node-7", "-o", "json"]);
    assert_eq!(ran.json_lines(), [json!({"forgotten": "node-7"})]);
    assert_eq!(controller.lines(), ["DELETE /v1/agents/node-7", "DELETE /v1/agents/node-7"]);
}

#[test]
fn an_agent_that_is_there_is_not_forgotten() {
    let (status, body) = problem(409, "node-7 is online: only an agent that is offline can be forgotten");
    let ran = ask(&Controller::always(status, body).url(), &["agents", "forget", "node-7"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""));
    assert!(ran.stderr.contains("node-7 is online"), "{}", ran.stderr);
}

#[test]
fn an_agent_of_the_subcommands_name_can_be_asked_for() {
    let (status, body) = problem(404, "there is no agent of this name");
    let controller = Controller::always(status, body);
    assert_eq!(ask(&controller.url(), &["agents", "--", "forget"]).code, 1);
    assert_eq!(controller.lines(), ["GET /v1/agents/forget"]);
}
