//! The example in Python is an agent among others, in a fleet of our own programs.

use std::fs;
use std::time::{Duration, Instant};

use bellwether_proto::http::{AgentState, AgentView};
use bellwether_tests::{Fleet, RabbitMq, eventually, workspace};
use serde_json::Value;

use crate::agents::{Agent, Kind};

const NAME: &str = "python-1";
/// Less than the time to live of a beat, by which it would be offline without a goodbye.
const AT_ONCE: Duration = Duration::from_millis(2_500);

fn document(name: &str, port: u16) -> String {
    format!(
        "apiVersion: bellwether/v1\nkind: IngressConfig\nmetadata: {{name: {name}}}\nspec:\n  \
         listeners: [{{name: web, port: {port}, protocol: HTTP}}]\n"
    )
}

#[test]
fn the_example_has_fewer_than_a_hundred_lines() {
    let text = fs::read_to_string(workspace::path("docs/examples/agent.py")).expect("the example");
    assert!(text.lines().count() < 100 && text.lines().all(|line| line.len() <= 120));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_example_is_pushed_to_catches_up_drops_and_says_goodbye() {
    let fleet = Fleet::shared().await.agents(2).start().await;
    let mut python = Agent::start(Kind::Python, RabbitMq::shared().await, fleet.name(), NAME).await;
    until_online_and_converged(&fleet).await;

    // A push counts it.
    let pushed = fleet.push(&document("shop", 8080), &[]).await;
    assert_eq!(pushed.counts(), (0, 3, 3), "{pushed:#?}\n{}", python.program.log());
    assert_eq!(ports(&python), [8080]);
    until_online_and_converged(&fleet).await;
    let listed = fleet.command(&["agents", "-o", "json"]).await;
    assert_eq!(listed.code, 0, "{}", listed.stderr);
    let listed: Vec<AgentView> = serde_json::from_str(&listed.stdout).expect("agents");
    assert_eq!(listed.len(), 3);
    assert!(listed.iter().all(|agent| agent.state == AgentState::Online && agent.converged), "{listed:#?}");

    // What it misses is brought by a resync: nothing is pushed again.
    fleet.wait_until_listening().await;
    python.program.pause();
    let missed = fleet.push(&document("shop", 8081), &["--timeout", "1s"]).await;
    assert_eq!(missed.counts(), (3, 3, 2), "{missed:#?}");
    assert_eq!(missed.failures().len(), 1, "{missed:#?}");
    assert_eq!(missed.failures()[0].0, NAME);
    python.program.kill().await;
    assert_eq!(ports(&python), [8080]);
    python.files().iter().for_each(|file| fs::remove_file(file).expect("our own file"));
    python.start_again();
    eventually("it has caught up", async || match ports(&python)[..] {
        [8081] => Ok(()),
        _ => Err(python.program.log()),
    })
    .await;
    until_online_and_converged(&fleet).await;
    assert_eq!(fleet.controller(0).rollouts().await.expect("a list").len(), 2);

    // A delete takes the document from it.
    let deleted = fleet.delete("shop").await;
    assert_eq!(deleted.counts(), (0, 3, 3), "{deleted:#?}");
    assert_eq!(ports(&python), Vec::<u64>::new());
    until_online_and_converged(&fleet).await;

    // A goodbye makes it offline at once.
    let stopped = Instant::now();
    let status = python.program.terminate().await;
    assert_eq!(status.code(), Some(0), "{}", python.program.log());
    eventually("it is offline", async || {
        let shown = fleet.controller(0).agent(NAME).await?;
        if shown.state == AgentState::Offline { Ok(()) } else { Err(format!("{shown:#?}")) }
    })
    .await;
    let took = stopped.elapsed();
    let logs: String = fleet.controllers().iter().map(|it| it.process().log()).collect();
    assert!(logs.contains(&format!("offline: it said goodbye agent={NAME}")), "{logs}");
    assert!(took < AT_ONCE, "it took {took:?}");
}

async fn until_online_and_converged(fleet: &Fleet) {
    eventually("every controller sees all three online and converged", async || {
        for controller in fleet.controllers() {
            let agents = controller.agents().await?;
            let good = |agent: &AgentView| agent.state == AgentState::Online && agent.converged;
            if agents.len() != 3 || !agents.iter().all(good) {
                return Err(format!("{agents:#?}"));
            }
        }
        Ok(())
    })
    .await;
}

/// The ports of the documents that it serves.
fn ports(agent: &Agent) -> Vec<u64> {
    let port = |document: &Value| document["spec"]["listeners"][0]["port"].as_u64();
    agent.serves().iter().filter_map(port).collect()
}
