//! The service `Agent`: what a controller asks of one agent, by name.

use crate::{AgentName, DOCUMENT_BYTES, SMALL_BYTES, StoreHead};
use bellwether_ingress::{ConfigName, Digest, IngressConfig, Revision};
use bellwether_rpc::{Address, Context, Fault, Instance};
use serde::{Deserialize, Serialize};

/// The service's name in addresses.
pub const SERVICE: &str = "agent";

/// The agent of this name.
#[must_use]
pub fn address(name: &AgentName) -> Address {
    Address::peer(SERVICE, name.clone())
}

/// What a controller asks of one agent.
#[bellwether_rpc::service]
pub trait Agent {
    /// Serves a document; the answer says what serves then.
    #[method(largest = DOCUMENT_BYTES)]
    async fn set_ingress_config(&self, cx: &Context, config: SetConfig) -> Result<Applied, Fault>;

    /// Serves a document no more; the answer says what serves then.
    #[method(largest = SMALL_BYTES)]
    async fn del_ingress_config(&self, cx: &Context, config: DelConfig) -> Result<Applied, Fault>;

    /// Is told that what it serves is not what it should, and fetches that.
    #[method(notification, largest = SMALL_BYTES)]
    async fn resync(&self, cx: &Context, stale: Stale) -> Result<(), Fault>;

    /// Says that it is there.
    #[method(largest = SMALL_BYTES)]
    async fn ping(&self, cx: &Context) -> Result<Pong, Fault>;

    /// Says who it is.
    #[method(largest = SMALL_BYTES)]
    async fn describe(&self, cx: &Context) -> Result<Description, Fault>;
}

/// A document to serve, at its revision of the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetConfig {
    /// The store, with the revision that it gave this document.
    #[serde(flatten)]
    pub at: StoreHead,
    /// The document's name.
    pub name: ConfigName,
    /// The document.
    pub config: IngressConfig,
}

/// A document that is gone since this revision of the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DelConfig {
    /// The store, with the revision at which the document was deleted.
    #[serde(flatten)]
    pub at: StoreHead,
    /// The document's name.
    pub name: ConfigName,
}

/// What serves now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    /// The highest revision taken.
    pub revision: Revision,
    /// The digest of the set that serves.
    pub digest: Digest,
}

/// What an agent should serve, as far as a digest tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stale {
    /// The store and its head.
    #[serde(flatten)]
    pub head: StoreHead,
    /// The digest of the set that this agent should serve.
    pub digest: Digest,
}

/// The answer to [`Agent::ping`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pong {
    /// The process that answers.
    pub instance: Instance,
}

/// The answer to [`Agent::describe`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// The agent.
    pub name: AgentName,
    /// Its process.
    pub instance: Instance,
    /// Its version.
    pub version: String,
    /// The protocol that it speaks.
    pub protocol: u32,
    /// The methods that it answers.
    pub methods: Vec<String>,
}
