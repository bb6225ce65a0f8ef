//! Where a message goes.

use crate::Instance;
use std::{fmt, sync::Arc};

/// Whom a request or a notification is for. What that means on a broker is the transport's business.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Address {
    /// Any one server of a service: they share a queue, the broker balances the load.
    Shared {
        /// The service's name.
        service: Arc<str>,
    },
    /// One peer of a service, by name. A peer that is not there is known at once.
    Peer {
        /// The service's name.
        service: Arc<str>,
        /// The peer's name within the service.
        name: Arc<str>,
        /// The process that is meant, when it is known: any other of that name answers `Unavailable`.
        instance: Option<Instance>,
    },
    /// Every peer of a service, by one publish.
    Everyone {
        /// The service's name.
        service: Arc<str>,
    },
}

impl Address {
    /// Any one server of `service`.
    pub fn shared(service: impl Into<Arc<str>>) -> Self {
        Self::Shared { service: service.into() }
    }

    /// The peer `name` of `service`.
    pub fn peer(service: impl Into<Arc<str>>, name: impl Into<Arc<str>>) -> Self {
        Self::Peer { service: service.into(), name: name.into(), instance: None }
    }

    /// Every peer of `service`.
    pub fn everyone(service: impl Into<Arc<str>>) -> Self {
        Self::Everyone { service: service.into() }
    }

    /// The same address, meant for one process alone. Only a peer's address has one.
    #[must_use]
    pub fn at_instance(self, meant: Instance) -> Self {
        match self {
            Self::Peer { service, name, .. } => Self::Peer { service, name, instance: Some(meant) },
            other => other,
        }
    }

    /// The process that is meant, when the address names one.
    #[must_use]
    pub fn instance(&self) -> Option<Instance> {
        match self {
            Self::Peer { instance, .. } => *instance,
            Self::Shared { .. } | Self::Everyone { .. } => None,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shared { service } => write!(f, "{service}"),
            Self::Peer { service, name, .. } => write!(f, "{service}/{name}"),
            Self::Everyone { service } => write!(f, "{service}/*"),
        }
    }
}

/// Where a reply goes: what a request said in `reply_to`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ReplyTo(pub Arc<str>);
