//! Remembers which documents were refused, in what words, and when they may be tried again.

use crate::{
    backoff,
    set::{Change, ConfigSet},
    words::bounded,
};
use bellwether_ingress::{ConfigName, Revision};
use bellwether_proto::StoreId;
use std::collections::BTreeMap;
use tokio::time::Instant;

/// Names that are remembered; beyond them the one with the lowest revision is forgotten.
const LIMIT: usize = 1_024;

/// The refused documents by name. It lives as long as the process, so a restart tries all of them at once.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    by_name: BTreeMap<ConfigName, Refusal>,
}

/// One refused document, or one refused removal.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    store_id: StoreId,
    /// What was refused.
    pub(crate) revision: Revision,
    /// Why.
    pub(crate) words: String,
    failures: u32,
    retry_at: Instant,
}

impl Refusals {
    /// Notes that a change was refused, once more or for the first time.
    pub(crate) fn note(
        &mut self,
        store_id: StoreId,
        change: &Change,
        words: String,
        now: Instant,
        jitter: f64,
    ) {
        let before = self.get(store_id, change).filter(|refusal| refusal.revision == change.revision);
        let failures = before.map_or(1, |refusal| refusal.failures.saturating_add(1));
        let retry_at = now + backoff::pause(failures, jitter);
        let refusal = Refusal { store_id, revision: change.revision, words, failures, retry_at };
        self.by_name.insert(change.name.clone(), refusal);
        self.keep_within_limit();
    }

    fn keep_within_limit(&mut self) {
        if self.by_name.len() <= LIMIT {
            return;
        }
        let lowest = self.by_name.iter().min_by_key(|(_, refusal)| refusal.revision);
        if let Some(name) = lowest.map(|(name, _)| name.clone()) {
            self.by_name.remove(&name);
        }
    }

    /// What was refused of the name of `change`, in this store.
    pub(crate) fn get(&self, store_id: StoreId, change: &Change) -> Option<&Refusal> {
        self.by_name.get(&change.name).filter(|refusal| refusal.store_id == store_id)
    }

    /// The refusal of exactly this change.
    pub(crate) fn of(&self, store_id: StoreId, change: &Change) -> Option<&Refusal> {
        self.get(store_id, change).filter(|refusal| refusal.revision == change.revision)
    }

    /// Whether this very change was refused and is to be left alone for a while.
    pub(crate) fn is_pausing(&self, store_id: StoreId, change: &Change, now: Instant) -> bool {
        self.of(store_id, change).is_some_and(|refusal| refusal.retry_at > now)
    }

    /// Forgets what `set` has settled: it is served, superseded or removed.
    pub(crate) fn forget_settled(&mut self, set: &ConfigSet) {
        self.by_name.retain(|name, refusal| {
            Some(refusal.store_id) != set.store_id() || set.settled(name) < refusal.revision
        });
    }

    /// Forgets what the store has meanwhile replaced or removed, as its whole set shows, and all other stores.
    pub(crate) fn forget_replaced(&mut self, whole: &ConfigSet) {
        let head = whole.floor();
        self.by_name.retain(|name, refusal| {
            let wanted = whole.documents().get(name).is_some_and(|held| held.revision == refusal.revision);
            Some(refusal.store_id) == whole.store_id() && (refusal.revision > head || wanted)
        });
    }

    /// When the next of them may be tried again.
    pub(crate) fn next_retry(&self) -> Option<Instant> {
        self.by_name.values().map(|refusal| refusal.retry_at).min()
    }

    /// All of them in a few words, the newest first.
    pub(crate) fn summary(&self) -> Option<String> {
        let mut refused: Vec<_> = self.by_name.iter().collect();
        refused.sort_by_key(|(_, refusal)| std::cmp::Reverse(refusal.revision));
        let words =
            refused.iter().map(|(name, refusal)| format!("{name}@{}: {}", refusal.revision, refusal.words));
        let all = words.collect::<Vec<_>>().join("; ");
        (!all.is_empty()).then(|| bounded(all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{del, set, whole};
    use std::time::Duration;

    #[test]
    fn pauses_grow_with_each_refusal_and_a_newer_revision_begins_anew() {
        let (store, now, mut refusals) = (StoreId::new(), Instant::now(), Refusals::default());
        let mut pause_after = |change: &Change| {
            refusals.note(store, change, "bad".into(), now, 0.5);
            refusals.next_retry().map(|retry_at| (retry_at - now).as_secs())
        };
        assert_eq!([1, 2, 3].map(|_| pause_after(&set("a", 3))), [Some(1), Some(2), Some(4)]);
        assert_eq!(pause_after(&set("a", 4)), Some(1));
    }

    #[test]
    fn only_the_very_change_pauses_and_only_for_its_store() {
        let (store, now, mut refusals) = (StoreId::new(), Instant::now(), Refusals::default());
        refusals.note(store, &set("a", 3), "bad".into(), now, 0.5);
        let soon = now + Duration::from_millis(900);
        assert!(refusals.is_pausing(store, &set("a", 3), soon));
        assert!(!refusals.is_pausing(store, &set("a", 3), now + Duration::from_secs(1)));
        assert!(!refusals.is_pausing(store, &set("a", 4), soon));
        assert!(!refusals.is_pausing(StoreId::new(), &set("a", 3), soon));
    }

    #[test]
    fn what_is_served_superseded_or_removed_is_forgotten() {
        let (store, now, mut refusals) = (StoreId::new(), Instant::now(), Refusals::default());
        let set_of = |members| ConfigSet::of_whole(&whole(store, 1, members));
        let mut refuse_and_take = |change: Change| {
            refusals.note(store, &set("a", 3), "bad".into(), now, 0.5);
            refusals.forget_settled(&set_of(&[("a", 1)]).with(store, &[change]));
            refusals.summary()
        };
        assert_eq!(refuse_and_take(set("b", 9)).as_deref(), Some("a@3: bad"));
        assert_eq!(refuse_and_take(set("a", 3)), None);
        assert_eq!(refuse_and_take(set("a", 4)), None);
        assert_eq!(refuse_and_take(del("a", 4)), None);
    }

    #[test]
    fn a_whole_set_forgets_what_it_lacks_and_what_other_stores_said() {
        let (store, now, mut refusals) = (StoreId::new(), Instant::now(), Refusals::default());
        for (store, change) in [(StoreId::new(), set("other", 3)), (store, set("a", 3)), (store, set("b", 4))]
        {
            refusals.note(store, &change, "bad".into(), now, 0.5);
        }
        refusals.forget_replaced(&ConfigSet::of_whole(&whole(store, 9, &[("b", 4)])));
        assert_eq!(refusals.summary().as_deref(), Some("b@4: bad"));
    }

    #[test]
    fn the_summary_begins_with_the_newest_and_is_bounded() {
        let (store, now, mut refusals) = (StoreId::new(), Instant::now(), Refusals::default());
        refusals.note(store, &set("a", 3), "x".repeat(2_000), now, 0.5);
        refusals.note(store, &set("b", 4), "bad".into(), now, 0.5);
        let summary = refusals.summary().unwrap();
        assert!(summary.starts_with("b@4: bad; a@3: xxx") && summary.len() <= 1_000, "{summary}");
    }
}
