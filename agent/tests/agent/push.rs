//! Pushes, and what becomes of each.

use crate::{
    driver::FakeDriver,
    fixture::{World, soon},
};
use bellwether_proto::agent::{Applied, SetConfig};
use bellwether_rpc::{CallError, Deadline, Fault, FaultKind};
use std::time::Duration;
use tokio::task::JoinHandle;

type Outcome = Result<Applied, CallError>;

async fn push(world: &World, config: &SetConfig) -> Outcome {
    world.controller.client(&world.agent.name).set_ingress_config(config, soon()).await
}

fn push_later(world: &World, config: SetConfig) -> JoinHandle<Outcome> {
    let client = world.controller.client(&world.agent.name);
    tokio::spawn(async move { client.set_ingress_config(&config, soon()).await })
}

/// Waits until the agent has all requests that were made before: it answers in order of arrival.
async fn arrived(world: &World) {
    world.controller.client(&world.agent.name).ping(soon()).await.unwrap();
}

fn fault(outcome: Outcome) -> Fault {
    match outcome {
        Err(CallError::Fault(fault)) => fault,
        other => panic!("no fault: {other:?}"),
    }
}

#[tokio::test]
async fn a_push_is_answered_when_it_serves_and_a_second_time_at_once() {
    let world = World::start().await;
    let config = world.controller.put("shop");
    let applied = push(&world, &config).await.unwrap();
    assert_eq!((applied.revision, applied.digest), (config.at.revision, world.controller.digest()));
    let calls = world.driver.calls().len();
    assert_eq!(push(&world, &config).await.unwrap(), applied);
    assert_eq!(world.driver.calls().len(), calls, "nothing is applied twice");
}

#[tokio::test]
async fn an_older_push_is_superseded_and_so_is_one_older_than_a_removal() {
    let world = World::start().await;
    let (old, new) = (world.controller.put("shop"), world.controller.put("shop"));
    push(&world, &new).await.unwrap();
    assert_eq!(fault(push(&world, &old).await).kind, FaultKind::Superseded);
    let removal = world.controller.delete("shop");
    let client = world.controller.client(&world.agent.name);
    let applied = client.del_ingress_config(&removal, soon()).await.unwrap();
    assert_eq!((applied.revision, applied.digest), (removal.at.revision, world.controller.digest()));
    assert_eq!(fault(push(&world, &new).await).kind, FaultKind::Superseded);
    assert_eq!(client.del_ingress_config(&removal, soon()).await.unwrap(), applied);
}

#[tokio::test]
async fn a_refused_push_has_the_drivers_words_and_what_served_before_serves() {
    let world = World::start().await;
    let good = world.controller.put("shop");
    let serving = push(&world, &good).await.unwrap();
    world.driver.refuse("bad");
    let bad = world.controller.put("bad");
    for _ in 0..2 {
        let refused = fault(push(&world, &bad).await);
        assert_eq!((refused.kind, refused.message.as_str()), (FaultKind::Rejected, "check: bad is bad"));
    }
    let beat = world.beat(|beat| beat.last_error.is_some()).await;
    assert_eq!(beat.known.digest, serving.digest);
    let expected = format!("bad@{}: check: bad is bad", bad.at.revision);
    assert_eq!(beat.last_error.as_deref(), Some(expected.as_str()));
    // A newer revision is tried at once, and ends the error.
    world.driver.accept("bad");
    push(&world, &world.controller.put("bad")).await.unwrap();
    assert_eq!(world.converged().await.last_error, None);
}

#[tokio::test]
async fn what_piles_up_while_the_driver_is_busy_is_merged_and_applied_once() {
    let world = World::start_with(FakeDriver::slow(), |_| {}).await;
    world.driver.let_finish(1);
    world.converged().await;
    let first = push_later(&world, world.controller.put("a"));
    world.driver.called(2).await;
    let overtaken: Vec<_> = (0..5).map(|_| push_later(&world, world.controller.put("b"))).collect();
    let newest = push_later(&world, world.controller.put("b"));
    let other = push_later(&world, world.controller.put("c"));
    arrived(&world).await;
    world.driver.let_finish(100);
    first.await.unwrap().unwrap();
    for push in overtaken {
        assert_eq!(fault(push.await.unwrap()).kind, FaultKind::Superseded);
    }
    let (newest, other) = (newest.await.unwrap().unwrap(), other.await.unwrap().unwrap());
    assert_eq!((newest.digest, other.digest), (world.controller.digest(), world.controller.digest()));
    let names: Vec<_> = world.driver.calls().iter().map(|call| call.names().join(" ")).collect();
    assert_eq!(names, ["", "a", "a b c"]);
}

#[tokio::test]
async fn one_bad_document_does_not_hold_back_those_it_came_with() {
    let world = World::start_with(FakeDriver::slow(), |_| {}).await;
    world.driver.let_finish(1);
    world.converged().await;
    world.driver.refuse("bad");
    let first = push_later(&world, world.controller.put("a"));
    world.driver.called(2).await;
    let pushes = ["b", "bad", "c", "d"].map(|name| push_later(&world, world.controller.put(name)));
    arrived(&world).await;
    world.driver.let_finish(100);
    first.await.unwrap().unwrap();
    let mut outcomes = Vec::new();
    for push in pushes {
        outcomes.push(push.await.unwrap().is_ok());
    }
    assert_eq!(outcomes, [true, false, true, true]);
    let taken: Vec<_> = world.driver.calls().into_iter().filter(|call| call.taken).collect();
    assert_eq!(taken.last().unwrap().names(), ["a", "b", "c", "d"]);
    let beat = world.beat(|beat| beat.last_error.is_some() && beat.known.revision.get() == 5).await;
    assert!(beat.last_error.unwrap().starts_with("bad@3: "));
}

#[tokio::test]
async fn who_is_refused_by_name_stands_back_at_once_and_the_rest_serves() {
    let world = World::start_with(FakeDriver::slow(), |_| {}).await;
    world.driver.let_finish(1);
    world.converged().await;
    world.driver.name_the_refused();
    world.driver.refuse("bad");
    let first = push_later(&world, world.controller.put("a"));
    world.driver.called(2).await;
    let pushes = ["b", "bad", "c", "d"].map(|name| push_later(&world, world.controller.put(name)));
    arrived(&world).await;
    world.driver.let_finish(100);
    first.await.unwrap().unwrap();
    let [b, bad, c, d] = pushes;
    for good in [b, c, d] {
        good.await.unwrap().unwrap();
    }
    let refused = fault(bad.await.unwrap());
    assert_eq!((refused.kind, refused.message.as_str()), (FaultKind::Rejected, "render: is bad"));
    let names: Vec<_> = world.driver.calls().iter().map(|call| call.names().join(" ")).collect();
    assert_eq!(names[..4], ["", "a", "a b bad c d", "a b c d"], "nothing is tried apart");
    let beat = world.beat(|beat| beat.last_error.is_some() && beat.known.revision.get() == 5).await;
    assert_eq!(beat.last_error.unwrap(), "bad@3: render: is bad");
    assert_ne!(beat.known.digest, world.controller.digest(), "the digest tells the truth");
}

#[tokio::test]
async fn a_push_that_takes_too_long_ends_by_its_deadline_and_serves_all_the_same() {
    let world = World::start_with(FakeDriver::slow(), |_| {}).await;
    world.driver.let_finish(1);
    world.converged().await;
    let config = world.controller.put("shop");
    let client = world.controller.client(&world.agent.name);
    let outcome = client.set_ingress_config(&config, Deadline::after(Duration::from_millis(300))).await;
    assert!(outcome.is_err(), "{outcome:?}");
    world.driver.let_finish(100);
    world.converged().await;
}

#[tokio::test]
async fn a_document_under_another_name_is_no_request() {
    let world = World::start().await;
    let mut config = world.controller.put("shop");
    config.name = "other".parse().unwrap();
    assert_eq!(fault(push(&world, &config).await).kind, FaultKind::BadRequest);
}

#[tokio::test]
async fn a_push_to_an_agent_that_knows_nothing_serves_with_the_whole_set_and_never_alone() {
    let world = World::start_with(FakeDriver::slow(), |controller| {
        controller.put("first");
        controller.store().answers = false;
    })
    .await;
    world.heard(|heard| !heard.beats.is_empty()).await;
    let pushing = push_later(&world, world.controller.put("second"));
    world.driver.let_finish(100);
    assert_eq!(pushing.await.unwrap().unwrap().digest, world.controller.digest());
    let names: Vec<_> = world.driver.calls().iter().map(|call| call.names().join(" ")).collect();
    assert_eq!(names, ["first second"]);
}
