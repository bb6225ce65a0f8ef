//! A node that starts alone serves its last set, and one whose memory is broken is healed.

use std::fs;

use bellwether_tests::{Agent, Fleet, FleetBuilder, Port, eventually, folder};
use serde_json::Value;
use tempfile::TempDir;

use crate::documents::document;

/// One agent that notes each reload by its digest, in a file that is returned too.
async fn noting_fleet() -> (FleetBuilder, TempDir) {
    let notes = folder("notes");
    let reload = format!("echo \"$BELLWETHER_DIGEST\" >>{}", notes.path().join("reloads").display());
    (Fleet::shared().await.controllers(1).agent("node-1", &["--reload", &reload]), notes)
}

fn reloads(notes: &TempDir) -> Vec<String> {
    let text = fs::read_to_string(notes.path().join("reloads")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn an_agent_that_starts_with_no_broker_serves_its_last_set() {
    let (fleet, notes) = noting_fleet().await;
    let fleet = fleet.start().await;
    let agent = fleet.agent("node-1");
    assert_eq!(fleet.push(&document("shop", 8080), &[]).await.counts(), (0, 1, 1));
    let served = agent.current();
    agent.process().terminate().await;
    let reloads_before = reloads(&notes);

    let _nobody = start_with_no_broker(agent);
    eventually("the last set is applied again", async || {
        let now = reloads(&notes);
        if now.len() > reloads_before.len() { Ok(()) } else { Err(agent.process().log()) }
    })
    .await;
    agent.process().wait_for_log("serving").await;
    assert_eq!(agent.current(), served);
    assert_eq!(reloads(&notes).last().map(String::as_str), served["digest"].as_str());
}

#[tokio::test]
async fn a_broken_memory_is_told_of_kept_aside_and_healed() {
    let (fleet, _notes) = noting_fleet().await;
    let fleet = fleet.start().await;
    let agent = fleet.agent("node-1");
    assert_eq!(fleet.push(&document("shop", 8080), &[]).await.counts(), (0, 1, 1));
    fleet.wait_until_converged().await;
    let served = agent.current();
    agent.process().kill().await;
    let whole = fs::read(agent.state_file()).expect("it remembers");
    let half = &whole[..whole.len() / 2];
    fs::write(agent.state_file(), half).expect("our own folder");

    let _nobody = start_with_no_broker(agent);
    agent.process().wait_for_log("the remembered set cannot be read").await;
    assert_eq!(agent.current(), served, "what the proxy serves stays as it is");
    let aside = agent.state_dir().join("state.json.broken-1");
    assert_eq!(fs::read(&aside).expect("it is kept aside"), half);
    agent.process().terminate().await;

    agent.process().start_again();
    eventually("it is healed", async || {
        let shown = fleet.controller(0).agent("node-1").await?;
        let state = fs::read(agent.state_file()).unwrap_or_default();
        let remembers: Value = serde_json::from_slice(&state).unwrap_or_default();
        let healed = remembers["digest"] == served["digest"] && agent.current() == served && shown.converged;
        if healed { Ok(()) } else { Err(format!("{shown:#?}\n{}", agent.process().log())) }
    })
    .await;
}

/// Returns the claim on the port of its broker: nothing listens there.
fn start_with_no_broker(agent: &Agent) -> Port {
    let nobody = Port::claim();
    let url = format!("amqp://{}/%2f", nobody.address());
    agent.process().start_again_as(|launch| launch.env("BELLWETHER_AMQP_URL", url));
    nobody
}
