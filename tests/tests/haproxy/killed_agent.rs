//! An agent is killed, and its HAProxy serves on until the next one takes it over.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bellwether_proto::http::{AgentState, AgentView};
use bellwether_tests::{Fleet, eventually};
use tokio::task::JoinSet;

use crate::client::send;
use crate::echo::Echoes;
use crate::fixture::{own_address, pids, reloads};
use crate::load::{Seen, document, keep_alive, new_connections};
use crate::node::Node;

const NAME: &str = "node-1";

/// Requests that have to be answered while there is no agent.
const REQUESTS: usize = 500;

/// An HAProxy: its processes, and how often it was reloaded.
fn haproxy(root: &Path) -> (Vec<i32>, Vec<i32>, u32) {
    (pids(root, "master"), pids(root, "worker"), reloads(root))
}

async fn comes_to_be(fleet: &Fleet, what: &str, is_so: impl Fn(&AgentView) -> bool) -> AgentView {
    eventually(what, async || match fleet.controller(0).agent(NAME).await? {
        agent if is_so(&agent) => Ok(agent),
        other => Err(format!("{other:#?}")),
    })
    .await
}

fn serves_what_it_should(agent: &AgentView) -> bool {
    agent.state == AgentState::Online && agent.converged && agent.last_error.is_none()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_agents_proxy_answers_every_request_and_the_next_agent_takes_it_over() {
    let (address, mut echoes) = (own_address(), Echoes::default());
    let at = |port| SocketAddr::new(address.into(), port);
    for port in [7000, 7002] {
        echoes.add(at(port)).await;
    }
    let fleet = Fleet::shared().await.controllers(1).start().await;
    fleet.wait_until_listening().await;
    let node = Node::start(&fleet, NAME, &["--driver", "haproxy", "--bind", &address.to_string()]).await;
    let first = comes_to_be(&fleet, "it is there", serves_what_it_should).await;
    let shop = document(address, "shop", 8080, 7000).to_yaml();
    assert_eq!(fleet.push(&shop, &["--timeout", "60s"]).await.counts(), (0, 1, 1));

    let (seen, mut clients) = (Arc::new(Seen::default()), JoinSet::new());
    clients.spawn(new_connections(at(8080), seen.clone()));
    clients.spawn(keep_alive(at(8080), seen.clone()));
    let root = node.state_dir();
    let before = haproxy(&root);
    assert_eq!((before.0.len(), before.1.len()), (1, 1), "{before:?}");
    node.kill_agent().await;
    let answered = seen.answered.load(Ordering::Relaxed);
    comes_to_be(&fleet, "its absence is noticed", |agent| agent.state == AgentState::Offline).await;
    eventually("requests are answered meanwhile", async || {
        seen.answered.load(Ordering::Relaxed) >= answered + REQUESTS
    })
    .await;
    assert!(!node.is_agent_alive());
    assert_eq!(haproxy(&root), before);

    node.start_agent_again().await;
    let taken_over = |agent: &AgentView| agent.instance != first.instance && serves_what_it_should(agent);
    comes_to_be(&fleet, "another has taken over", taken_over).await;
    assert_eq!(haproxy(&root), before, "without a reload");

    let other = document(address, "other", 9090, 7002).to_yaml();
    assert_eq!(fleet.push(&other, &["--timeout", "60s"]).await.counts(), (0, 1, 1));
    let reply = send(at(9090), b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await.unwrap();
    assert_eq!(reply.echo["port"], 7002);
    let after = haproxy(&root);
    assert_eq!((&after.0, after.2), (&before.0, before.2 + 1), "the same master, once more reloaded");
    assert_ne!(after.1, before.1);
    seen.stop.store(true, Ordering::Relaxed);
    clients.join_all().await;
    assert_eq!(seen.failed.load(Ordering::Relaxed), 0, "of {:?}", seen.answered);
}
