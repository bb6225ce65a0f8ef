//! The service `Controller`: what agents ask of any controller, over the shared queue.

use crate::{AgentName, DOCUMENT_BYTES, Known, SMALL_BYTES, StoreHead};
use bellwether_ingress::{ConfigName, Digest, IngressConfig, Labels, Revision};
use bellwether_rpc::{Address, Context, Fault, Generation, Instance};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The service's name in addresses.
pub const SERVICE: &str = "controller";

/// Any controller of the fleet.
#[must_use]
pub fn address() -> Address {
    Address::shared(SERVICE)
}

/// The most bytes of documents in one answer to [`Controller::get_ingress_configs`]; a single larger document still fits.
pub const CONFIGS_BYTES: usize = 4 * 1024 * 1024;

/// What an agent asks of any controller.
#[bellwether_rpc::service]
pub trait Controller {
    /// Hears that an agent is alive, and what it serves; the answer says what it should serve.
    #[method(notification, queued, largest = SMALL_BYTES)]
    async fn online_agent(&self, cx: &Context, beat: Beat) -> Result<BeatReply, Fault>;

    /// Hears that an agent stops on purpose.
    #[method(notification, largest = SMALL_BYTES)]
    async fn offline_agent(&self, cx: &Context, goodbye: Goodbye) -> Result<(), Fault>;

    /// Gives what an agent should serve and lacks.
    #[method(largest = DOCUMENT_BYTES)]
    async fn get_ingress_configs(&self, cx: &Context, have: GetConfigs) -> Result<ConfigsPage, Fault>;
}

/// What a beat says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beat {
    /// The agent.
    pub name: AgentName,
    /// Its process.
    pub instance: Instance,
    /// Which connection of that process.
    pub generation: Generation,
    /// The agent's version.
    pub version: String,
    /// Its labels, which selectors choose by.
    #[serde(default)]
    pub labels: Labels,
    /// What it has taken and serves: `store_id`, `revision`, `digest`.
    #[serde(flatten)]
    pub known: Known,
    /// Why it does not serve what it should, if so.
    #[serde(default)]
    pub last_error: Option<String>,
}

/// The answer to a beat that asked for one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BeatReply {
    /// The store: `store_id`, `succeeds`, `revision`.
    #[serde(flatten)]
    pub head: StoreHead,
    /// The digest of the set that this agent should serve.
    pub digest: Digest,
    /// When to beat next, in milliseconds.
    pub next_beat_ms: u64,
}

/// What a goodbye says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Goodbye {
    /// The agent.
    pub name: AgentName,
    /// The process that stops.
    pub instance: Instance,
}

/// What an agent has, so that it is sent only what it lacks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetConfigs {
    /// The agent.
    pub name: AgentName,
    /// Its process.
    pub instance: Instance,
    /// Its labels, which selectors choose by.
    #[serde(default)]
    pub labels: Labels,
    /// The revision it holds of each document.
    #[serde(default)]
    pub have: BTreeMap<ConfigName, Revision>,
}

/// A part of what an agent lacks; with `more`, ask again with what this brought.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigsPage {
    /// The store: `store_id`, `succeeds`, `revision`.
    #[serde(flatten)]
    pub head: StoreHead,
    /// The digest of the whole set that this agent should serve.
    pub digest: Digest,
    /// Documents that it lacks or holds at another revision.
    #[serde(default)]
    pub configs: Vec<VersionedConfig>,
    /// Documents that it holds and should not.
    #[serde(default)]
    pub removed: Vec<ConfigName>,
    /// Whether there is more to fetch.
    #[serde(default)]
    pub more: bool,
}

/// A document at its revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionedConfig {
    /// The document's name.
    pub name: ConfigName,
    /// The revision at which the store took it.
    pub revision: Revision,
    /// The document.
    pub config: IngressConfig,
}
