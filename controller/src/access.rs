//! Who may use the HTTP API, and where it may be served so.

use crate::ApiKeys;
use std::net::SocketAddr;

/// Who may use the HTTP API.
#[derive(Clone, Debug, Default)]
pub enum Access {
    /// Whoever is on this machine: served on loopback only.
    #[default]
    Local,
    /// Whoever reaches it, because an operator said so.
    Anyone,
    /// Whoever has one of these keys.
    Keys(ApiKeys),
}

/// The API would be open to people that nobody let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} can be reached from other machines, and the API asks for no key")]
pub struct Exposed(SocketAddr);

/// Two settings that contradict each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there are API keys, and anybody is to be let in without one")]
pub struct Contradiction;

impl Access {
    /// What an operator asks for. Without keys, nobody but this machine is let in unless that was said.
    ///
    /// # Errors
    /// When keys are given and anybody is to be let in.
    pub fn asked_for(keys: Option<ApiKeys>, allow_anonymous: bool) -> Result<Self, Contradiction> {
        match (keys, allow_anonymous) {
            (Some(_), true) => Err(Contradiction),
            (Some(keys), false) => Ok(Self::Keys(keys)),
            (None, true) => Ok(Self::Anyone),
            (None, false) => Ok(Self::Local),
        }
    }

    /// Whether the API may be served so at this address.
    ///
    /// # Errors
    /// When it would be open to people that nobody let in.
    pub fn may_be_served_at(&self, address: SocketAddr) -> Result<(), Exposed> {
        match self {
            Self::Keys(_) | Self::Anyone => Ok(()),
            Self::Local if address.ip().to_canonical().is_loopback() => Ok(()),
            Self::Local => Err(Exposed(address)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOPBACK: [&str; 4] = ["127.0.0.1:7400", "127.8.8.8:7400", "[::1]:7400", "[::ffff:127.0.0.1]:7400"];
    const ELSEWHERE: [&str; 6] = [
        "0.0.0.0:7400",
        "[::]:7400",
        "10.0.0.5:7400",
        "192.168.1.1:7400",
        "[fe80::1]:7400",
        "[::ffff:10.0.0.5]:7400",
    ];

    fn keys() -> Option<ApiKeys> {
        Some(ApiKeys::parse("a-key-of-sixteen").unwrap())
    }

    #[test]
    fn without_a_key_only_loopback_is_served() {
        let access = Access::asked_for(None, false).unwrap();
        for address in LOOPBACK {
            assert_eq!(access.may_be_served_at(address.parse().unwrap()), Ok(()), "{address}");
        }
        for address in ELSEWHERE {
            let address = address.parse().unwrap();
            assert_eq!(access.may_be_served_at(address), Err(Exposed(address)));
        }
    }

    #[test]
    fn with_a_key_or_when_told_so_every_address_is_served() {
        for access in [Access::asked_for(keys(), false), Access::asked_for(None, true)] {
            for address in LOOPBACK.into_iter().chain(ELSEWHERE) {
                assert_eq!(access.as_ref().unwrap().may_be_served_at(address.parse().unwrap()), Ok(()));
            }
        }
    }

    #[test]
    fn keys_that_nobody_would_be_asked_for_are_a_mistake() {
        assert!(Access::asked_for(keys(), true).is_err());
    }
}
