//! What an agent is told about itself.

use bellwether_ingress::Labels;
use bellwether_program::metrics::Metrics;
use bellwether_proto::AgentName;
use std::{net::SocketAddr, time::Duration};

/// What an agent is told about itself. Its instance is that of the connection.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Its name, unique within the fleet.
    pub name: AgentName,
    /// Its labels, which selectors choose by.
    pub labels: Labels,
    /// Its version, as it says it.
    pub version: String,
    /// How often to beat, until a controller assigns something else; 1 s.
    pub interval: Duration,
    /// How long the goodbye may take on shutdown; 1 s.
    pub goodbye: Duration,
    /// How long a change that is being applied on shutdown may take to finish; 10 s.
    pub drain: Duration,
    /// Where to say over HTTP how it is; nowhere unless it is given.
    pub health_listen: Option<SocketAddr>,
    /// What `/metrics` shows there; nothing where several agents share a process.
    pub metrics: Option<Metrics>,
}

impl Settings {
    /// An agent without labels, with the defaults.
    #[must_use]
    pub fn new(name: AgentName) -> Self {
        Self {
            name,
            labels: Labels::default(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            interval: Duration::from_secs(1),
            goodbye: Duration::from_secs(1),
            drain: Duration::from_secs(10),
            health_listen: None,
            metrics: None,
        }
    }
}
