//! How a store, and what an agent knows of one, are told apart.

use crate::StoreId;
use bellwether_ingress::{Digest, Revision};
use serde::{Deserialize, Serialize};

/// What the controller says of its store, in everything that tells an agent what to serve.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreHead {
    /// The store.
    pub store_id: StoreId,
    /// The stores that this one takes the place of, because an operator adopted the fleet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub succeeds: Vec<StoreId>,
    /// Its head: the highest revision it has given.
    pub revision: Revision,
}

/// What an agent has taken: which store it follows and how far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// The store it follows; none before its first set.
    pub store_id: Option<StoreId>,
    /// The highest revision it has taken.
    pub revision: Revision,
    /// The digest of the set it serves.
    pub digest: Digest,
}

impl Known {
    /// What an agent knows that never took anything.
    #[must_use]
    pub fn nothing() -> Self {
        Self { store_id: None, revision: Revision::ZERO, digest: Digest::empty_set() }
    }
}
