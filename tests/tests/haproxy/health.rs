//! Servers that fail their health check get no requests, over a reload as well.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bellwether_ingress::IngressConfig;
use bellwether_tests::eventually;
use serde_json::json;

use crate::client::{first, send};
use crate::echo::Echoes;
use crate::failures;
use crate::fixture::{Proxy, moved};

/// Requests right after a reload, one after the other: long before the second server is checked again.
const AFTER_A_RELOAD: usize = 50;

fn checked(proxy: &Proxy) -> IngressConfig {
    let document = json!({
        "apiVersion": "bellwether/v1", "kind": "IngressConfig", "metadata": {"name": "shop"},
        "spec": {
            "listeners": [{"name": "web", "port": 8080, "protocol": "HTTP"}],
            "defaultBackend": {"name": "b"},
            "backends": [{
                "name": "b",
                "endpoints": [{"address": "127.0.0.1", "port": 7000}, {"address": "127.0.0.1", "port": 7001}],
                "healthCheck": {"type": "http", "path": "/healthz", "interval": "4s", "rise": 1, "fall": 1},
            }],
        },
    });
    moved(document, proxy.address)
}

async fn status(at: SocketAddr) -> u16 {
    send(at, b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await.map_or(0, |reply| reply.status)
}

async fn comes_to_answer(at: SocketAddr, expected: u16) {
    eventually(format!("it answers {expected}"), async || match status(at).await {
        seen if seen == expected => Ok(()),
        other => Err(other.to_string()),
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_healthy_server_the_answer_is_503_over_a_reload_too_until_one_is_well_again() {
    let (mut proxy, mut echoes) = (Proxy::new(), Echoes::default());
    let well = [(); 2].map(|()| Arc::new(AtomicBool::new(true)));
    for (port, well) in (7000..).zip(&well) {
        echoes.add_checked(proxy.at(port), well.clone()).await;
    }
    let (shop, at) = (checked(&proxy), proxy.at(8080));
    proxy.apply(&[(&shop, 1)]).await.unwrap();
    comes_to_answer(at, 200).await;

    well[0].store(false, Ordering::Relaxed);
    well[1].store(false, Ordering::Relaxed);
    comes_to_answer(at, 503).await;
    let asked = first(proxy.at(7000), b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    assert_eq!(asked.status, 200, "whoever asked it would be answered");

    let other = failures::document(&proxy, "other", 9090, "");
    proxy.apply(&[(&shop, 1), (&other, 2)]).await.unwrap();
    for _ in 0..AFTER_A_RELOAD {
        assert_eq!(status(at).await, 503, "it is remembered who is down");
    }

    well[1].store(true, Ordering::Relaxed);
    comes_to_answer(at, 200).await;
    let reply = send(at, b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await.unwrap();
    assert_eq!(reply.echo["port"], 7001);
}
