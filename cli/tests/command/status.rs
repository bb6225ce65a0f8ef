//! `status` and `agents NAME`: for people and for programs.

use crate::{command::ask, controller::Controller};
use serde_json::{Value, json};

const INSTANCE: &str = "01920b6e-7f3c-7a51-9c1e-0d4b6f1f8a11";
const STORE: &str = "7d1f0b0e-98f1-4f5c-b1f0-0d4b6f1f8a11";

fn status() -> Value {
    json!({
        "fleet": "edge", "store_id": STORE, "revision": 42, "store_behind_fleet": false,
        "agents": {"online": 2, "offline": 1, "unknown": 0}, "converged": 2, "beat_interval_ms": 1000, "time_to_live_ms": 3000,
        "oldest_beat_age_ms": 900,
        "configs": [{"name": "shop", "revision": 42, "converged": 2, "agents": 3}],
        "controllers": [{"instance": INSTANCE, "version": "0.1.0", "listening_since": "2026-01-02T03:04:05.678Z"}],
    })
}

#[test]
fn the_status_is_a_page_for_people_and_a_line_for_programs() {
    let controller = Controller::always(200, status());
    let ran = ask(&controller.url(), &["status"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    for line in [
        format!("fleet edge: revision 42 of store {STORE}"),
        "3 agents: 2 online, 1 offline; 2 of 3 converged; the oldest beat is 900 ms old".into(),
        "shop    42        2 of 3".into(),
        format!("{INSTANCE}  0.1.0    2026-01-02T03:04:05.678Z"),
    ] {
        assert!(ran.stdout.lines().any(|shown| shown == line), "{line}:\n{}", ran.stdout);
    }
    assert_eq!(ask(&controller.url(), &["status", "-o", "json"]).json_lines(), [status()]);
}

#[test]
fn a_store_that_is_behind_is_said_first() {
    let mut behind = status();
    let fields = behind.as_object_mut().unwrap();
    fields.insert("store_behind_fleet".into(), true.into());
    fields.insert("reason".into(), "the store is behind the fleet: `bellwether adopt`".into());
    fields.insert("highest_reported_revision".into(), 99.into());
    let ran = ask(&Controller::always(200, behind).url(), &["status"]);
    assert_eq!(ran.code, 0);
    let first = "ATTENTION: the store is behind the fleet: `bellwether adopt` (agents are at revision 99)";
    assert_eq!(ran.stdout.lines().next(), Some(first));
}

#[test]
fn one_agent_is_shown_with_what_it_should_serve() {
    let digest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let agent = json!({
        "name": "node-1", "state": "online", "conflict": false, "instance": INSTANCE, "version": "0.1.0",
        "labels": {"zone": "eu"}, "last_seen_age_ms": 400, "revision": 42, "digest": digest, "converged": true,
        "last_error": null, "generation": 1, "store_id": STORE, "desired_digest": digest,
        "desired": [{"name": "shop", "revision": 42}],
    });
    let controller = Controller::always(200, agent.clone());
    let ran = ask(&controller.url(), &["agents", "node-1"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    for line in ["state         online", "serves        what it should", "should serve  shop@42"] {
        assert!(ran.stdout.lines().any(|shown| shown == line), "{line}:\n{}", ran.stdout);
    }
    assert_eq!(ask(&controller.url(), &["agents", "node-1", "-o", "json"]).json_lines(), [agent]);
    assert_eq!(controller.lines()[0], "GET /v1/agents/node-1");
}
