//! A Redis that is not there, does not let in, takes no writes, or is another one. (For one that is emptied see
//! `adopt.rs`.)

use std::time::Instant;

use bellwether_proto::http::AgentState;
use bellwether_tests::{Fleet, Port, RabbitMq, Redis, Relay};
use redis::{Client, RedisResult};
use serde_json::Value;

use crate::{document, is_well, said};

/// Asks Redis directly.
async fn raw(redis: &Redis, command: &[&str]) {
    let client = Client::open(redis.url()).expect("its URL is good");
    let mut connection = client.get_multiplexed_async_connection().await.expect("it is up");
    let mut asked = redis::cmd(command[0]);
    let answer: RedisResult<()> = asked.arg(&command[1..]).query_async(&mut connection).await;
    answer.unwrap_or_else(|error| panic!("{command:?}: {error}"));
}

async fn fleet_at(url: &str) -> (Fleet, Instant) {
    let fleet = Fleet::shared().await.redis_url(url).controllers(1).agents(1).begin().await;
    (fleet, Instant::now())
}

async fn says_so_everywhere(fleet: &Fleet, since: Instant, words: &[&str]) {
    for check in ["registry", "store", "presence"] {
        said::by_controllers(fleet, since, check, words).await;
    }
}

#[tokio::test]
async fn nobody_listens() {
    let (redis, port) = (Redis::shared().await, Port::claim());
    let (fleet, since) = fleet_at(&format!("redis://{}/", port.address())).await;
    says_so_everywhere(&fleet, since, &[&port.address(), "Connection refused"]).await;
    let _relay = Relay::lead(&port, redis.port()).await;
    is_well(&fleet).await;
}

#[tokio::test]
async fn the_password_is_wrong() {
    let redis = Redis::start().await;
    raw(&redis, &["ACL", "SETUSER", "fleet", "on", ">right", "allcommands", "allkeys", "allchannels"]).await;
    let host = format!("127.0.0.1:{}", redis.port());
    let (fleet, since) = fleet_at(&format!("redis://fleet:sesame@{host}/")).await;
    says_so_everywhere(&fleet, since, &[&host, "authentication failed"]).await;
    raw(&redis, &["ACL", "SETUSER", "fleet", ">sesame"]).await;
    is_well(&fleet).await;
}

/// Under a fleet that serves, Redis stops taking writes; it says so and serves on, and works again when that is over.
async fn a_fleet_outlives(begin: &[&str], end: &[&str], cause: &str) {
    let redis = Redis::start().await;
    let fleet = Fleet::on(RabbitMq::shared().await, &redis).agents(2).start().await;
    is_well(&fleet).await;
    let served: Vec<Value> = fleet.agents().iter().map(|agent| agent.current()).collect();
    let host = format!("127.0.0.1:{}", redis.port());
    fleet
        .nobody_is_called_offline_while(async {
            let since = Instant::now();
            raw(&redis, begin).await;
            said::by_controllers(&fleet, since, "presence", &[&host, cause]).await;
            let refused = fleet.push(&document("shop", 9_999), &[]).await;
            assert_eq!((refused.code, refused.rollouts.len()), (1, 0), "{refused:#?}");
            assert!(refused.stderr.contains(&host) && refused.stderr.contains(cause), "{}", refused.stderr);
            let now: Vec<Value> = fleet.agents().iter().map(|agent| agent.current()).collect();
            assert_eq!(now, served);
            raw(&redis, end).await;
            is_well(&fleet).await;
        })
        .await;
}

#[tokio::test]
async fn it_is_full() {
    let full = ["CONFIG", "SET", "maxmemory", "1mb"];
    a_fleet_outlives(&full, &["CONFIG", "SET", "maxmemory", "0"], "OOM").await;
}

#[tokio::test]
async fn it_can_only_be_read() {
    // The replica of a master that is not there: it answers from what it has.
    let nobody = Port::claim().number().to_string();
    a_fleet_outlives(&["REPLICAOF", "127.0.0.1", &nobody], &["REPLICAOF", "NO", "ONE"], "read only").await;
}

#[tokio::test]
async fn it_is_of_another_fleets_store() {
    let (redis, other) = (Redis::start().await, Redis::start().await);
    let fleet = Fleet::on(RabbitMq::shared().await, &redis).controllers(1).agents(2).start().await;
    is_well(&fleet).await;
    let served: Vec<Value> = fleet.agents().iter().map(|agent| agent.current()).collect();
    let controller = fleet.controller(0).process();

    assert!(controller.terminate().await.success());
    controller.start_again_as(|launch| launch.env("BELLWETHER_REDIS_URL", other.url()));
    let since = Instant::now();
    let words = ["the store is behind the fleet", "bellwether adopt"];
    said::by_controllers(&fleet, since, "fleet", &words).await;
    let refused = fleet.push(&document("shop", 9_999), &[]).await;
    assert_eq!((refused.code, refused.rollouts.len()), (1, 0), "{refused:#?}");
    let agents = fleet.controller(0).agents().await.expect("a list");
    assert!(agents.iter().all(|agent| agent.state == AgentState::Online), "{agents:#?}");
    let now: Vec<Value> = fleet.agents().iter().map(|agent| agent.current()).collect();
    assert_eq!(now, served);

    assert!(controller.terminate().await.success());
    controller.start_again();
    is_well(&fleet).await;
}
