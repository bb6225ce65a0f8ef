//! Redis comes back empty or as an older copy: the fleet serves on, nothing is sent, and `bellwether adopt` ends it.

use std::time::Duration;

use bellwether_controller::registry::redis::RedisRegistry;
use bellwether_controller::registry::{AgentRecord, Registry};
use bellwether_ingress::{Labels, Revision};
use bellwether_proto::http::{AdoptionView, StatusView, Verdict};
use bellwether_proto::{Known, StoreId};
use bellwether_rpc::Instance;
use bellwether_tests::{Fleet, RabbitMq, Redis, always_for, eventually};
use redis::FromRedisValue;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Longer than a beat that asks, a resync and a fetch take.
const A_WHILE: Duration = Duration::from_secs(8);
const YAML: &str = "application/yaml";

fn document(name: &str, port: u16) -> String {
    format!(
        "apiVersion: bellwether/v1\nkind: IngressConfig\nmetadata: {{name: {name}}}\nspec:\n  \
         listeners: [{{name: web, port: {port}, protocol: HTTP}}]\n"
    )
}

/// Asks Redis directly.
async fn raw<T: FromRedisValue>(redis: &Redis, command: &str, arguments: &[&str]) -> T {
    let client = redis::Client::open(redis.url()).expect("its URL is good");
    let mut connection = client.get_multiplexed_async_connection().await.expect("it is up");
    let answer = redis::cmd(command).arg(arguments).query_async(&mut connection).await;
    answer.unwrap_or_else(|error| panic!("{command}: {error}"))
}

/// What a command prints as JSON, having ended well.
async fn json<T: DeserializeOwned>(fleet: &Fleet, args: &[&str]) -> T {
    let output = fleet.command(&[args, &["-o", "json"]].concat()).await;
    assert_eq!(output.code, 0, "{output:?}");
    serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

async fn status(fleet: &Fleet) -> StatusView {
    json(fleet, &["status"]).await
}

fn served(fleet: &Fleet) -> Vec<Value> {
    fleet.agents().iter().map(|agent| agent.current()).collect()
}

/// Every controller refuses every change, and names the way out; so does the command.
async fn changes_are_refused(fleet: &Fleet) {
    let names_the_way_out = |text: &str| assert!(text.contains("`bellwether adopt`"), "{text}");
    for controller in fleet.controllers() {
        let put = controller.put("/v1/configs/shop", YAML, document("shop", 9_999)).await;
        for answer in [put, controller.delete("/v1/configs/shop").await] {
            let answer = answer.expect("it answers");
            assert_eq!(
                (answer.status, answer.kind.as_str()),
                (503, "application/problem+json"),
                "{answer:?}"
            );
            names_the_way_out(answer.body["detail"].as_str().unwrap_or_default());
        }
    }
    for refused in [fleet.push(&document("shop", 9_999), &[]).await, fleet.delete("shop").await] {
        assert_eq!((refused.code, refused.rollouts.len()), (1, 0), "{refused:#?}");
        names_the_way_out(&refused.stderr);
    }
}

async fn every_controller_is_ready(fleet: &Fleet, ready: bool) {
    eventually(format!("/readyz is {ready} everywhere"), async || {
        for controller in fleet.controllers() {
            let answer = controller.get("/readyz").await?;
            let is_so = (answer.status == 200) == ready && answer.body["checks"]["fleet"]["ok"] == ready;
            is_so.then_some(()).ok_or(format!("{answer:?}"))?;
        }
        Ok::<_, String>(())
    })
    .await;
}

/// For a while everyone serves what it served, and then still nothing may be changed.
async fn the_fleet_serves_on(fleet: &Fleet, before: &[Value]) {
    always_for(A_WHILE, "everyone serves on", async || {
        let now = served(fleet);
        if now == before { Ok(()) } else { Err(format!("{now:#?}")) }
    })
    .await;
    changes_are_refused(fleet).await;
    every_controller_is_ready(fleet, false).await;
    let status = status(fleet).await;
    assert!(status.store_behind_fleet, "{status:#?}");
    assert!(status.highest_reported_revision > Some(status.revision), "{status:#?}");
    assert_eq!((status.agents.online, status.converged), (3, 0), "{status:#?}");
}

/// After that a push works, and everyone serves it.
async fn adopting_ends_it(fleet: &Fleet, lost: StoreId) {
    let adoption: AdoptionView = json(fleet, &["adopt"]).await;
    assert!(adoption.adopted && adoption.succeeds.contains(&lost), "{adoption:#?}");
    let pushed = fleet.push(&document("blog", 8_081), &[]).await;
    assert_eq!(pushed.counts(), (0, 3, 3), "{pushed:#?}");
    assert!(pushed.rollout().revision > adoption.revision);
    fleet.wait_until_converged().await;
    every_controller_is_ready(fleet, true).await;
    let status = status(fleet).await;
    assert!(!status.store_behind_fleet && status.converged == 3, "{status:#?}");

    let again: AdoptionView = json(fleet, &["adopt"]).await;
    assert_eq!(
        (again.adopted, again.store_id, again.succeeds),
        (false, adoption.store_id, adoption.succeeds)
    );
}

#[tokio::test]
async fn an_emptied_store_empties_nobody_until_the_fleet_is_adopted() {
    let redis = Redis::start().await;
    let fleet = Fleet::on(RabbitMq::shared().await, &redis).agents(3).start().await;
    assert_eq!(fleet.push(&document("shop", 8_080), &[]).await.counts(), (0, 3, 3));
    fleet.wait_until_converged().await;
    let (before, lost) = (served(&fleet), status(&fleet).await.store_id);

    raw::<()>(&redis, "FLUSHALL", &[]).await;
    changes_are_refused(&fleet).await;
    the_fleet_serves_on(&fleet, &before).await;
    adopting_ends_it(&fleet, lost).await;
    for agent in fleet.agents() {
        assert_eq!(agent.serves(), ["blog"]);
    }
}

#[tokio::test]
async fn controllers_that_start_on_an_emptied_store_empty_nobody() {
    let redis = Redis::start().await;
    let fleet = Fleet::on(RabbitMq::shared().await, &redis).agents(3).start().await;
    assert_eq!(fleet.push(&document("shop", 8_080), &[]).await.counts(), (0, 3, 3));
    fleet.wait_until_converged().await;
    let (before, lost) = (served(&fleet), status(&fleet).await.store_id);

    for controller in fleet.controllers() {
        controller.process().kill().await;
    }
    raw::<()>(&redis, "FLUSHALL", &[]).await;
    for controller in fleet.controllers() {
        controller.process().start_again();
    }
    eventually("every controller answers and has its broker", async || {
        for controller in fleet.controllers() {
            let answer = controller.get("/readyz").await?;
            let up = answer.body["checks"]["broker"]["ok"] == true;
            up.then_some(()).ok_or(format!("{answer:?}"))?;
        }
        Ok::<_, String>(())
    })
    .await;
    changes_are_refused(&fleet).await;
    the_fleet_serves_on(&fleet, &before).await;
    adopting_ends_it(&fleet, lost).await;
}

#[tokio::test]
async fn an_older_copy_of_the_store_is_noticed_and_becomes_another_store() {
    let redis = Redis::start().await;
    let fleet = Fleet::on(RabbitMq::shared().await, &redis).agents(3).start().await;
    assert_eq!(fleet.push(&document("shop", 8_080), &[]).await.counts(), (0, 3, 3));
    let lost = status(&fleet).await.store_id;
    let key = |rest: &str| format!("bw:{{{}}}:{rest}", fleet.name());
    let copied: String = raw(&redis, "HGET", &[&key("configs"), "shop"]).await;
    assert_eq!(fleet.push(&document("shop", 8_082), &[]).await.counts(), (0, 3, 3));
    assert_eq!(fleet.push(&document("lab", 8_083), &[]).await.counts(), (0, 3, 3));
    fleet.wait_until_converged().await;
    let before = served(&fleet);

    let restore = "redis.call('HSET', KEYS[1], 'revision', '1') redis.call('DEL', KEYS[2]) \
                   redis.call('HSET', KEYS[2], 'shop', ARGV[1])";
    raw::<()>(&redis, "EVAL", &[restore, "2", &key("store"), &key("configs"), &copied]).await;
    the_fleet_serves_on(&fleet, &before).await;
    adopting_ends_it(&fleet, lost).await;
    assert_ne!(
        status(&fleet).await.store_id,
        lost,
        "it may give numbers anew that agents know for something else"
    );
    for agent in fleet.agents() {
        assert_eq!(agent.serves(), ["blog", "shop"]);
    }
}

#[tokio::test]
async fn one_agent_with_a_revision_that_cannot_be_true_holds_nobody_up() {
    let redis = Redis::start().await;
    let fleet = Fleet::on(RabbitMq::shared().await, &redis).agents(1).start().await;
    let store_id = status(&fleet).await.store_id;
    let registry = RedisRegistry::new(
        &redis.url().parse().expect("its URL is good"),
        &fleet.name().parse().expect("its name is good"),
    )
    .expect("it is made");
    let known = Known { store_id: Some(store_id), revision: Revision::from(u64::MAX), ..Known::nothing() };
    let rogue = AgentRecord {
        name: "rogue".parse().expect("a good name"),
        instance: Instance::new(),
        generation: 1,
        version: "0".to_owned(),
        labels: Labels::default(),
        known,
        last_error: None,
    };
    registry.record(&[rogue], Duration::from_secs(600)).await.expect("it is recorded");

    let pushed = fleet.push(&document("shop", 8_080), &[]).await;
    assert_eq!((pushed.counts(), pushed.failures()), ((3, 2, 1), vec![("rogue", Verdict::Unroutable)]));
    assert_eq!(pushed.rollout().revision, Revision::from(1));
    let shown = fleet.controller(0).agent("rogue").await.expect("it is listed");
    assert!(shown.last_error.as_deref().is_some_and(|error| error.contains("cannot be true")), "{shown:#?}");
    let adoption: AdoptionView = json(&fleet, &["adopt"]).await;
    assert_eq!((adoption.adopted, adoption.revision), (false, Revision::from(1)));
}
