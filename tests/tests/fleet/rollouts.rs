//! Rollouts: the newer push wins, and any controller tells what became of each.

use std::path::Path;
use std::time::Duration;

use bellwether_proto::http::{RolloutState, Verdict};
use bellwether_tests::{Fleet, RabbitMq, eventually, folder};

use crate::documents::{document, ports};

#[tokio::test]
async fn a_push_that_a_newer_one_overtakes_is_superseded() {
    let gate = folder("gate");
    let check = wait_at(gate.path());
    let args = ["--check", check.as_str(), "--check-timeout", "60s"];
    let fleet = Fleet::shared().await.agent("node-1", &args).agent("node-2", &args).start().await;
    let [one, other] = [fleet.controller(0), fleet.controller(1)];
    let push = async |controller: &bellwether_tests::Controller, port| {
        controller.begin_push("shop", &document("shop", port), "?timeout=60s").await.expect("accepted")
    };

    close(gate.path());
    let first = push(one, 8080).await;
    eventually("both agents check the first", async || waiting(gate.path()) == 2).await;
    let (second, third) = (push(one, 8081).await, push(other, 8082).await);
    eventually("both agents have all three", async || unanswered(fleet.name()).await).await;
    open(gate.path());

    for (rollout, verdict) in
        [(&first, Verdict::Applied), (&second, Verdict::Superseded), (&third, Verdict::Applied)]
    {
        let done = other.rollout(rollout.rollout, "?wait=30s").await.expect("it is kept");
        assert_eq!((done.state, done.count(verdict)), (RolloutState::Done, 2), "{done:#?}");
    }
    fleet.wait_until_converged().await;
    for agent in fleet.agents() {
        assert_eq!(ports(&agent.current()), [8082]);
    }
}

#[tokio::test]
async fn any_controller_tells_of_a_rollout_and_waits_for_its_end() {
    let fleet = Fleet::shared().await.agents(2).start().await;
    let [one, other] = [fleet.controller(0), fleet.controller(1)];
    let older = fleet.push(&document("shop", 8080), &[]).await;
    assert_eq!(older.counts(), (0, 2, 2));

    fleet.agent("node-2").process().pause();
    let newer = one.begin_push("shop", &document("shop", 8081), "?timeout=2s").await.expect("accepted");
    let meanwhile = other.rollout(newer.rollout, "").await.expect("it is kept from the start");
    assert_eq!((meanwhile.state, meanwhile.targets), (RolloutState::Running, 2));
    let done = other.rollout(newer.rollout, "?wait=30s").await.expect("it is kept");
    fleet.agent("node-2").process().resume();
    assert_eq!(done.state, RolloutState::Done);
    assert_eq!((done.count(Verdict::Applied), done.count(Verdict::TimedOut)), (1, 1), "{done:#?}");
    assert!(Duration::from_millis(done.elapsed_ms) >= Duration::from_secs(2), "{done:#?}");
    assert!(newer.revision > older.rollout().revision);

    for controller in fleet.controllers() {
        let listed = controller.rollouts().await.expect("a list");
        let ids: Vec<_> = listed.iter().map(|rollout| rollout.rollout).collect();
        assert_eq!(ids, [newer.rollout, older.rollout().rollout]);
        assert!(listed.iter().all(|rollout| rollout.failures.is_none()), "{listed:#?}");
    }
    let shown = fleet.command(&["rollouts", &newer.rollout.to_string(), "--output", "json"]).await;
    assert_eq!((shown.code, shown.stderr.as_str()), (0, ""));
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&shown.stdout).ok(),
        serde_json::to_value(&done).ok()
    );
}

/// A check that says that it is there, and ends when the gate is open.
fn wait_at(gate: &Path) -> String {
    let gate = gate.display();
    format!(
        "test -e {gate}/closed || exit 0; touch {gate}/waits-$$; while test -e {gate}/closed; do sleep 0.05; done"
    )
}

fn close(gate: &Path) {
    std::fs::write(gate.join("closed"), "").expect("our own folder");
}

fn open(gate: &Path) {
    std::fs::remove_file(gate.join("closed")).expect("it was closed");
}

/// How many checks have come to the gate.
fn waiting(gate: &Path) -> usize {
    let entries = std::fs::read_dir(gate).expect("our own folder").flatten();
    entries.filter(|entry| entry.file_name().to_string_lossy().starts_with("waits-")).count()
}

/// Whether both agents have three requests that they have not answered yet.
async fn unanswered(fleet: &str) -> Result<(), String> {
    let listed = RabbitMq::shared().await.ctl(&["list_queues", "name", "messages_unacknowledged"]).await;
    let of_agents = format!("bellwether.{fleet}.agent.");
    let waiting: Vec<&str> = listed.lines().filter(|line| line.starts_with(&of_agents)).collect();
    let three = |line: &&str| line.split_whitespace().last() == Some("3");
    if waiting.len() == 2 && waiting.iter().all(three) { Ok(()) } else { Err(format!("{waiting:#?}")) }
}
