//! The service `Agent`: what a controller asks of one agent, by name.

use crate::{AgentName, StoreHead, controller::Empty};
use bellwether_ingress::{ConfigName, Digest, IngressConfig, Revision};
use bellwether_rpc::{Address, Instance, Method};
use serde::{Deserialize, Serialize};

/// The service's name in addresses.
pub const SERVICE: &str = "agent";

/// The agent of this name.
#[must_use]
pub fn address(name: &AgentName) -> Address {
    Address::peer(SERVICE, name.clone())
}

/// Serve this document.
pub struct SetIngressConfig;

impl Method for SetIngressConfig {
    const NAME: &'static str = "SetIngressConfig";
    type Request = SetConfig;
    type Reply = Applied;
}

/// Serve this document no more.
pub struct DelIngressConfig;

impl Method for DelIngressConfig {
    const NAME: &'static str = "DelIngressConfig";
    type Request = DelConfig;
    type Reply = Applied;
}

/// What you serve is not what you should: fetch it.
pub struct Resync;

impl Method for Resync {
    const NAME: &'static str = "Resync";
    const NOTIFIABLE: bool = true;
    type Request = Stale;
    type Reply = Empty;
}

/// Are you there?
pub struct Ping;

impl Method for Ping {
    const NAME: &'static str = "Ping";
    type Request = Empty;
    type Reply = Pong;
}

/// Who are you?
pub struct Describe;

impl Method for Describe {
    const NAME: &'static str = "Describe";
    type Request = Empty;
    type Reply = Description;
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

/// The answer to [`Ping`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pong {
    /// The process that answers.
    pub instance: Instance,
}

/// The answer to [`Describe`].
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
