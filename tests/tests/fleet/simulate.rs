//! A simulated fleet is to an operator like any other, and large enough to be told by one publish.

use std::time::Duration;

use bellwether_proto::http::{AgentState, Verdict};
use bellwether_tests::{Binary, Fleet, Launch, RabbitMq, eventually};

use crate::documents::document;

const AGENTS: usize = 200;

#[tokio::test]
async fn of_a_simulated_fleet_each_agent_has_a_verdict_of_its_own() {
    let fleet = Fleet::shared().await.start().await;
    let (rabbitmq, agents) = (RabbitMq::shared().await.url(), AGENTS.to_string());
    let simulate = ["simulate", "--amqp-url", &rabbitmq, "--fleet", fleet.name(), "--agents", &agents];
    let conduct = ["--connections", "2", "--reject", "0.01", "--stall", "0.01", "-o", "json"];
    let simulation = Launch::of(Binary::Cli).await.args(simulate).args(conduct).start();
    // The others refuse, or never come to an end with, the empty set too.
    eventually("all that ever will have converged", async || {
        let agents = fleet.controller(0).agents().await?;
        match agents.iter().filter(|agent| agent.converged).count() {
            converged if converged == AGENTS - 4 && agents.len() == AGENTS => Ok(()),
            some => Err(format!("{some} of {}\n{}", agents.len(), simulation.log())),
        }
    })
    .await;

    let pushed = fleet.push(&document("shop", 8080), &["--timeout", "10s"]).await;
    assert_eq!(pushed.counts(), (3, AGENTS, AGENTS - 4), "{pushed:#?}");
    let (rejected, stalled) = (Verdict::Rejected, Verdict::TimedOut);
    let expected = [("sim-1", rejected), ("sim-2", rejected), ("sim-3", stalled), ("sim-4", stalled)];
    assert_eq!(pushed.failures(), expected);
    let took = Duration::from_millis(pushed.rollout().elapsed_ms);
    assert!(took >= Duration::from_secs(10), "{took:?}");

    let status = simulation.terminate().await;
    let log = simulation.log();
    assert_eq!(status.code(), Some(0), "{log}");
    let summary = log.lines().find(|line| line.starts_with('{')).expect("a summary");
    let summary: serde_json::Value = serde_json::from_str(summary).expect("JSON");
    // The empty set, and the document.
    assert_eq!(
        (&summary["applied"], &summary["stalled"]),
        (&(2 * (AGENTS - 4)).into(), &2.into()),
        "{summary}"
    );
    assert_eq!(summary["reachable"], AGENTS, "{summary}");
    eventually("each said goodbye", async || match in_state(&fleet, AgentState::Offline).await? {
        AGENTS => Ok(()),
        some => Err(format!("{some} of {AGENTS}")),
    })
    .await;
}

/// An agent that goes while it is told has its verdict at once, though nobody told it alone.
#[tokio::test]
async fn a_fleet_that_vanishes_under_a_push_does_not_hold_it_up() {
    let fleet = Fleet::shared().await.start().await;
    let (rabbitmq, agents) = (RabbitMq::shared().await.url(), AGENTS.to_string());
    let simulate = ["simulate", "--amqp-url", &rabbitmq, "--fleet", fleet.name(), "--agents", &agents];
    let simulation = Launch::of(Binary::Cli).await.args(simulate).args(["--stall", "1"]).start();
    eventually("all are online", async || match in_state(&fleet, AgentState::Online).await? {
        AGENTS => Ok(()),
        some => Err(format!("{some} of {AGENTS}\n{}", simulation.log())),
    })
    .await;

    let shop = document("shop", 8080);
    let (pushed, ()) = tokio::join!(fleet.push(&shop, &["--timeout", "60s"]), async {
        eventually("all have been told", async || match simulation.log().contains(" 200 stalled") {
            true => Ok(()),
            false => Err(simulation.log()),
        })
        .await;
        simulation.kill().await;
    });
    assert_eq!(pushed.counts(), (4, AGENTS, 0), "{pushed:#?}");
    let gone = |verdict: &Verdict| matches!(verdict, Verdict::Unroutable | Verdict::Offline);
    assert!(pushed.failures().iter().all(|(_, verdict)| gone(verdict)), "{pushed:#?}");
    let took = Duration::from_millis(pushed.rollout().elapsed_ms);
    assert!(took < Duration::from_secs(30), "{took:?}");
}

async fn in_state(fleet: &Fleet, state: AgentState) -> Result<usize, String> {
    let agents = fleet.controller(0).agents().await?;
    Ok(agents.iter().filter(|agent| agent.state == state).count())
}
