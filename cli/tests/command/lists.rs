//! `agents`, `configs`, `rollouts`: tables, JSON, and lists without entries.

use crate::{
    command::{ask, bellwether},
    controller::{Controller, problem, rollout},
};
use serde_json::{Value, json};
use std::{process::Stdio, sync::mpsc::channel};

fn agent(name: &str) -> Value {
    json!({
        "name": name, "state": "online", "conflict": false,
        "instance": "01920b6e-7f3c-7a51-9c1e-0d4b6f1f8a11", "version": "0.1.0", "labels": {"zone": "eu"},
        "last_seen_age_ms": 400, "revision": 42,
        "digest": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "converged": true, "last_error": null,
    })
}

#[test]
fn lists_are_tables_for_people() {
    let controller = Controller::answering(|asked| match asked.line.as_str() {
        "GET /v1/agents" => (200, json!([agent("node-1"), agent("node-2")])),
        "GET /v1/configs" => (
            200,
            json!([{"name": "shop", "revision": 42, "author": "ann@laptop", "updated_at": "2026-01-02T03:04:05Z",
                    "digest": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}]),
        ),
        "GET /v1/rollouts" => (200, json!([rollout("shop", 2, 1, &[])])),
        _ => (200, rollout("shop", 2, 1, &[])),
    });
    let shows = |args: &[&str], lines: &[&str]| {
        let ran = ask(&controller.url(), args);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
        lines
            .iter()
            .for_each(|line| assert!(ran.stdout.lines().any(|shown| shown == *line), "{}", ran.stdout));
    };
    shows(
        &["agents"],
        &[
            "node-2  online  42        yes        400 ms ago  0.1.0    zone=eu",
            "2 agents: 2 online; all converged",
        ],
    );
    shows(&["configs"], &["shop  42        ann@laptop  2026-01-02T03:04:05Z  e3b0c44298fc"]);
    shows(
        &["rollouts"],
        &["01920b6e-7f3c-7a51-9c1e-000073686f70  shop@42  done   2 of 3   1       0       12 ms"],
    );
    shows(
        &["rollouts", "01920b6e-7f3c-7a51-9c1e-000073686f70"],
        &["2 of 3 serve shop@42: 2 applied, 1 rejected (node-1)", "node-1  rejected  port taken"],
    );
}

#[test]
fn lists_are_one_line_of_json_for_programs() {
    let agents = json!([agent("node-1")]);
    let controller = Controller::always(200, agents.clone());
    assert_eq!(ask(&controller.url(), &["-o", "json", "agents"]).json_lines(), [agents]);
    for list in ["agents", "configs", "rollouts"] {
        let empty = Controller::always(200, json!([]));
        assert_eq!(ask(&empty.url(), &[list, "-o", "json"]).stdout, "[]\n");
    }
}

#[test]
fn an_empty_list_says_what_to_do_next() {
    let controller = Controller::always(200, json!([]));
    for (list, next) in
        [("agents", "bellwether-agent"), ("configs", "bellwether push"), ("rollouts", "bellwether push")]
    {
        let ran = ask(&controller.url(), &[list]);
        assert_eq!(ran.code, 0);
        assert!(ran.stdout.starts_with("No ") && ran.stdout.contains(next), "{}", ran.stdout);
    }
}

#[test]
fn a_rollout_that_is_not_there_is_an_error() {
    let (status, body) = problem(404, "no such rollout: they are kept for 7 days");
    let controller = Controller::always(status, body);
    let ran = ask(&controller.url(), &["rollouts", "01920b6e-7f3c-7a51-9c1e-000073686f70"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""));
    assert!(ran.stderr.contains("kept for 7 days"), "{}", ran.stderr);
}

#[test]
fn a_reader_who_leaves_early_is_no_error() {
    let (release, held) = channel::<()>();
    let held = std::sync::Mutex::new(held);
    let controller = Controller::answering(move |_| {
        held.lock().unwrap().recv().unwrap();
        (200, json!([agent("node-1")]))
    });
    for format in ["table", "json"] {
        let mut command = std::process::Command::new(bellwether().get_program());
        command.args(["--server", &controller.url(), "-o", format, "agents"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        release.send(()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        assert!(output.stderr.is_empty(), "{output:?}");
    }
}
