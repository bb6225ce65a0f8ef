//! A backend that answers with what it was asked.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// Backends that answer until this is dropped.
#[derive(Default)]
pub(crate) struct Echoes(JoinSet<()>);

impl Echoes {
    /// One more, at this address.
    pub(crate) async fn add(&mut self, at: SocketAddr) {
        self.add_checked(at, Arc::new(AtomicBool::new(true))).await;
    }

    /// The same; while it is not well it says so where it is checked, and answers everybody else all the same.
    pub(crate) async fn add_checked(&mut self, at: SocketAddr, well: Arc<AtomicBool>) {
        let listener = TcpListener::bind(at).await.unwrap_or_else(|error| panic!("{at}: {error}"));
        self.0.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                connections.spawn(answer(stream, at.port(), well.clone()));
                while connections.try_join_next().is_some() {}
            }
        });
    }
}

/// Answers request after request; bodies are none of its business.
async fn answer(stream: TcpStream, port: u16, well: Arc<AtomicBool>) {
    let _ = stream.set_nodelay(true);
    let mut stream = BufReader::new(stream);
    while let Some(head) = read_head(&mut stream).await {
        let body = told(&head, port).to_string();
        let is_check = head.first().is_some_and(|line| line.contains(" /healthz "));
        let status = if is_check && !well.load(Ordering::Relaxed) { "500 Unwell" } else { "200 OK" };
        let reply = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        if stream.write_all(reply.as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn read_head(stream: &mut BufReader<TcpStream>) -> Option<Vec<String>> {
    let mut head = Vec::new();
    loop {
        let mut line = Vec::new();
        match stream.read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return None,
            Ok(_) => {}
        }
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        if line.is_empty() {
            return Some(head);
        }
        head.push(line);
    }
}

fn told(head: &[String], port: u16) -> Value {
    let target = head.first().and_then(|line| line.split(' ').nth(1));
    let header = |name: &str| {
        let fields = head.iter().filter_map(|line| line.split_once(':'));
        fields.filter(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).next()
    };
    json!({"port": port, "target": target, "host": header("host")})
}
