//! An agent that is frozen holds nobody up, is missed in time, and comes back by itself.

use std::time::{Duration, Instant};

use bellwether_proto::http::Verdict;
use bellwether_tests::Fleet;

use crate::documents::{document, ports};
use crate::measured::promised;

const DEADLINE: Duration = Duration::from_secs(1);
/// The time to live of a beat, the time to answer when asked, and a little to notice that both have ended.
const NOTICED: Duration = Duration::from_secs(4);

#[tokio::test]
async fn a_frozen_agent_times_out_or_goes_offline_and_catches_up_when_it_thaws() {
    let fleet = Fleet::shared().await.agents(3).start().await;
    fleet.wait_until_listening().await;
    let frozen = fleet.agent("node-3");

    frozen.process().pause();
    let pushed = fleet.push(&document("shop", 8080), &["--timeout", "1s"]).await;
    assert_eq!(pushed.counts(), (3, 3, 2), "{pushed:#?}");
    assert_eq!(pushed.failures(), [("node-3", Verdict::TimedOut)]);
    let took = Duration::from_millis(pushed.rollout().elapsed_ms);
    eprintln!("measured: a push with --timeout 1s past a frozen agent: {took:.2?}");
    assert!((DEADLINE..DEADLINE * 2).contains(&took), "{took:?}");
    frozen.process().resume();
    fleet.wait_until_converged().await;
    assert_eq!(ports(&frozen.current()), [8080]);
    assert_eq!(fleet.offline_events("node-3").await, 0, "it was back in time");

    let paused = Instant::now();
    frozen.process().pause();
    let pushed = fleet.push(&document("shop", 8081), &[]).await;
    promised("an agent that freezes under a push is offline", paused, NOTICED);
    assert_eq!(pushed.counts(), (3, 3, 2), "{pushed:#?}");
    assert_eq!(pushed.failures(), [("node-3", Verdict::Offline)]);
    assert_eq!(fleet.offline_events("node-3").await, 1);

    frozen.process().resume();
    let resumed = Instant::now();
    fleet.wait_until_converged().await;
    eprintln!("measured: a thawed agent is online and converged: {:.2?}", resumed.elapsed());
    assert_eq!(ports(&frozen.current()), [8081]);
    assert_eq!(fleet.offline_events("node-3").await, 1);
}
