//! When an agent fetches, page by page, and what it refuses: on both agents.

use std::time::Duration;

use bellwether_tests::{RabbitMq, eventually};
use serde_json::{Value, json};

use crate::agents::{Agent, Kind, of_both_agents};
use crate::broker::bare;
use crate::fake_controller::{FakeController, Store, document};
use crate::page::Page;

/// What a fetch may take that is not to come.
const A_WHILE: Duration = Duration::from_millis(500);

of_both_agents! {
    a_set_is_fetched_page_by_page_and_served_when_it_is_whole
    every_line_of_the_table_is_true
    a_set_whose_digest_does_not_come_out_is_not_served
}

async fn a_set_is_fetched_page_by_page_and_served_when_it_is_whole(kind: Kind) {
    let configs = [("a", 1), ("b", 2), ("c", 3), ("d", 4), ("e", 5)];
    let (controller, agent) = start(kind, Store::new(5, &configs)).await;
    controller.converged().await;
    assert_eq!(agent.names(), ["a", "b", "c", "d", "e"]);
    let have: Vec<_> = fetches(&controller).iter().map(|fetch| fetch["have"].clone()).collect();
    assert_eq!(have, [json!({}), json!({"a": 1, "b": 2}), json!({"a": 1, "b": 2, "c": 3, "d": 4})]);

    // One is changed, one is gone, one is new.
    controller.say(|says| {
        says.store.revision = 8;
        says.store.configs.remove("b");
        says.store.configs.extend([("c".to_owned(), 7), ("f".to_owned(), 8)]);
    });
    resync(&controller, &agent, &controller.store().stale()).await;
    let beat = controller.converged().await;
    assert_eq!(
        (&beat["revision"], agent.names()),
        (&json!(8), ["a", "c", "d", "e", "f"].map(str::to_owned).to_vec())
    );
    let wanted: Vec<_> = controller.store().configs.iter().map(|(name, at)| document(name, *at)).collect();
    assert_eq!(agent.serves(), wanted);
    let fetch = &fetches(&controller)[3];
    // The page allows both.
    let have = match kind {
        Kind::Rust => json!({"a": 1, "b": 2, "c": 3, "d": 4, "e": 5}),
        Kind::Python => json!({}),
    };
    assert_eq!(fetch["have"], have);
    assert_eq!([&fetch["name"], &fetch["instance"]], [&beat["name"], &beat["instance"]]);
}

async fn every_line_of_the_table_is_true(kind: Kind) {
    let table = Page::read().table("Fetching", "it speaks of");
    let lines = [
        ("the store that is followed, and the digest that is served", "has converged"),
        (
            "the store that is followed, a revision below the agent's, and another digest",
            "waits: that store is behind",
        ),
        ("the store that is followed, and another digest", "fetches"),
        ("a store that succeeds the one that is followed", "fetches"),
        ("any store, when none is followed yet", "fetches, even if the digest is that of nothing"),
        ("any other store", "refuses: what serves stays"),
    ];
    let rows: Vec<_> = table.rows.iter().map(|row| (row[0].as_str(), row[1].as_str())).collect();
    assert_eq!(rows, lines);

    // When none is followed yet.
    let (controller, agent) = start(kind, Store::new(0, &[])).await;
    controller.converged().await;
    assert_eq!(fetches(&controller).len(), 1);

    // Another digest.
    controller.say(|says| says.store = Store { revision: 5, ..with_a(&says.store) });
    let ours = controller.store();
    assert!(has_fetched(&controller, &agent, &ours).await);
    controller.converged().await;
    assert_eq!(agent.names(), ["a"]);

    // The same digest.
    assert!(!has_fetched(&controller, &agent, &Store { revision: 9, ..ours.clone() }).await);
    // A store that is behind.
    let behind = Store { revision: 4, configs: [("z".to_owned(), 4)].into(), ..ours.clone() };
    assert!(!has_fetched(&controller, &agent, &behind).await);
    // Any other store.
    let other = Store::new(99, &[("z", 99)]);
    assert!(!has_fetched(&controller, &agent, &other).await);
    assert_eq!(agent.names(), ["a"]);

    // A store that succeeds, with other documents at the same revisions, and a lower head.
    let heir = Store { succeeds: vec![ours.id], ..Store::new(2, &[("a", 1), ("b", 2)]) };
    assert!(has_fetched(&controller, &agent, &heir).await);
    let beat = controller.converged().await;
    assert_eq!((&beat["revision"], agent.names()), (&json!(2), vec!["a".to_owned(), "b".to_owned()]));
    let whole = fetches(&controller).pop().expect("a fetch");
    assert_eq!(whole["have"], json!({}), "a revision of another store says nothing");
    // From now on that one is followed, and the one before no more.
    assert!(!has_fetched(&controller, &agent, &Store { revision: 100, ..ours }).await);
}

fn with_a(store: &Store) -> Store {
    Store { configs: [("a".to_owned(), 1)].into(), ..store.clone() }
}

/// Whether the agent fetches when it hears of this store, which the controller has from now on.
async fn has_fetched(controller: &FakeController, agent: &Agent, store: &Store) -> bool {
    let before = fetches(controller).len();
    controller.say(|says| says.store = store.clone());
    resync(controller, agent, &store.stale()).await;
    let fetched = async || {
        while fetches(controller).len() == before {
            tokio::task::yield_now().await
        }
    };
    tokio::time::timeout(A_WHILE, fetched()).await.is_ok()
}

async fn a_set_whose_digest_does_not_come_out_is_not_served(kind: Kind) {
    let (controller, agent) = start(kind, Store::new(1, &[("a", 1)])).await;
    let before = controller.converged().await;
    controller.say(|says| {
        says.store = Store { revision: 2, configs: [("b".to_owned(), 2)].into(), ..says.store.clone() };
        says.lies = true;
    });
    let fetched = fetches(&controller).len();
    resync(&controller, &agent, &controller.store().stale()).await;
    eventually("it fetches", async || fetches(&controller).len() > fetched).await;
    assert_eq!(controller.outcome(&agent.name, "Ping", &json!({})).await, "reply");
    tokio::time::sleep(A_WHILE).await;
    assert_eq!(agent.names(), ["a"]);
    let beat = controller.heard_of("OnlineAgent").pop().expect("a beat").json();
    assert_eq!(beat["digest"], before["digest"]);

    controller.say(|says| says.lies = false);
    resync(&controller, &agent, &controller.store().stale()).await;
    controller.converged().await;
    assert_eq!(agent.names(), ["b"]);
}

fn fetches(controller: &FakeController) -> Vec<Value> {
    controller.heard_of("GetIngressConfigs").iter().map(|fetch| fetch.json()).collect()
}

/// As a notification, which a controller sends.
async fn resync(controller: &FakeController, agent: &Agent, stale: &Value) {
    controller.tell(&agent.name, bare("Resync"), stale.to_string().as_bytes()).await;
}

async fn start(kind: Kind, store: Store) -> (FakeController, Agent) {
    let rabbitmq = RabbitMq::shared().await;
    let controller = FakeController::start(rabbitmq, store).await;
    let agent = Agent::start(kind, rabbitmq, &controller.fleet, "node-7").await;
    (controller, agent)
}
