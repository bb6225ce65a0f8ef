//! Stores that are emptied, replaced, or put back.

use crate::{
    driver::FakeDriver,
    fixture::{World, soon},
};
use bellwether_proto::StoreId;
use bellwether_rpc::{CallError, FaultKind};

/// A world whose agent serves `a` and `b`, and whose store was then lost: it is another now, and empty.
async fn with_an_emptied_store() -> (World, StoreId) {
    let world = World::start_with(FakeDriver::new(), |controller| {
        controller.put("a");
        controller.put("b");
    })
    .await;
    world.converged().await;
    let ours = {
        let mut store = world.controller.store();
        store.documents.clear();
        store.head.revision = 0.into();
        std::mem::replace(&mut store.head.store_id, StoreId::new())
    };
    (world, ours)
}

/// Waits until the controller has answered a beat that came after all that was done before.
async fn a_few_beats(world: &World) {
    let before = world.controller.heard().borrow().beats.len();
    world.heard(|heard| heard.beats.len() >= before + 15).await;
}

#[tokio::test]
async fn an_emptied_store_does_not_empty_the_agent() {
    let (world, ours) = with_an_emptied_store().await;
    let calls = world.driver.calls().len();
    world.controller.client(&world.agent.name).resync(&world.controller.stale(), soon()).await.unwrap();
    a_few_beats(&world).await;
    let beat = world.beat(|_| true).await;
    assert_eq!((beat.known.store_id, beat.known.revision.get()), (Some(ours), 2));
    assert_eq!(world.driver.calls().len(), calls);
}

#[tokio::test]
async fn a_push_of_a_foreign_store_is_rejected_and_names_both() {
    let (world, ours) = with_an_emptied_store().await;
    let push = world.controller.put("c");
    let refused =
        world.controller.client(&world.agent.name).set_ingress_config(&push, soon()).await.unwrap_err();
    let CallError::Fault(fault) = refused else { panic!("{refused}") };
    assert_eq!(fault.kind, FaultKind::Rejected);
    let theirs = push.at.store_id;
    assert!(
        fault.message.contains(&ours.to_string()) && fault.message.contains(&theirs.to_string()),
        "{fault}"
    );
}

#[tokio::test]
async fn an_adopted_store_is_followed_and_what_it_does_not_hold_is_dropped() {
    let (world, ours) = with_an_emptied_store().await;
    world.controller.put("b");
    {
        let mut store = world.controller.store();
        store.head.revision = 50.into();
        store.head.succeeds.push(ours);
    }
    let beat = world.converged().await;
    assert_eq!(beat.known.revision.get(), 50);
    let last = world.driver.calls().pop().unwrap();
    assert_eq!(
        (last.names(), last.set.store_id),
        (vec!["b".to_owned()], world.controller.stale().head.store_id)
    );
}

#[tokio::test]
async fn a_push_of_an_adopted_store_waits_for_its_whole_set() {
    let (world, ours) = with_an_emptied_store().await;
    world.controller.store().answers = false;
    world.controller.put("b");
    {
        let mut store = world.controller.store();
        store.head.revision = 50.into();
        store.head.succeeds.push(ours);
    }
    let push = world.controller.put("c");
    let applied = world.controller.client(&world.agent.name).set_ingress_config(&push, soon()).await.unwrap();
    assert_eq!((applied.revision.get(), applied.digest), (51, world.controller.digest()));
    assert_eq!(world.driver.calls().last().unwrap().names(), ["b", "c"]);
}

#[tokio::test]
async fn a_store_that_was_put_back_to_an_older_state_is_not_followed_back() {
    let world = World::start().await;
    world.controller.put("a");
    let old = world.controller.stale();
    world.controller.put("b");
    world.controller.client(&world.agent.name).resync(&world.controller.stale(), soon()).await.unwrap();
    let serving = world.converged().await;
    {
        let mut store = world.controller.store();
        store.documents.remove("b");
        store.head = old.head.clone();
    }
    world.controller.client(&world.agent.name).resync(&old, soon()).await.unwrap();
    a_few_beats(&world).await;
    assert_eq!(world.beat(|_| true).await.known, serving.known);
}
