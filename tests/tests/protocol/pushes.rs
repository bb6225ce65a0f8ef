//! What an agent answers to a push: line by line of the page's table, on both agents.

use bellwether_tests::RabbitMq;
use serde_json::json;
use uuid::Uuid;

use crate::agents::{Agent, Kind, of_both_agents};
use crate::fake_controller::{FakeController, Store, document};
use crate::page::Page;

of_both_agents! {
    every_line_of_the_table_is_true
    an_answer_says_what_serves
}

const FOREIGN: &str = "of a store that is neither followed nor succeeds the one that is";
const HEIR: &str = "of a store that succeeds the one that is followed, or when none is followed yet";
const NEWER: &str = "newer than what is known of its name";
const GONE: &str = "of a removal, when the name is not held and no removal of it is remembered";
const EQUAL: &str = "equal to what is known of its name, and the same: a document or a removal";
const OLDER: &str = "older, or otherwise";
const REFUSED: &str = "taken, but the proxy refuses it";

async fn every_line_of_the_table_is_true(kind: Kind) {
    let table = Page::read().table("Pushes", "a push");
    assert_eq!(table.cells("a push"), [FOREIGN, HEIR, NEWER, GONE, EQUAL, OLDER, REFUSED]);
    let answer_of = |line: &str| {
        let answer = table.cell(line, "is answered");
        answer.split(',').next().unwrap_or_default().to_owned()
    };

    // The set is a@7 at the head 9, so whatever else there was is gone at 9.
    let store = Store::new(9, &[("a", 7)]);
    let foreign = Store::new(99, &[]);
    let pushes = [
        (FOREIGN, "SetIngressConfig", foreign.push("a", 99)),
        (FOREIGN, "DelIngressConfig", foreign.removal("a", 99)),
        (EQUAL, "SetIngressConfig", store.push("a", 7)),
        (OLDER, "SetIngressConfig", store.push("a", 6)),
        (OLDER, "DelIngressConfig", store.removal("a", 7)),
        (OLDER, "SetIngressConfig", store.push("b", 8)),
        (GONE, "DelIngressConfig", store.removal("b", 8)),
        (NEWER, "SetIngressConfig", store.push("a", 11)),
        (NEWER, "SetIngressConfig", store.push("b", 10)),
        (OLDER, "SetIngressConfig", store.push("a", 7)),
        (NEWER, "DelIngressConfig", store.removal("b", 12)),
        (EQUAL, "DelIngressConfig", store.removal("b", 12)),
        (OLDER, "DelIngressConfig", store.removal("b", 11)),
        (OLDER, "SetIngressConfig", store.push("b", 12)),
        (OLDER, "SetIngressConfig", store.push("b", 11)),
        (NEWER, "SetIngressConfig", store.push("b", 13)),
    ];
    let (controller, agent) = start(kind, store).await;
    for (line, method, body) in pushes {
        let outcome = controller.outcome(&agent.name, method, &body).await;
        assert_eq!(outcome, answer_of(line), "{line}: {method} {body}");
    }
    assert_eq!(agent.serves(), [document("a", 11), document("b", 13)]);

    let heir = Store { succeeds: vec![Uuid::new_v4(), controller.store().id], ..Store::new(3, &[("c", 3)]) };
    let push = heir.push("c", 3);
    controller.say(|says| says.store = heir);
    let outcome = controller.outcome(&agent.name, "SetIngressConfig", &push).await;
    let allowed = table.cell(HEIR, "is answered");
    assert_eq!(allowed, "once that store's whole set is fetched, by the lines below; or Unavailable");
    match kind {
        Kind::Rust => assert_eq!((outcome.as_str(), agent.names()), ("reply", vec!["c".to_owned()])),
        Kind::Python => assert_eq!(outcome, "Unavailable"),
    }
}

#[tokio::test]
async fn what_our_agents_proxy_refuses_is_rejected_in_its_words() {
    let table = Page::read().table("Pushes", "a push");
    assert_eq!(table.cell(REFUSED, "is answered"), "Rejected, with the proxy's words");
    let rabbitmq = RabbitMq::shared().await;
    let store = Store::new(0, &[]);
    let controller = FakeController::start(rabbitmq, store.clone()).await;
    let check =
        "! grep -q '\"name\": *\"sour\"' \"$BELLWETHER_DIR/ingress.json\" || { echo too sour; exit 1; }";
    let args = ["--check", check];
    let agent = Agent::start_with(Kind::Rust, rabbitmq, &controller.fleet, "node-7", &args).await;
    controller.converged().await;
    assert_eq!(controller.outcome(&agent.name, "SetIngressConfig", &store.push("sweet", 1)).await, "reply");
    let (kind, fault) = controller.ask(&agent.name, "SetIngressConfig", &store.push("sour", 2)).await;
    assert_eq!((kind.as_str(), &fault["fault"]), ("fault", &json!("Rejected")));
    assert!(fault["message"].as_str().is_some_and(|words| words.contains("too sour")), "{fault}");
    assert_eq!(agent.names(), ["sweet"]);
}

async fn an_answer_says_what_serves(kind: Kind) {
    let (controller, agent) = start(kind, Store::new(9, &[("a", 7)])).await;
    let after = |revision: u64, configs: &[(&str, u64)]| json!({"revision": revision, "digest": Store::new(0, configs).digest()});
    let store = controller.store();
    let (_, applied) = controller.ask(&agent.name, "SetIngressConfig", &store.push("b", 12)).await;
    assert_eq!(applied, after(12, &[("a", 7), ("b", 12)]));
    assert_eq!(agent.names(), ["a", "b"]);
    let (_, applied) = controller.ask(&agent.name, "SetIngressConfig", &store.push("a", 11)).await;
    assert_eq!(applied, after(12, &[("a", 11), ("b", 12)]));
    let (_, applied) = controller.ask(&agent.name, "DelIngressConfig", &store.removal("b", 13)).await;
    assert_eq!(applied, after(13, &[("a", 11)]));
    assert_eq!(agent.serves(), [document("a", 11)]);
}

async fn start(kind: Kind, store: Store) -> (FakeController, Agent) {
    let rabbitmq = RabbitMq::shared().await;
    let controller = FakeController::start(rabbitmq, store).await;
    let agent = Agent::start(kind, rabbitmq, &controller.fleet, "node-7").await;
    controller.converged().await;
    // Slow beats: no resync is asked for in between.
    (controller, agent)
}
