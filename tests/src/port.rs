//! Free TCP ports that tests running side by side do not hand out twice.

use std::net::{Ipv4Addr, TcpListener};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};

use uuid::Uuid;

/// Below what Linux gives outgoing connections (from 32768), so that none of those sits on a claimed port.
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

/// A free port, this value's alone among all test processes of the machine until it is dropped.
///
/// The claim is an abstract Unix socket: it ends with the process and leaves no file.
#[derive(Debug)]
pub struct Port {
    number: u16,
    _claim: UnixListener,
}

impl Port {
    /// Claims a free port.
    ///
    /// # Panics
    /// When all are taken.
    pub fn claim() -> Self {
        let start = u16::try_from(Uuid::new_v4().as_u128() % u128::from(COUNT)).unwrap_or_default();
        (0..COUNT).map(|step| FIRST + (start + step) % COUNT).find_map(Self::claim_this).expect("a free port")
    }

    /// The port.
    pub fn number(&self) -> u16 {
        self.number
    }

    /// The port on this machine, as `127.0.0.1:PORT`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.number)
    }

    fn claim_this(number: u16) -> Option<Self> {
        let name = SocketAddr::from_abstract_name(format!("bellwether-tests-port-{number}")).ok()?;
        let claim = UnixListener::bind_addr(&name).ok()?;
        TcpListener::bind((Ipv4Addr::UNSPECIFIED, number)).ok()?;
        Some(Self { number, _claim: claim })
    }
}
