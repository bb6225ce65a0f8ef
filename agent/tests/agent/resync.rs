//! Fetching what is missing.

use crate::{
    driver::FakeDriver,
    fixture::{World, soon},
};

#[tokio::test]
async fn an_agent_fetches_what_it_lacks_page_by_page_and_applies_it_once() {
    let world = World::start_with(FakeDriver::new(), |controller| {
        ["a", "b", "c", "d", "e"].iter().for_each(|name| drop(controller.put(name)));
        controller.store().page = 2;
    })
    .await;
    let beat = world.converged().await;
    assert_eq!(beat.known.revision.get(), 5);
    let names: Vec<_> = world.driver.calls().iter().map(|call| call.names().join(" ")).collect();
    assert_eq!(names, ["a b c d e"]);
    assert_eq!(world.controller.heard().borrow().fetches, 3);
}

#[tokio::test]
async fn an_agent_that_is_told_the_empty_set_applies_that() {
    let world = World::start().await;
    let calls = world.driver.calls();
    assert_eq!(calls.len(), 1);
    assert_eq!((calls[0].names().len(), calls[0].set.digest), (0, world.controller.digest()));
}

#[tokio::test]
async fn a_resync_brings_what_was_missed_and_removes_what_is_gone() {
    let world = World::start().await;
    world.controller.put("gone");
    world.controller.put("stays");
    let client = world.controller.client(&world.agent.name);
    client.resync(&world.controller.stale(), soon()).await.unwrap();
    world.converged().await;
    world.controller.delete("gone");
    client.resync(&world.controller.stale(), soon()).await.unwrap();
    let beat = world.converged().await;
    assert_eq!(beat.known.revision.get(), 3);
    assert_eq!(world.driver.calls().last().unwrap().names(), ["stays"]);
}

#[tokio::test]
async fn what_is_refused_is_left_alone_for_a_while_and_then_tried_again() {
    let driver = FakeDriver::new();
    driver.refuse("bad");
    let world = World::start_with(driver, |controller| {
        controller.put("good");
        controller.put("bad");
    })
    .await;
    let beat = world.beat(|beat| beat.last_error.is_some() && beat.known.revision.get() == 1).await;
    assert_eq!(beat.last_error.as_deref(), Some("bad@2: check: bad is bad"));
    let calls = world.driver.calls().len();
    // Replies to beats ask for a sync all the time; few are worth one.
    let before = world.controller.heard().borrow().beats.len();
    let heard = world.heard(|heard| heard.beats.len() >= before + 30).await;
    assert!(world.driver.calls().len() <= calls + 4, "{} calls more", world.driver.calls().len() - calls);
    assert!(heard.fetches <= 6, "{} fetches", heard.fetches);
    world.driver.accept("bad");
    assert_eq!(world.converged().await.last_error, None);
}

#[tokio::test]
async fn a_refused_document_that_is_deleted_is_an_error_no_more() {
    let driver = FakeDriver::new();
    driver.refuse("bad");
    let world = World::start_with(driver, |controller| drop(controller.put("bad"))).await;
    world.beat(|beat| beat.last_error.is_some()).await;
    world.controller.delete("bad");
    world.beat(|beat| beat.last_error.is_none()).await;
    assert_eq!(world.converged().await.last_error, None);
}
