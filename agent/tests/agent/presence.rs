//! Beats and goodbyes.

use crate::{
    controller::Controller,
    driver::FakeDriver,
    fixture::{Agent, World, eventually, soon},
};
use bellwether_rpc::{Connection, Link, transport::memory::Memory};

#[tokio::test]
async fn the_first_beat_comes_when_the_agent_can_be_reached_and_asks() {
    let world = World::start().await;
    let heard = world.heard(|heard| heard.beats.len() > 12).await;
    assert_eq!(heard.reached, Some(true));
    assert!(heard.asked[0]);
    let beat = &heard.beats[0];
    assert_eq!((&beat.name, beat.instance, beat.generation), (&world.agent.name, world.agent.instance, 1));
    // Beats that tell news come in between, and ask for nothing.
    let asked = heard.asked.iter().filter(|asked| **asked).count();
    assert!((2..=4).contains(&asked), "{:?}", heard.asked);
}

#[tokio::test]
async fn beats_go_on_while_no_controller_answers_and_the_driver_is_busy() {
    let driver = FakeDriver::slow();
    let world = World::start_with(driver, |controller| controller.store().answers = false).await;
    world.beat(|_| true).await;
    let busy = world.controller.client(&world.agent.name);
    let push = world.controller.put("shop");
    let pushing = tokio::spawn(async move { busy.set_ingress_config(&push, soon()).await });
    world.driver.called(1).await;
    let before = world.controller.heard().borrow().beats.len();
    world.heard(|heard| heard.beats.len() >= before + 8).await;
    world.driver.let_finish(100);
    pushing.await.unwrap().unwrap();
}

#[tokio::test]
async fn what_has_changed_is_told_at_once() {
    let world = World::start().await;
    let before = world.controller.heard().borrow().beats.len();
    let push = world.controller.put("shop");
    let applied = world.controller.client(&world.agent.name).set_ingress_config(&push, soon()).await.unwrap();
    let heard =
        world.heard(|heard| heard.beats.last().is_some_and(|b| b.known.digest == applied.digest)).await;
    assert!(heard.beats.len() <= before + 3, "{} beats later", heard.beats.len() - before);
}

#[tokio::test]
async fn a_new_connection_begins_with_a_beat_that_asks() {
    let world = World::start().await;
    world.hub.cut(world.agent.instance);
    let heard = world.heard(|heard| heard.beats.iter().any(|beat| beat.generation == 2)).await;
    let first = heard.beats.iter().position(|beat| beat.generation == 2).unwrap();
    assert!(heard.asked[first]);
}

#[tokio::test]
async fn an_agent_that_stops_says_goodbye_and_is_reached_no_more() {
    let world = World::start().await;
    let (name, instance) = (world.agent.name.clone(), world.agent.instance);
    world.agent.stop().await;
    let heard = world.controller.heard().borrow().clone();
    assert_eq!(heard.goodbyes.len(), 1);
    assert_eq!((&heard.goodbyes[0].name, heard.goodbyes[0].instance), (&name, instance));
    let gone = world.controller.client(&name).ping(soon()).await.unwrap_err();
    assert!(matches!(gone, bellwether_rpc::CallError::Unroutable { .. }), "{gone}");
}

#[tokio::test]
async fn agents_can_share_a_connection_and_leave_it_open() {
    let hub = Memory::new();
    let controller = Controller::start(&hub).await;
    let shared = Connection::new(hub.connect());
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let start = |name, folder: &tempfile::TempDir| {
        Agent::start_on(shared.clone(), name, folder.path(), FakeDriver::new())
    };
    let (one, other) = (start("one", &folders[0]), start("other", &folders[1]));
    let both = |name: &str| {
        let name = name.to_owned();
        eventually(controller.heard(), move |heard| heard.beats.iter().any(|beat| beat.name.as_str() == name))
    };
    both("one").await;
    both("other").await;
    one.stop().await;
    assert_eq!(*shared.link().borrow(), Link::Up { generation: 1 });
    controller.client(&other.name).ping(soon()).await.unwrap();
    other.stop().await;
}
