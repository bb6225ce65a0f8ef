//! Clients that ask all the while, each in its own way, and what they have seen.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use bellwether_ingress::IngressConfig;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::send;
use crate::fixture::moved;

/// A document all of whose requests on `port` go to `backend_port`, at one address.
pub(crate) fn document(address: Ipv4Addr, name: &str, port: u16, backend_port: u16) -> IngressConfig {
    let document = json!({
        "apiVersion": "bellwether/v1", "kind": "IngressConfig", "metadata": {"name": name},
        "spec": {
            "listeners": [{"name": "web", "port": port, "protocol": "HTTP"}],
            "defaultBackend": {"name": "b"},
            "backends": [{"name": "b", "endpoints": [{"address": "127.0.0.1", "port": backend_port}]}],
        },
    });
    moved(document, address)
}

/// What clients have seen.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) answered: AtomicUsize,
    pub(crate) failed: AtomicUsize,
    pub(crate) stop: AtomicBool,
}

impl Seen {
    pub(crate) fn note(&self, ok: bool) {
        let count = if ok { &self.answered } else { &self.failed };
        count.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn goes_on(&self) -> bool {
        !self.stop.load(Ordering::Relaxed)
    }
}

/// A connection for each request.
pub(crate) async fn new_connections(at: SocketAddr, seen: Arc<Seen>) {
    while seen.goes_on() {
        let reply = send(at, b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await;
        seen.note(reply.is_ok_and(|reply| reply.echo["port"] == 7000));
    }
}

/// Request after request on one connection; a new one only where the proxy has said that it closes.
pub(crate) async fn keep_alive(at: SocketAddr, seen: Arc<Seen>) {
    let mut stream = TcpStream::connect(at).await.unwrap();
    while seen.goes_on() {
        match ask(&mut stream).await {
            Some(head) => {
                seen.note(head.starts_with("HTTP/1.1 200"));
                if head.to_ascii_lowercase().contains("connection: close") {
                    stream = TcpStream::connect(at).await.unwrap();
                }
            }
            None => {
                seen.note(false);
                stream = TcpStream::connect(at).await.unwrap();
            }
        }
    }
}

/// One request; the whole answer, if there is one.
async fn ask(stream: &mut TcpStream) -> Option<String> {
    stream.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.ok()?;
    let mut answer = Vec::new();
    loop {
        if stream.read_buf(&mut answer).await.ok()? == 0 {
            return None;
        }
        let text = String::from_utf8_lossy(&answer);
        // The echo's answer is one line of JSON.
        if text.ends_with('}') {
            return Some(text.into_owned());
        }
    }
}
