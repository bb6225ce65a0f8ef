//! What is written down of a staged set, so that an agent that starts anew knows what it finds.

use super::EffectiveSet;
use bellwether_ingress::{ConfigName, Digest, Revision};
use bellwether_proto::StoreId;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    net::SocketAddr,
    path::Path,
};

/// Its file in the folder of a set.
pub(super) const FILE: &str = "set.json";

/// The format that is written; no other is read.
const FORMAT: u32 = 1;

/// Which set stands in a folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    format: u32,
    /// What identifies the set, within its store.
    pub digest: Digest,
    /// The store that it comes from.
    pub store_id: StoreId,
    /// The revision of each document.
    pub revisions: BTreeMap<ConfigName, Revision>,
    /// Where it listens.
    pub listeners: Vec<Listening>,
    /// The files that documents need for themselves, such as certificates.
    pub needs: BTreeMap<ConfigName, BTreeSet<String>>,
}

/// A place where a set listens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listening {
    /// The place.
    pub at: SocketAddr,
    /// The documents that it listens for.
    pub documents: Vec<ConfigName>,
}

impl Record {
    /// The record of a set.
    pub(super) fn of(
        set: &EffectiveSet,
        listeners: Vec<Listening>,
        needs: BTreeMap<ConfigName, BTreeSet<String>>,
    ) -> Self {
        let EffectiveSet { digest, store_id, ref revisions, .. } = *set;
        Self { format: FORMAT, digest, store_id, revisions: revisions.clone(), listeners, needs }
    }

    /// The record in a folder.
    pub(super) fn read(folder: &Path) -> io::Result<Self> {
        let record: Self = serde_json::from_slice(&fs::read(folder.join(FILE))?)?;
        match record.format {
            FORMAT => Ok(record),
            other => {
                Err(io::Error::other(format!("{FILE} has format {other}, and this agent reads {FORMAT}")))
            }
        }
    }

    /// The bytes of its file.
    pub(super) fn bytes(&self) -> io::Result<Vec<u8>> {
        Ok(serde_json::to_vec(self)?)
    }

    /// Whether it is of this set.
    pub(super) fn is_of(&self, set: &EffectiveSet) -> bool {
        self.digest == set.digest && self.store_id == set.store_id
    }

    /// Whether it holds a document at the revision that `set` has.
    pub(super) fn holds(&self, set: &EffectiveSet, document: &ConfigName) -> bool {
        let revision = set.revisions.get(document);
        self.store_id == set.store_id && revision.is_some() && self.revisions.get(document) == revision
    }
}
