//! Beats, reconnects and goodbyes, as a controller hears them from both agents.

use std::time::{Duration, Instant};

use bellwether_tests::{RabbitMq, always_for, eventually};
use serde_json::{Value, json};

use crate::agents::{Agent, Kind, of_both_agents};
use crate::broker::{Message, text};
use crate::fake_controller::{FIRST_PING, FakeController, Store};

of_both_agents! {
    the_first_beat_asks_and_comes_when_the_agent_can_be_reached
    every_fifth_beat_asks_and_all_keep_the_assigned_interval
    what_has_changed_is_told_at_once
    a_lost_connection_comes_back_as_another_generation
    a_goodbye_is_the_last_that_is_heard
}

async fn the_first_beat_asks_and_comes_when_the_agent_can_be_reached(kind: Kind) {
    let (controller, _agent) = start(kind).await;
    let pong =
        eventually("the ping at the first beat is answered", async || controller.peer.answer_to(FIRST_PING));
    assert_eq!(pong.await.kind(), "reply");
    let first = &controller.heard()[0];
    assert_eq!((first.kind().as_str(), first.asks()), ("OnlineAgent", true));
    let beat = first.json();
    let known = [&beat["store_id"], &beat["revision"], &beat["digest"]];
    assert_eq!(known, [&Value::Null, &json!(0), &json!(Store::new(0, &[]).digest())]);
}

async fn every_fifth_beat_asks_and_all_keep_the_assigned_interval(kind: Kind) {
    let (controller, _agent) = start(kind).await;
    let interval = Duration::from_millis(400);
    controller.say(|says| says.next_beat_ms = 400);
    controller.converged().await;
    let from = controller.heard_of("OnlineAgent").len();
    let beats = eventually("three beats that ask, and those between", async || {
        let beats = controller.heard_of("OnlineAgent").split_off(from);
        let first = beats.iter().position(Message::asks)?;
        Some(beats[first..].to_vec()).filter(|beats| beats.len() > 10)
    });
    let beats = beats.await;
    let asking: Vec<usize> = (0..11).filter(|at| beats[*at].asks()).collect();
    assert_eq!(asking, [0, 5, 10], "{beats:#?}");

    // The answer to the first of them has assigned the interval at the latest.
    for beat in &beats[1..] {
        let ms: u128 = text(beat.properties.expiration()).parse().expect("milliseconds");
        assert!((1..=interval.as_millis()).contains(&ms), "{beat:?}");
    }
    let took = beats[10].at - beats[1].at;
    assert!((interval * 7..interval * 14).contains(&took), "nine intervals took {took:?}");
}

async fn what_has_changed_is_told_at_once(kind: Kind) {
    let (controller, agent) = start(kind).await;
    controller.say(|says| says.next_beat_ms = 30_000);
    let asking = controller.heard_of("OnlineAgent").iter().filter(|beat| beat.asks()).count();
    eventually("the interval is assigned", async || {
        controller.heard_of("OnlineAgent").iter().filter(|beat| beat.asks()).count() > asking
    })
    .await;
    // A beat that was due already may still come.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let revision = controller.store().revision + 1;
    controller.say(|says| {
        says.store.revision = revision;
        says.store.configs.insert("shop".to_owned(), revision);
    });
    let push = controller.store().push("shop", revision);
    let (answer, applied) = controller.ask(&agent.name, "SetIngressConfig", &push).await;
    assert_eq!(answer, "reply", "{applied}");
    let told = Instant::now();
    let digest = json!(controller.store().digest());
    controller.beat("the new digest", |beat| beat["digest"] == digest).await;
    assert!(told.elapsed() < Duration::from_secs(15), "long before the next beat on schedule");
    let news = controller.heard_of("OnlineAgent").pop().expect("a beat");
    assert!(!news.asks(), "{news:?}");
}

async fn a_lost_connection_comes_back_as_another_generation(kind: Kind) {
    let (controller, agent) = start(kind).await;
    let before = controller.converged().await;
    let rabbitmq = RabbitMq::shared().await;
    let (queue, connection) = queue_of(&controller, &agent).await;
    rabbitmq.ctl(&["close_connection", &connection, "a test"]).await;

    let later = |beat: &Value| beat["generation"].as_u64() > before["generation"].as_u64();
    controller.beat("of a later generation", later).await;
    let beats = controller.heard_of("OnlineAgent");
    let first = beats.iter().find(|beat| later(&beat.json())).expect("a beat");
    assert!(first.asks(), "{first:?}");
    assert_eq!(first.json()["instance"], before["instance"]);
    assert_eq!(controller.outcome(&agent.name, "Ping", &json!({})).await, "reply");
    let (after, _) = queue_of(&controller, &agent).await;
    let number = |queue: &str| queue.rsplit('.').next().and_then(|number| number.parse::<u64>().ok());
    assert!(number(&after) > number(&queue) && number(&queue).is_some(), "{queue}, then {after}");
}

/// The only queue of an agent's requests, and the connection that owns it.
async fn queue_of(controller: &FakeController, agent: &Agent) -> (String, String) {
    let prefix = format!("bellwether.{}.agent.{}.", controller.fleet, agent.name);
    eventually("one queue of the agent", async || {
        let listed = RabbitMq::shared().await.ctl(&["list_queues", "name", "owner_pid"]).await;
        let ours: Vec<_> = listed.lines().filter(|line| line.starts_with(&prefix)).collect();
        match ours[..] {
            [line] => line.split_once('\t').map(|(queue, pid)| (queue.to_owned(), pid.to_owned())),
            _ => None,
        }
    })
    .await
}

async fn a_goodbye_is_the_last_that_is_heard(kind: Kind) {
    let (controller, agent) = start(kind).await;
    let beat = controller.converged().await;
    let status = agent.program.terminate().await;
    assert_eq!(status.code(), Some(0), "{}", agent.program.log());

    let goodbye = eventually("a goodbye", async || controller.heard_of("OfflineAgent").pop()).await;
    assert_eq!(goodbye.json(), json!({"name": agent.name, "instance": beat["instance"]}));
    // The page allows both.
    assert_eq!(goodbye.asks(), kind == Kind::Rust, "{goodbye:?}");
    always_for(Duration::from_millis(1_500), "no beat follows", async || {
        controller.heard().pop().is_some_and(|last| last.kind() == "OfflineAgent")
    })
    .await;
}

async fn start(kind: Kind) -> (FakeController, Agent) {
    let rabbitmq = RabbitMq::shared().await;
    let controller = FakeController::start(rabbitmq, Store::new(0, &[])).await;
    let agent = Agent::start(kind, rabbitmq, &controller.fleet, "node-7").await;
    controller.beat("the first", |_| true).await;
    (controller, agent)
}
