//! Finds out whether a set can listen where it wants to, before HAProxy finds out: it would stop all that it serves for
//! seconds while it tries again.

use crate::driver::{Listening, Refused};
use std::{
    io,
    net::{SocketAddr, TcpListener},
};
use tokio::net::TcpSocket;

/// The documents that listen where somebody else does, or where this node has no address. `before` is where the
/// proxy listens already, if that is known.
pub(super) fn taken(wanted: &[Listening], before: Option<&[Listening]>) -> Vec<Refused> {
    let mut refused: Vec<Refused> = Vec::new();
    let is_ours = |at| before.is_some_and(|before| before.iter().any(|there| overlap(at, there.at)));
    for listening in wanted.iter().filter(|it| !is_ours(it.at)) {
        let Some(words) = obstacle(listening.at, before.is_none()) else { continue };
        for document in &listening.documents {
            if !refused.iter().any(|it| it.document == *document) {
                refused.push(Refused { document: document.clone(), words: words.clone() });
            }
        }
    }
    refused
}

/// What keeps others from listening at `at`. That this agent may not, and its proxy may, is no obstacle; nor is who
/// shares the place, as HAProxy does, where it is not known whether that is our own.
fn obstacle(at: SocketAddr, may_share: bool) -> Option<String> {
    let error = TcpListener::bind(at).err()?;
    match error.kind() {
        io::ErrorKind::AddrInUse if may_share && shared(at).is_ok() => None,
        io::ErrorKind::AddrInUse => Some(format!("{at} is in use by another program")),
        io::ErrorKind::AddrNotAvailable => Some(format!("{} is no address of this node", at.ip())),
        _ => None,
    }
}

fn shared(at: SocketAddr) -> io::Result<()> {
    let socket = if at.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.set_reuseport(true)?;
    socket.bind(at)
}

/// Whether the proxy itself may be what keeps a place.
fn overlap(one: SocketAddr, other: SocketAddr) -> bool {
    let (a, b) = (one.ip(), other.ip());
    one.port() == other.port() && (a == b || a.is_unspecified() || b.is_unspecified())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listening(at: SocketAddr, document: &str) -> Listening {
        Listening { at, documents: vec![document.parse().unwrap()] }
    }

    #[tokio::test]
    async fn a_taken_port_is_the_fault_of_who_wants_it_unless_the_proxy_has_it() {
        let other = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = other.local_addr().unwrap();
        let wanted = [listening(at, "shop"), listening("192.0.2.1:1".parse().unwrap(), "away")];
        let refused = taken(&wanted, None);
        let names: Vec<_> = refused.iter().map(|it| it.document.as_str()).collect();
        assert_eq!(names, ["shop", "away"]);
        assert_eq!(refused[0].words, format!("{at} is in use by another program"));
        let everywhere = SocketAddr::new("0.0.0.0".parse().unwrap(), at.port());
        assert_eq!(taken(&wanted[..1], Some(&[listening(everywhere, "before")])), []);
        drop(other);
        assert_eq!(taken(&wanted[..1], Some(&[])), []);
    }
}
