//! No request is lost while sets come and go.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bellwether_tests::{Fleet, eventually};
use rustix::process::{Pid, Signal, kill_process};
use tokio::task::JoinSet;

use crate::client::send;
use crate::echo::Echoes;
use crate::fixture::{Proxy, own_address, pids};
use crate::load::{Seen, document, keep_alive, new_connections};

const RELOADS: u64 = 100;
const REQUESTS: usize = 20_000;
/// Clients of each kind.
const CLIENTS: usize = 4;

#[tokio::test(flavor = "multi_thread")]
async fn over_a_hundred_reloads_no_request_is_lost() {
    let mut proxy = Proxy::new();
    let shop = document(proxy.address, "shop", 8080, 7000);
    let mut echoes = Echoes::default();
    echoes.add(proxy.at(7000)).await;
    proxy.apply(&[(&shop, 1)]).await.unwrap();
    let (seen, at) = (Arc::new(Seen::default()), proxy.at(8080));
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        clients.spawn(new_connections(at, seen.clone()));
        clients.spawn(keep_alive(at, seen.clone()));
    }
    for revision in 2..2 + RELOADS {
        let before = proxy.pids("worker");
        proxy.apply(&[(&shop, revision)]).await.unwrap();
        assert_ne!(proxy.pids("worker"), before, "a set is loaded each time");
    }
    eventually("there were enough requests", async || match seen.answered.load(Ordering::Relaxed) {
        enough if enough >= REQUESTS => Ok(()),
        so_far => Err(format!("{so_far}")),
    })
    .await;
    seen.stop.store(true, Ordering::Relaxed);
    clients.join_all().await;
    let (answered, failed) = (seen.answered.load(Ordering::Relaxed), seen.failed.load(Ordering::Relaxed));
    assert_eq!(failed, 0, "of {answered}");
}

/// Three agents, one of whose proxies dies: whoever asks gets no answer, or the right one.
#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_is_killed_comes_back_and_nobody_ever_sees_a_wrong_backend() {
    let mut echoes = Echoes::default();
    let (behind, nodes) = (own_address(), [own_address(), own_address(), own_address()]);
    for port in [7001, 7002] {
        echoes.add(SocketAddr::new(behind.into(), port)).await;
    }
    let mut fleet = Fleet::shared().await;
    for (number, node) in (1..).zip(nodes) {
        let arguments = ["--driver", "haproxy", "--bind", &node.to_string(), "--stop-proxy"];
        fleet = fleet.agent(&format!("node-{number}"), &arguments);
    }
    let fleet = fleet.start().await;
    let pushed = |port: u16, backend: u16| document(behind, "shop", port, backend).to_yaml();
    assert_eq!(fleet.push(&pushed(8080, 7001), &["--timeout", "60s"]).await.counts(), (0, 3, 3));

    // 8080 leads to the first backend for ever, 9090 to the second.
    let wrong = Arc::new(Seen::default());
    let mut clients = JoinSet::new();
    for (node, (port, backend)) in
        nodes.into_iter().flat_map(|node| [(8080, 7001), (9090, 7002)].map(|it| (node, it)))
    {
        let (at, seen) = (SocketAddr::new(node.into(), port), wrong.clone());
        clients.spawn(async move {
            while seen.goes_on() {
                let reply = send(at, b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await;
                let Ok(reply) = reply else { continue };
                // None at all is a connection that the kill has cut off.
                seen.note(reply.status == 0 || reply.echo["port"] == backend);
            }
        });
    }
    let victim = fleet.agent("node-2").state_dir();
    for pid in pids(victim, "worker") {
        kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
    }
    assert_eq!(fleet.push(&pushed(9090, 7002), &["--timeout", "60s"]).await.counts(), (0, 3, 3));
    for node in nodes {
        let at = SocketAddr::new(node.into(), 9090);
        let reply = send(at, b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await.unwrap();
        assert_eq!(reply.echo["port"], 7002);
    }
    fleet.wait_until_converged().await;
    wrong.stop.store(true, Ordering::Relaxed);
    clients.join_all().await;
    assert_eq!(wrong.failed.load(Ordering::Relaxed), 0);
    assert!(wrong.answered.load(Ordering::Relaxed) > 100);
}
