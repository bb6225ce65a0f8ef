//! Sees from outside whether a set serves: its probe answers its digest, and all its listeners accept.

use super::{render, socket};
use crate::driver::Record;
use futures_util::future::join_all;
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::Path,
    time::Duration,
};
use tokio::{net::TcpStream, time::timeout};

/// What one connection may take.
const PATIENCE: Duration = Duration::from_secs(1);

/// Whether the set serves, or what is seen instead.
pub(super) async fn look(root: &Path, record: &Record) -> Result<(), String> {
    answers(root, record).await?;
    let accepting = join_all(record.listeners.iter().map(|listening| accepts(listening.at)));
    accepting.await.into_iter().collect()
}

async fn answers(root: &Path, record: &Record) -> Result<(), String> {
    let expected = render::probe_answer(record.digest);
    let answer = socket::ask(&root.join(render::PROBE_SOCKET), "GET / HTTP/1.0\r\n\r").await;
    let answer = answer.map_err(|error| format!("the probe does not answer: {error}"))?;
    let body = answer.rsplit("\r\n\r\n").next().unwrap_or_default();
    if body == expected {
        return Ok(());
    }
    let seen: String = body.chars().filter(char::is_ascii_hexdigit).take(expected.len()).collect();
    Err(format!("the probe answers {seen:?} instead of {expected}"))
}

async fn accepts(at: SocketAddr) -> Result<(), String> {
    let to = SocketAddr::new(reachable(at.ip()), at.port());
    match timeout(PATIENCE, TcpStream::connect(to)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(format!("{at} does not accept: {error}")),
        Err(_) => Err(format!("{at} does not accept within {PATIENCE:?}")),
    }
}

/// Where one connects to reach who listens at `ip`.
fn reachable(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    }
}
