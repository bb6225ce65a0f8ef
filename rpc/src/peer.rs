//! One peer that a call to everyone expects an answer of.

use crate::Instance;
use std::sync::Arc;

/// A process of a service, by the peer's name and its instance.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Peer {
    /// The peer's name within the service.
    pub name: Arc<str>,
    /// The process of that name.
    pub instance: Instance,
}

impl Peer {
    /// The process `instance` of the name `name`.
    pub fn new(name: impl Into<Arc<str>>, instance: Instance) -> Self {
        Self { name: name.into(), instance }
    }
}
