//! Restarts, with good state, bad state, and no controller.

use crate::{
    driver::FakeDriver,
    fixture::{Agent, World, eventually, soon},
};
use bellwether_agent::driver::{
    Hook,
    file::{FileDriver, FileOptions},
};
use bellwether_rpc::transport::memory::Memory;
use std::{fs, path::Path, time::Duration};

async fn serving_a_shop() -> World {
    let world = World::start_with(FakeDriver::new(), |controller| drop(controller.put("shop"))).await;
    world.converged().await;
    world
}

#[tokio::test]
async fn a_node_that_starts_alone_serves_its_last_set() {
    let world = serving_a_shop().await;
    let before = world.driver.calls().pop().unwrap();
    world.agent.stop().await;
    let alone = FakeDriver::new();
    let agent = Agent::start(&Memory::new(), world.folder.path(), alone.clone());
    let calls = alone.called(1).await;
    assert_eq!(calls[0].set, before.set);
    agent.stop().await;
}

#[tokio::test]
async fn a_last_set_that_is_refused_at_the_start_is_told_and_tried_again() {
    let world = serving_a_shop().await;
    let serving = world.converged().await;
    let driver = FakeDriver::new();
    driver.refuse("shop");
    let world = world.restart(driver).await;
    let beat = world.beat(|_| true).await;
    assert_eq!(beat.known, serving.known);
    let told = beat.last_error.unwrap();
    assert_eq!(told, "the last set cannot be applied again: check: shop is bad");
    world.driver.accept("shop");
    world.beat(|beat| beat.last_error.is_none()).await;
}

#[tokio::test]
async fn of_a_last_set_the_rest_serves_when_one_document_is_refused_by_name() {
    let world = World::start_with(FakeDriver::new(), |controller| {
        controller.put("shop");
        controller.put("other");
    })
    .await;
    world.converged().await;
    let driver = FakeDriver::new();
    driver.name_the_refused();
    driver.refuse("shop");
    let world = world.restart(driver).await;
    let beat = world.beat(|_| true).await;
    assert_eq!(beat.last_error.as_deref(), Some("shop@1: render: is bad"));
    assert_ne!(beat.known.digest, world.controller.digest(), "the digest tells the truth");
    let taken = |call: &crate::driver::Called| call.taken;
    assert_eq!(world.driver.calls().into_iter().rfind(taken).unwrap().names(), ["other"]);
    world.driver.accept("shop");
    assert_eq!(world.converged().await.last_error, None);
}

#[tokio::test]
async fn the_first_beat_after_a_restart_waits_for_what_became_of_the_last_set() {
    let world = serving_a_shop().await;
    let driver = FakeDriver::slow();
    driver.refuse("shop");
    let world = world.restart(driver).await;
    world.driver.called(1).await;
    let client = world.controller.client(&world.agent.name);
    // It can be reached, and has had every occasion to beat.
    while client.ping(soon()).await.is_err() {}
    for _ in 0..50 {
        client.ping(soon()).await.unwrap();
    }
    world.driver.let_finish(100);
    world.beat(|_| true).await;
    let heard = world.controller.heard().borrow().clone();
    let first = heard.beats.iter().find(|beat| beat.instance == world.agent.instance).unwrap();
    assert!(first.last_error.is_some(), "{first:?}");
}

#[tokio::test]
async fn a_truncated_state_is_kept_aside_and_healed_without_emptying_the_proxy() {
    let world = serving_a_shop().await;
    let file = world.folder.path().join("state.json");
    let whole = fs::read(&file).unwrap();
    let World { hub, controller, agent, folder, .. } = world;
    agent.stop().await;
    fs::write(&file, &whole[..whole.len() / 2]).unwrap();

    let driver = FakeDriver::new();
    let agent = Agent::start(&hub, folder.path(), driver.clone());
    let world = World { hub, controller, driver, agent, folder };
    world.converged().await;
    let names: Vec<_> = world.driver.calls().iter().map(|call| call.names().join(" ")).collect();
    assert_eq!(names, ["shop"], "nothing less was ever applied");
    assert_eq!(fs::read(world.folder.path().join("state.json.broken-1")).unwrap(), whole[..whole.len() / 2]);
    assert!(fs::read(&file).unwrap().len() >= whole.len());
}

#[tokio::test]
async fn a_set_that_serves_but_cannot_be_saved_is_told_until_it_is() {
    let world = serving_a_shop().await;
    let state = world.folder.path().join("state.json");
    fs::remove_file(&state).unwrap();
    // A folder in its place: nothing can be renamed over it.
    fs::create_dir(&state).unwrap();
    let push = world.controller.put("shop");
    let client = world.controller.client(&world.agent.name);
    client.set_ingress_config(&push, soon()).await.unwrap();
    let beat = world.beat(|beat| beat.last_error.is_some()).await;
    assert_eq!(beat.known.digest, world.controller.digest());
    assert!(beat.last_error.unwrap().starts_with("the set serves, but is not on disk"));
    fs::remove_dir(&state).unwrap();
    world.beat(|beat| beat.last_error.is_none()).await;
    assert!(state.is_file());
}

#[tokio::test]
async fn removals_are_remembered_over_a_restart() {
    let world = serving_a_shop().await;
    let late = world.controller.put("shop");
    let removal = world.controller.delete("shop");
    world.controller.client(&world.agent.name).del_ingress_config(&removal, soon()).await.unwrap();
    let world = world.restart(FakeDriver::new()).await;
    world.beat(|_| true).await;
    let outcome = world.controller.client(&world.agent.name).set_ingress_config(&late, soon()).await;
    assert!(outcome.is_err_and(|error| error.to_string().starts_with("Superseded")));
}

#[tokio::test]
async fn what_is_being_applied_is_finished_before_the_agent_stops() {
    let world = World::start_with(FakeDriver::slow(), |_| {}).await;
    world.driver.let_finish(1);
    world.converged().await;
    let push = world.controller.put("shop");
    let client = world.controller.client(&world.agent.name);
    let pushing = tokio::spawn(async move { client.set_ingress_config(&push, soon()).await });
    world.driver.called(2).await;
    let (driver, heard) = (world.driver.clone(), world.controller.heard());
    let stopping = tokio::spawn(world.agent.stop());
    eventually(heard, |heard| !heard.goodbyes.is_empty()).await;
    driver.let_finish(1);
    pushing.await.unwrap().unwrap();
    stopping.await.unwrap();
}

#[tokio::test]
async fn a_real_driver_rolls_back_what_the_proxy_will_not_load() {
    let hub = Memory::new();
    let controller = crate::controller::Controller::start(&hub).await;
    controller.put("good");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().canonicalize().unwrap();
    let loaded = path.join("loaded.json");
    let reload =
        format!(r#"cp "$BELLWETHER_DIR/ingress.json" {0} && ! grep -q '"name":"bad"' {0}"#, loaded.display());
    let reload = Some(Hook { command: reload, time_limit: Duration::from_secs(20) });
    let driver = FileDriver::new(&path, FileOptions { reload, ..FileOptions::default() }).unwrap();
    let agent = Agent::start(&hub, &path, driver);
    let good = controller.digest();
    eventually(controller.heard(), move |heard| heard.beats.last().is_some_and(|b| b.known.digest == good))
        .await;
    let bad = controller.put("bad");
    let refused = controller.client(&agent.name).set_ingress_config(&bad, soon()).await.unwrap_err();
    assert_eq!(refused.to_string(), "Rejected: reload: exit status: 1");
    let digest = |path: &Path| {
        let json: serde_json::Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        json["digest"].as_str().unwrap().to_owned()
    };
    assert_eq!(digest(&path.join("current/ingress.json")), good.to_string());
    assert_eq!(digest(&loaded), good.to_string());
    agent.stop().await;
}
