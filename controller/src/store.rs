//! What the fleet should serve: documents with their revisions, and the rollouts that brought them.

pub mod memory;
pub mod redis;
mod succession;
mod timed;

pub use succession::{SUCCEEDS_KEPT, Succession};
pub(crate) use timed::TimedStore;

use async_trait::async_trait;
use bellwether_ingress::{Clash, ConfigName, IngressConfig, Revision};
use bellwether_proto::{RolloutId, StoreHead, http::RolloutView};
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};

/// How long a rollout is kept.
pub const ROLLOUT_LIFE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// A document as the store holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredConfig {
    /// The document.
    pub config: IngressConfig,
    /// The revision at which the store took it.
    pub revision: Revision,
    /// Who sent it.
    pub author: String,
    /// When, in RFC 3339 with UTC.
    pub updated_at: String,
}

/// Everything that is live at one revision, sorted by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The store and its head.
    pub head: StoreHead,
    /// The documents.
    pub configs: Vec<Arc<StoredConfig>>,
}

impl Snapshot {
    /// The document of this name.
    #[must_use]
    pub fn get(&self, name: &ConfigName) -> Option<&Arc<StoredConfig>> {
        self.position(name).ok().and_then(|index| self.configs.get(index))
    }

    /// This, after `stored` was taken in at its revision.
    fn with(&self, stored: Arc<StoredConfig>) -> Self {
        let head = StoreHead { revision: stored.revision, ..self.head.clone() };
        let mut configs = self.configs.clone();
        match self.position(stored.config.name()) {
            Ok(index) => configs[index] = stored,
            Err(index) => configs.insert(index, stored),
        }
        Self { head, configs }
    }

    /// This, after the document of this name was deleted at `revision`.
    fn without(&self, name: &ConfigName, revision: Revision) -> Self {
        let head = StoreHead { revision, ..self.head.clone() };
        let others = self.configs.iter().filter(|stored| stored.config.name() != name);
        Self { head, configs: others.cloned().collect() }
    }

    /// Where the document of this name is, or where it would be.
    fn position(&self, name: &ConfigName) -> Result<usize, usize> {
        self.configs.binary_search_by(|stored| stored.config.name().cmp(name))
    }
}

/// Why the store did not do what was asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The document clashes with one that another owns.
    #[error(transparent)]
    Clash(#[from] Clash),
    /// There is no such document, or no such rollout.
    #[error("there is no {0}")]
    NotFound(String),
    /// The store did not answer. The text has host and cause, and no secrets.
    #[error("the store: {0}")]
    Unavailable(String),
    /// What the store holds cannot be read.
    #[error("the store holds something that cannot be read: {0}")]
    Corrupt(String),
}

impl StoreError {
    fn no_config(name: &ConfigName) -> Self {
        Self::NotFound(format!("document {name}"))
    }

    fn no_rollout(id: RolloutId) -> Self {
        Self::NotFound(format!("rollout {id}"))
    }
}

/// Documents and rollouts. A change is atomic, and decided against everything that is live at that moment.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// The store and its head: cheap, asked with every batch of beats. Makes the store at the first use.
    async fn head(&self) -> Result<StoreHead, StoreError>;

    /// Everything that is live, at one revision.
    async fn snapshot(&self) -> Result<Arc<Snapshot>, StoreError>;

    /// Takes a document in, at the next revision, if it clashes with no other. The same document again gets a new
    /// revision too: a push is always sent.
    async fn put(
        &self,
        config: IngressConfig,
        author: &str,
        now: &str,
    ) -> Result<Arc<StoredConfig>, StoreError>;

    /// Deletes a document; returns it as it was, and the revision of its deletion.
    async fn delete(&self, name: &ConfigName) -> Result<(Arc<StoredConfig>, Revision), StoreError>;

    /// Takes the place of other stores, because an operator said so: every later head carries the succession. Changes
    /// no document, and nothing at all when it is told the same once more.
    async fn adopt(&self, succession: &Succession) -> Result<StoreHead, StoreError>;

    /// Keeps a rollout as it stands, for [`ROLLOUT_LIFE`]. One that is done stays so, whatever comes late.
    async fn save_rollout(&self, rollout: &RolloutView) -> Result<(), StoreError>;

    /// A rollout, with its failures.
    async fn rollout(&self, id: RolloutId) -> Result<RolloutView, StoreError>;

    /// The newest rollouts, newest first, without their failures, at most `limit`.
    async fn rollouts(&self, limit: usize) -> Result<Vec<RolloutView>, StoreError>;
}
