//! What an agent has taken: documents and removals by revision, and what may be taken next.

use crate::driver::EffectiveSet;
use bellwether_ingress::{ConfigName, Digest, IngressConfig, Revision};
use bellwether_proto::{Known, StoreHead, StoreId};
use std::{collections::BTreeMap, fmt, sync::Arc};

#[cfg(test)]
mod tests;

/// Removals that are remembered one by one since the last whole set; the oldest beyond them raise the floor.
const REMOVALS_LIMIT: usize = 1_024;

/// The documents that an agent has taken from one store, and how far it knows that store.
#[derive(Clone, Default)]
pub(crate) struct ConfigSet {
    store_id: Option<StoreId>,
    head: Revision,
    /// A name that is neither held nor in `removals` counts as removed at this revision.
    floor: Revision,
    documents: Documents,
    /// Removals above the floor.
    removals: BTreeMap<ConfigName, Revision>,
}

/// Documents by name.
pub(crate) type Documents = BTreeMap<ConfigName, Held>;

/// A document at its revision.
#[derive(Clone)]
pub(crate) struct Held {
    pub(crate) revision: Revision,
    pub(crate) document: Arc<IngressConfig>,
}

/// What one revision of a name says.
#[derive(Clone)]
pub(crate) struct Change {
    pub(crate) name: ConfigName,
    pub(crate) revision: Revision,
    pub(crate) content: Content,
}

/// Whether a revision of a name is a document, or its removal.
#[derive(Clone)]
pub(crate) enum Content {
    Document(Arc<IngressConfig>),
    Removed,
}

/// All that an agent should serve, as a store says.
#[derive(Clone)]
pub(crate) struct WholeSet {
    pub(crate) head: StoreHead,
    pub(crate) documents: Documents,
}

/// How a store is related to the one that an agent follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relation {
    /// The agent follows none yet.
    First,
    /// It is the same.
    Same,
    /// An operator put it in the place of ours.
    Succeeds,
    /// It is none of our business.
    Foreign { ours: StoreId },
}

/// What is to be done with a pushed change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Judgement {
    /// It is newer than what is known of its name.
    Take,
    /// It is what is held already.
    Have,
    /// Something newer is known of its name.
    Older { than: Revision },
    /// It comes from a store that may be followed, of which the whole set is not yet known.
    SyncFirst,
    /// It comes from a store that may not be followed.
    Foreign { ours: StoreId },
}

/// Why a whole set is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WholeRefusal {
    /// It comes from a store that may not be followed.
    Foreign { ours: StoreId },
    /// The same store was already further than that.
    LowerHead { ours: Revision },
}

/// How an agent stands to what a controller says it should serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It serves that.
    Converged,
    /// It should fetch it.
    Stale,
    /// The store is behind what the agent has taken of it.
    StoreBehind,
    /// The store may not be followed.
    Foreign { ours: StoreId },
}

/// How the store of `head` is related to `ours`.
fn relation(ours: Option<StoreId>, head: &StoreHead) -> Relation {
    match ours {
        None => Relation::First,
        Some(ours) if ours == head.store_id => Relation::Same,
        Some(ours) if head.succeeds.contains(&ours) => Relation::Succeeds,
        Some(ours) => Relation::Foreign { ours },
    }
}

/// How an agent that knows `known` stands to the set of `digest` at `head`.
pub(crate) fn standing(known: &Known, head: &StoreHead, digest: Digest) -> Standing {
    match relation(known.store_id, head) {
        Relation::Foreign { ours } => Standing::Foreign { ours },
        Relation::First | Relation::Succeeds => Standing::Stale,
        Relation::Same if known.digest == digest => Standing::Converged,
        Relation::Same if head.revision < known.revision => Standing::StoreBehind,
        Relation::Same => Standing::Stale,
    }
}

impl ConfigSet {
    /// A set as it was remembered.
    pub(crate) fn remembered(
        store_id: StoreId,
        head: Revision,
        floor: Revision,
        documents: Documents,
        removals: BTreeMap<ConfigName, Revision>,
    ) -> Self {
        Self { store_id: Some(store_id), head, floor, documents, removals }
    }

    /// The store that is followed; none before the first whole set.
    pub(crate) fn store_id(&self) -> Option<StoreId> {
        self.store_id
    }

    /// The revision at which names that are neither held nor remembered as removed count as removed.
    pub(crate) fn floor(&self) -> Revision {
        self.floor
    }

    /// The documents, sorted by name.
    pub(crate) fn documents(&self) -> &Documents {
        &self.documents
    }

    /// The removals above the floor.
    pub(crate) fn removals(&self) -> &BTreeMap<ConfigName, Revision> {
        &self.removals
    }

    /// The revision of every document.
    pub(crate) fn revisions(&self) -> BTreeMap<ConfigName, Revision> {
        self.documents.iter().map(|(name, held)| (name.clone(), held.revision)).collect()
    }

    /// What a beat says of the set.
    pub(crate) fn known(&self) -> Known {
        Known { store_id: self.store_id, revision: self.head, digest: digest_of(&self.documents) }
    }

    /// What a driver gets; nothing before a store is followed.
    pub(crate) fn effective(&self) -> Option<EffectiveSet> {
        let documents = self.documents.values().map(|held| held.document.clone()).collect();
        let (digest, revision, revisions) = (digest_of(&self.documents), self.head, self.revisions());
        self.store_id.map(|store_id| EffectiveSet { digest, revision, store_id, documents, revisions })
    }

    /// How the store of `head` is related to ours.
    pub(crate) fn relation(&self, head: &StoreHead) -> Relation {
        relation(self.store_id, head)
    }

    /// Decides on a pushed change.
    pub(crate) fn judge(&self, at: &StoreHead, change: &Change) -> Judgement {
        match self.relation(at) {
            Relation::Foreign { ours } => Judgement::Foreign { ours },
            Relation::First | Relation::Succeeds => Judgement::SyncFirst,
            Relation::Same => self.judge_revision(change),
        }
    }

    fn judge_revision(&self, change: &Change) -> Judgement {
        let removing = matches!(change.content, Content::Removed);
        let (known, holds_it) = match (self.documents.get(&change.name), self.removals.get(&change.name)) {
            (Some(held), _) => (held.revision, !removing && held.revision == change.revision),
            (None, Some(removed)) => (*removed, removing && *removed == change.revision),
            // A whole set lacked it: whatever removal there was before then is in effect.
            (None, None) => (self.floor, removing),
        };
        match change.revision > known {
            true => Judgement::Take,
            false if holds_it => Judgement::Have,
            false => Judgement::Older { than: known },
        }
    }

    /// Decides on a whole set.
    pub(crate) fn judge_whole(&self, head: &StoreHead) -> Result<(), WholeRefusal> {
        match self.relation(head) {
            Relation::Foreign { ours } => Err(WholeRefusal::Foreign { ours }),
            Relation::Same if head.revision < self.head => Err(WholeRefusal::LowerHead { ours: self.head }),
            Relation::First | Relation::Same | Relation::Succeeds => Ok(()),
        }
    }

    /// The set after a whole set was taken: that set, and nothing else.
    pub(crate) fn of_whole(whole: &WholeSet) -> Self {
        let head = whole.head.revision;
        let documents = whole.documents.clone();
        Self { store_id: Some(whole.head.store_id), head, floor: head, documents, removals: BTreeMap::new() }
    }

    /// The set after `changes` of `store_id` were taken, whatever was known before of their names.
    pub(crate) fn with(&self, store_id: StoreId, changes: &[Change]) -> Self {
        let mut set = self.clone();
        if set.store_id != Some(store_id) {
            // Revisions of another store say nothing about this one's.
            set = Self { store_id: Some(store_id), documents: set.documents, ..Self::default() };
        }
        for change in changes {
            set.take(change);
        }
        set
    }

    /// The set without the documents of these names, which are not removed: the next whole set brings them again.
    pub(crate) fn without<'a>(&self, names: impl IntoIterator<Item = &'a ConfigName>) -> Self {
        let mut set = self.clone();
        for name in names {
            set.documents.remove(name);
        }
        set
    }

    /// What a held document is, as a change.
    pub(crate) fn change_of(&self, name: &ConfigName) -> Option<Change> {
        let Held { revision, document } = self.documents.get(name)?;
        Some(Change { name: name.clone(), revision: *revision, content: Content::Document(document.clone()) })
    }

    /// Takes a change.
    pub(crate) fn take(&mut self, change: &Change) {
        let Change { name, revision, content } = change;
        self.head = self.head.max(*revision);
        match content {
            Content::Document(document) => {
                self.removals.remove(name);
                self.documents.insert(name.clone(), Held { revision: *revision, document: document.clone() });
            }
            Content::Removed => {
                self.documents.remove(name);
                self.remember_removal(name, *revision);
            }
        }
    }

    fn remember_removal(&mut self, name: &ConfigName, revision: Revision) {
        if revision > self.floor {
            self.removals.insert(name.clone(), revision);
        }
        if self.removals.len() > REMOVALS_LIMIT
            && let Some(oldest) = self.removals.values().min().copied()
        {
            self.floor = self.floor.max(oldest);
            self.removals.retain(|_, removed| *removed > oldest);
        }
    }

    /// Up to which revision the fate of `name` is settled in this set.
    pub(crate) fn settled(&self, name: &ConfigName) -> Revision {
        let held = self.documents.get(name).map(|held| held.revision);
        held.or_else(|| self.removals.get(name).copied()).unwrap_or_default().max(self.floor)
    }

    /// Whether `change` is in effect: its document is held at its revision, or its name is held no more.
    pub(crate) fn serves(&self, change: &Change) -> bool {
        match (&change.content, self.documents.get(&change.name)) {
            (Content::Document(_), held) => held.is_some_and(|held| held.revision == change.revision),
            (Content::Removed, held) => held.is_none() && self.settled(&change.name) >= change.revision,
        }
    }

    /// Whether all that `whole` wants is in effect here, or replaced by something newer than it.
    pub(crate) fn covers(&self, whole: &Self) -> bool {
        let wanted = whole.documents.iter().all(|(name, wanted)| match self.documents.get(name) {
            Some(held) => held.is_same(wanted) || held.revision > whole.head,
            None => self.settled(name) > whole.head,
        });
        let dropped = self
            .documents
            .iter()
            .all(|(name, held)| whole.documents.contains_key(name) || held.revision > whole.head);
        self.store_id == whole.store_id && wanted && dropped
    }

    /// What has to change so that this set holds the documents of `target` and no others. Removals come first, so
    /// that what they free can be taken; then documents by revision.
    pub(crate) fn changes_until(&self, target: &Self) -> Vec<Change> {
        let dropped = self.documents.keys().filter(|name| !target.documents.contains_key(*name));
        let removed = dropped.map(|name| target.removal_of(name));
        let mut changed: Vec<_> = target
            .documents
            .iter()
            .filter(|(name, wanted)| !self.documents.get(*name).is_some_and(|held| held.is_same(wanted)))
            .map(|(name, wanted)| Change {
                name: name.clone(),
                revision: wanted.revision,
                content: Content::Document(wanted.document.clone()),
            })
            .collect();
        changed.sort_by_key(|change| change.revision);
        removed.chain(changed).collect()
    }

    /// The removals that `target` knows of names which are not held here: they change nothing that serves.
    pub(crate) fn quiet_removals_until(&self, target: &Self) -> Vec<Change> {
        let names = target.removals.keys().filter(|name| !self.documents.contains_key(*name));
        names.map(|name| target.removal_of(name)).collect()
    }

    fn removal_of(&self, name: &ConfigName) -> Change {
        Change { name: name.clone(), revision: self.settled(name), content: Content::Removed }
    }
}

impl Change {
    /// Whether it takes its name away.
    pub(crate) fn is_removal(&self) -> bool {
        matches!(self.content, Content::Removed)
    }
}

impl Held {
    /// Whether both are one document at one revision. (Two stores can give one number to different documents.)
    fn is_same(&self, other: &Self) -> bool {
        self.revision == other.revision
            && (Arc::ptr_eq(&self.document, &other.document) || self.document == other.document)
    }
}

/// The digest of a set of documents.
pub(crate) fn digest_of(documents: &Documents) -> Digest {
    Digest::of_set(documents.iter().map(|(name, held)| (name, held.revision)))
}

// Documents may say what nobody else should read: no `Debug` shows one.

impl fmt::Debug for ConfigSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfigSet")
            .field("store_id", &self.store_id)
            .field("head", &self.head)
            .field("documents", &self.revisions())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if matches!(self.content, Content::Removed) { "removed " } else { "" };
        write!(f, "{kind}{self}")
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.name, self.revision)
    }
}
