//! IP addresses of listeners and endpoints.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use crate::error::Error;
use crate::newtype::serde_as_text;

/// Where a listener binds: a unicast address of the node, or all of them (`0.0.0.0`, `::`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ListenerAddress(IpAddr);

/// Where a backend's endpoint is: a unicast address, never unspecified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EndpointAddress(IpAddr);

serde_as_text!(ListenerAddress);
serde_as_text!(EndpointAddress);

impl ListenerAddress {
    /// The address.
    pub fn ip(self) -> IpAddr {
        self.0
    }

    /// Whether this stands for every address of the node.
    pub fn is_wildcard(self) -> bool {
        self.0.is_unspecified()
    }

    /// Whether both cannot be bound on one port: equal, or one of them every address.
    pub fn overlaps(self, other: Self) -> bool {
        self == other || self.is_wildcard() || other.is_wildcard()
    }
}

impl Default for ListenerAddress {
    fn default() -> Self {
        Self(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
    }
}

impl EndpointAddress {
    /// The address.
    pub fn ip(self) -> IpAddr {
        self.0
    }
}

impl FromStr for ListenerAddress {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        const RULE: &str = "write an IP address of the node in its shortest form, or 0.0.0.0 or :: for all; \
                            no name, zone, multicast, link-local or IPv4-mapped address";
        canonical_unicast(text).map(Self).ok_or_else(|| Error::invalid("a listener address", text, RULE))
    }
}

impl FromStr for EndpointAddress {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        const RULE: &str = "write the IP address of one server in its shortest form; \
                            no name, zone, multicast, link-local, IPv4-mapped or unspecified address";
        canonical_unicast(text)
            .filter(|ip| !ip.is_unspecified())
            .map(Self)
            .ok_or_else(|| Error::invalid("an endpoint address", text, RULE))
    }
}

impl fmt::Display for ListenerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for EndpointAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An address in the one spelling that it prints as, that packets can be sent to or received on without a zone.
fn canonical_unicast(text: &str) -> Option<IpAddr> {
    let ip: IpAddr = text.parse().ok()?;
    let usable = match ip {
        IpAddr::V4(v4) => is_usable_v4(v4),
        IpAddr::V6(v6) => is_usable_v6(v6),
    };
    (usable && ip.to_string() == text).then_some(ip)
}

fn is_usable_v4(ip: Ipv4Addr) -> bool {
    !(ip.is_multicast() || ip.is_link_local() || ip.is_broadcast())
}

fn is_usable_v6(ip: Ipv6Addr) -> bool {
    !(ip.is_multicast() || ip.is_unicast_link_local() || ip.to_ipv4_mapped().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_canonical_spelling_is_an_address() {
        for good in ["10.0.0.1", "127.0.0.1", "::1", "2001:db8::1", "64:ff9b::a00:1"] {
            assert!(good.parse::<EndpointAddress>().is_ok(), "{good}");
        }
        for bad in [
            "010.0.0.1",
            "10.1",
            "0x7f000001",
            "::0001",
            "2001:DB8::1",
            "0:0:0:0:0:0:0:1",
            "::ffff:10.0.0.1",
            "[::1]",
            "fe80::1",
            "fe80::1%eth0",
            "169.254.1.1",
            "224.0.0.1",
            "ff02::1",
            "255.255.255.255",
            "localhost",
            "",
            "10.0.0.1\n",
            " 10.0.0.1",
            "unix@/x",
            "fd@3",
        ] {
            assert!(bad.parse::<EndpointAddress>().is_err(), "{bad:?}");
            assert!(bad.parse::<ListenerAddress>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn only_a_listener_may_be_everywhere() {
        for any in ["0.0.0.0", "::"] {
            assert!(any.parse::<ListenerAddress>().is_ok_and(ListenerAddress::is_wildcard));
            assert!(any.parse::<EndpointAddress>().is_err());
        }
    }
}
