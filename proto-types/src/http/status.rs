//! How the fleet as a whole stands, and what became of adopting it.

use crate::{Fleet, StoreId};
use bellwether_ingress::{ConfigName, Revision};
use bellwether_rpc::Instance;
use serde::{Deserialize, Serialize};

/// The fleet, its store and its controllers, as `GET /v1/status` shows them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusView {
    /// The fleet.
    pub fleet: Fleet,
    /// The store.
    pub store_id: StoreId,
    /// The store's head: the highest revision it has given.
    pub revision: Revision,
    /// Whether agents follow what the store does not hold; until an operator adopts the fleet, nothing is sent.
    pub store_behind_fleet: bool,
    /// Why, and what to do; only while the store is behind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The highest revision that any agent reports and that can be believed; only while the store is behind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub highest_reported_revision: Option<Revision>,
    /// How many agents are known, by state.
    pub agents: AgentCounts,
    /// How many of them serve what they should, by their last beat.
    pub converged: usize,
    /// How often agents are told to beat, in milliseconds.
    #[serde(default)]
    pub beat_interval_ms: u64,
    /// How long a beat keeps an agent online, in milliseconds.
    #[serde(default)]
    pub time_to_live_ms: u64,
    /// How long ago that agent last beat which is not offline and has been silent for longest, in milliseconds; none
    /// when all are offline.
    pub oldest_beat_age_ms: Option<u64>,
    /// Every document.
    pub configs: Vec<ConfigStatus>,
    /// The controllers that are there.
    pub controllers: Vec<ControllerView>,
}

/// How many agents are in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentCounts {
    /// They beat.
    pub online: usize,
    /// They said goodbye, or fell silent while somebody listened.
    pub offline: usize,
    /// They are silent, and nobody can say why yet.
    pub unknown: usize,
}

impl AgentCounts {
    /// How many agents are known.
    #[must_use]
    pub fn all(self) -> usize {
        self.online + self.offline + self.unknown
    }
}

/// How far one document has got.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigStatus {
    /// The document.
    pub name: ConfigName,
    /// The revision at which the store took it.
    pub revision: Revision,
    /// How many of the agents that its selector chooses serve all that they should, this document included.
    pub converged: usize,
    /// How many agents its selector chooses.
    pub agents: usize,
}

/// A controller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControllerView {
    /// Its process.
    pub instance: Instance,
    /// Its version.
    pub version: String,
    /// Since when it has heard the fleet without a gap, in RFC 3339; none while it does not.
    pub listening_since: Option<String>,
}

/// What became of `POST /v1/adopt`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdoptionView {
    /// Whether anything was changed; if not, the store was not behind the fleet.
    pub adopted: bool,
    /// The store.
    pub store_id: StoreId,
    /// Its head from now on.
    pub revision: Revision,
    /// The stores whose place it takes, of which agents may come.
    pub succeeds: Vec<StoreId>,
    /// How many documents it holds: agents drop all others.
    pub configs: usize,
}
