//! An agent that dies is missed soon, one that says goodbye at once, and each is told of once.

use std::time::{Duration, Instant};

use bellwether_proto::http::AgentState;
use bellwether_tests::{Fleet, always_for, eventually};

use crate::documents::{document, ports};
use crate::measured::promised;

/// The time to live of a beat, and a little to notice that it has ended.
const NOTICED: Duration = Duration::from_millis(3_500);
const CAUGHT_UP: Duration = Duration::from_secs(3);
/// Longer than the time to live: whoever would be called offline once more is by then.
const TIME_TO_LIVE_AND_MORE: Duration = Duration::from_millis(3_500);

#[tokio::test]
async fn a_killed_agent_is_offline_soon_is_told_of_once_and_catches_up_on_return() {
    let fleet = Fleet::shared().await.agents(3).start().await;
    assert_eq!(fleet.push(&document("shop", 8080), &[]).await.counts(), (0, 3, 3));
    fleet.wait_until_listening().await;

    let killed = Instant::now();
    fleet.agent("node-2").process().kill().await;
    wait_until(&fleet, "node-2", AgentState::Offline).await;
    promised("a killed agent is offline on both controllers", killed, NOTICED);
    assert_eq!(fleet.offline_events("node-2").await, 1);

    let pushed = fleet.push(&document("shop", 8081), &[]).await;
    assert_eq!(pushed.counts(), (0, 2, 2), "{pushed:#?}");
    let absent: Vec<_> = pushed.rollout().absent.iter().map(ToString::to_string).collect();
    assert_eq!(absent, ["node-2"]);
    assert_eq!(ports(&fleet.agent("node-2").current()), [8080]);

    fleet.agent("node-2").process().start_again();
    wait_until(&fleet, "node-2", AgentState::Online).await;
    let online = Instant::now();
    eventually("node-2 serves the new revision", async || {
        let (current, wanted) = (fleet.agent("node-2").current(), pushed.rollout().revision);
        let shown = fleet.controller(0).agent("node-2").await?;
        let caught_up = ports(&current) == [8081] && shown.revision == wanted && shown.converged;
        if caught_up { Ok(()) } else { Err(format!("{shown:#?} {current:#}")) }
    })
    .await;
    promised("a returned agent serves what it missed", online, CAUGHT_UP);

    assert_eq!(fleet.controller(1).rollouts().await.expect("a list").len(), 2, "nothing was sent again");
    for (agent, times) in [("node-1", 0), ("node-2", 1), ("node-3", 0)] {
        assert_eq!(fleet.offline_events(agent).await, times, "{agent}");
    }
}

#[tokio::test]
async fn an_agent_that_stops_says_goodbye_and_is_offline_at_once() {
    let fleet = Fleet::shared().await.agents(2).start().await;
    fleet.wait_until_listening().await;

    let stopped = Instant::now();
    let status = fleet.agent("node-1").process().terminate().await;
    assert_eq!(status.code(), Some(0), "{}", fleet.agent("node-1").process().log());
    wait_until(&fleet, "node-1", AgentState::Offline).await;
    eprintln!("measured: a stopped agent is offline on both controllers: {:.2?}", stopped.elapsed());

    let logs: String = fleet.controllers().iter().map(|it| it.process().log()).collect();
    assert_eq!(logs.matches("offline: it said goodbye agent=node-1").count(), 1, "{logs}");
    assert!(!logs.contains("offline: no beat"), "{logs}");
    let shown = fleet.controller(0).agent("node-1").await.expect("it is known");
    assert_eq!(shown.state, AgentState::Offline);

    always_for(TIME_TO_LIVE_AND_MORE, "it is told of once", async || {
        fleet.offline_events("node-1").await == 1 && fleet.offline_events("node-2").await == 0
    })
    .await;
}

/// Waits until every controller shows this agent in this state.
async fn wait_until(fleet: &Fleet, agent: &str, state: AgentState) {
    eventually(format!("{agent} is {state} on every controller"), async || {
        for controller in fleet.controllers() {
            let shown = controller.agent(agent).await?;
            if shown.state != state {
                return Err(format!("{shown:#?}"));
            }
        }
        Ok(())
    })
    .await;
}
