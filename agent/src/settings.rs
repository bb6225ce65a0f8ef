//! What an agent is told about itself.

use bellwether_ingress::Labels;
use bellwether_proto::AgentName;
use std::time::Duration;

/// What an agent is told about itself. Its instance is that of the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
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
        }
    }
}
