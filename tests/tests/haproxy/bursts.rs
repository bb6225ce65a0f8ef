//! Many pushes at once become few reloads, and each learns what became of it.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use bellwether_ingress::Revision;
use bellwether_proto::http::{RolloutState, RolloutView, Verdict};
use bellwether_tests::Fleet;
use futures_util::future::join_all;

use crate::client::send;
use crate::fixture::{own_address, reloads};

/// Pushes of one document, and of as many others.
const EACH: u16 = 10;

/// A document whose path leads to nobody, which is answered by 503; any other path is answered by 404.
fn document(name: &str, port: u16, path: &str) -> String {
    format!(
        "\
apiVersion: bellwether/v1
kind: IngressConfig
metadata: {{name: {name}}}
spec:
  listeners: [{{name: web, port: {port}, protocol: HTTP}}]
  rules: [{{http: {{paths: [{{pathType: Exact, path: {path}, backend: {{name: nobody}}}}]}}}}]
  backends: [{{name: nobody, endpoints: []}}]
"
    )
}

fn path(number: u16) -> String {
    format!("/push-{number}")
}

async fn serves(at: SocketAddr, path: &str) -> bool {
    let request = format!("GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    send(at, request.as_bytes()).await.unwrap().status == 503
}

/// Pushes a document, and waits for all that becomes of it.
async fn push(fleet: &Fleet, name: &str, yaml: &str) -> RolloutView {
    let controller = fleet.controller(0);
    let begun = controller.begin_push(name, yaml, "?timeout=60s").await.unwrap();
    let rollout = controller.rollout(begun.rollout, "?wait=60s").await.unwrap();
    assert!(rollout.state == RolloutState::Done && rollout.targets == 1, "{rollout:#?}");
    rollout
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_of_pushes_is_merged_into_few_reloads_and_each_gets_its_true_verdict() {
    let node = own_address();
    let arguments = ["--driver", "haproxy", "--bind", &node.to_string(), "--stop-proxy"];
    let fleet = Fleet::shared().await.controllers(1).agent("node-1", &arguments).start().await;
    let root = fleet.agent("node-1").state_dir();
    let at = |port| SocketAddr::new(node.into(), port);
    // HAProxy runs, and is not yet to be started.
    push(&fleet, "shop", &document("shop", 8080, "/begin")).await;
    let before = reloads(root);

    let same = join_all((0..EACH).map(|number| {
        let fleet = &fleet;
        async move { (push(fleet, "shop", &document("shop", 8080, &path(number))).await, number) }
    }));
    let others = join_all((0..EACH).map(|number| {
        let (fleet, name) = (&fleet, format!("other-{number}"));
        async move { push(fleet, &name, &document(&name, 9000 + number, &path(number))).await }
    }));
    let (same, others) = tokio::join!(same, others);

    let reloaded = reloads(root) - before;
    assert!((1..=u32::from(EACH)).contains(&reloaded), "{} pushes: {reloaded} reloads", 2 * EACH);
    for (rollout, number) in others.iter().zip(0..) {
        assert_eq!(rollout.count(Verdict::Applied), 1, "{rollout:#?}");
        assert!(serves(at(9000 + number), &path(number)).await, "{number}");
    }
    only_the_last_one_serves(at(8080), &same).await;
    fleet.wait_until_converged().await;
}

/// Of pushes of one document the last one was applied and serves; each before it was applied, or overtaken.
async fn only_the_last_one_serves(at: SocketAddr, pushes: &[(RolloutView, u16)]) {
    let by_revision: BTreeMap<Revision, _> = pushes.iter().map(|it| (it.0.revision, it)).collect();
    assert_eq!(by_revision.len(), pushes.len(), "each has a revision of its own: {pushes:#?}");
    for (rollout, _) in by_revision.values() {
        let outcomes = rollout.count(Verdict::Applied) + rollout.count(Verdict::Superseded);
        assert_eq!(outcomes, 1, "{rollout:#?}");
    }
    let superseded = pushes.iter().filter(|(rollout, _)| rollout.count(Verdict::Superseded) == 1).count();
    assert!(superseded > 0, "nothing was overtaken: {pushes:#?}");
    let (last, number) = by_revision.values().next_back().unwrap();
    assert_eq!(last.count(Verdict::Applied), 1, "{last:#?}");
    for (_, other) in pushes {
        assert_eq!(serves(at, &path(*other)).await, other == number, "{other}, where {number} was the last");
    }
}
