//! `get`, `status`, `agents NAME` and `agents forget` against a fleet of the product's own programs.

use bellwether_proto::http::{AgentDetail, AgentState, StatusView};
use bellwether_tests::{Fleet, eventually};
use serde_json::Value;

const SHOP: &str = include_str!("../../examples/shop.yaml");

#[tokio::test]
async fn what_get_prints_is_pushed_again_as_the_same_document() {
    let fleet = Fleet::shared().await.agents(1).start().await;
    assert_eq!(fleet.push(SHOP, &["--author", "ann"]).await.counts(), (0, 1, 1));
    let first = fleet.controller(0).get("/v1/configs/shop").await.expect("it answers");
    assert_eq!(
        (first.status, &first.body["author"], &first.body["revision"]),
        (200, &"ann".into(), &1.into())
    );
    let printed = fleet.command(&["get", "shop"]).await;
    assert_eq!(fleet.push(&printed.stdout, &[]).await.counts(), (0, 1, 1));
    let printed_as_json = fleet.command(&["get", "shop", "-o", "json"]).await;
    let second: Value = serde_json::from_str(&printed_as_json.stdout).expect("JSON");
    for same in ["name", "digest", "config"] {
        assert_eq!(first.body[same], second[same], "{same}");
    }
    assert_eq!(second["revision"], 2);

    let missing = fleet.command(&["get", "nobody"]).await;
    assert_eq!((missing.code, missing.stdout.as_str()), (1, ""), "{missing:?}");
}

#[tokio::test]
async fn the_status_counts_who_serves_what() {
    let fleet = Fleet::shared().await.agent("node-1", &["--label", "zone=eu"]).agent("node-2", &[]);
    let fleet = fleet.start().await;
    let for_eu = format!("{SHOP}\n  selector: zone=eu\n");
    assert_eq!(fleet.push(&for_eu, &[]).await.counts(), (0, 1, 1));
    fleet.wait_until_converged().await;
    let status: StatusView =
        fleet.controller(1).get("/v1/status").await.expect("it answers").read().expect("a status");
    assert_eq!((status.fleet.as_str(), status.revision.get()), (fleet.name(), 1));
    assert_eq!((status.agents.online, status.agents.all(), status.converged), (2, 2, 2), "{status:#?}");
    let [shop] = status.configs.as_slice() else { panic!("{status:#?}") };
    assert_eq!((shop.name.as_str(), shop.agents, shop.converged), ("shop", 1, 1));
    assert_eq!(status.controllers.len(), 2);
    assert!(status.oldest_beat_age_ms.is_some_and(|age| age < 3_000), "{status:#?}");
    let page = fleet.command(&["status"]).await;
    assert!(page.stdout.contains("2 agents: 2 online; 2 of 2 converged"), "{}", page.stdout);
}

#[tokio::test]
async fn an_agent_is_shown_in_detail_and_forgotten_only_when_it_is_offline() {
    let fleet = Fleet::shared().await.agents(2).start().await;
    assert_eq!(fleet.push(SHOP, &[]).await.code, 0);
    fleet.wait_until_converged().await;
    let (one, other) = (fleet.controller(0), fleet.controller(1));
    let detail: AgentDetail =
        one.get("/v1/agents/node-1").await.expect("it answers").read().expect("an agent");
    assert_eq!((detail.agent.state, detail.agent.converged), (AgentState::Online, true));
    assert_eq!(detail.desired_digest, detail.agent.digest);
    let desired: Vec<_> = detail.desired.iter().map(|at| (at.name.as_str(), at.revision.get())).collect();
    assert_eq!(desired, [("shop", 1)]);

    let refused = other.delete("/v1/agents/node-1").await.expect("it answers");
    assert_eq!((refused.status, refused.kind.as_str()), (409, "application/problem+json"));
    assert!(refused.body["detail"].as_str().is_some_and(|text| text.contains("online")), "{refused:?}");
    assert_eq!(fleet.command(&["agents", "forget", "node-1"]).await.code, 1);

    fleet.agent("node-1").process().terminate().await;
    eventually("it is offline", async || {
        one.agent("node-1").await.is_ok_and(|agent| agent.state == AgentState::Offline)
    })
    .await;
    let forgotten = fleet.command(&["agents", "forget", "node-1"]).await;
    assert_eq!((forgotten.code, forgotten.stdout.as_str()), (0, "node-1 is forgotten\n"));
    for controller in fleet.controllers() {
        assert_eq!(controller.get("/v1/agents/node-1").await.expect("it answers").status, 404);
        assert_eq!(controller.delete("/v1/agents/node-1").await.expect("it answers").status, 404);
        assert_eq!(controller.agents().await.expect("a list").len(), 1);
    }
    fleet.agent("node-1").process().start_again();
    fleet.wait_until_converged().await;
}
