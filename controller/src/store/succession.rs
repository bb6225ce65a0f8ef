//! What becomes of a store's head when the store takes the place of others.

use bellwether_ingress::Revision;
use bellwether_proto::{StoreHead, StoreId};

/// How many stores one succeeds at most; the oldest are forgotten beyond that. Every answer to an agent carries them.
pub const SUCCEEDS_KEPT: usize = 64;

/// In whose place a store is to step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Succession {
    /// The stores, those that matter most last. Its own id among them means that it has lost a part of its history:
    /// it becomes another store, for it may give numbers anew that agents know for something else.
    pub stores: Vec<StoreId>,
    /// The highest revision that agents have seen: the counter goes on above it. It rises in any case, so that no two
    /// heads of one store are alike.
    pub above: Revision,
}

impl Succession {
    /// The head after it; the same head if it has stepped into that place already.
    pub(super) fn of(&self, head: &StoreHead) -> StoreHead {
        let news: Vec<_> =
            self.stores.iter().filter(|store| !head.succeeds.contains(store)).copied().collect();
        if news.is_empty() {
            return head.clone();
        }
        let store_id = if news.contains(&head.store_id) { StoreId::new() } else { head.store_id };
        let mut succeeds = [head.succeeds.as_slice(), &news].concat();
        succeeds.drain(..succeeds.len().saturating_sub(SUCCEEDS_KEPT));
        StoreHead { store_id, succeeds, revision: head.revision.max(self.above).next() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(revision: u64) -> StoreHead {
        StoreHead { store_id: StoreId::new(), succeeds: Vec::new(), revision: revision.into() }
    }

    fn succession(stores: &[StoreId], above: u64) -> Succession {
        Succession { stores: stores.to_vec(), above: above.into() }
    }

    #[test]
    fn the_counter_goes_on_above_what_agents_have_seen_and_never_back() {
        let other = [StoreId::new()];
        assert_eq!(succession(&other, 42).of(&head(1)).revision, 43.into());
        assert_eq!(succession(&other, 42).of(&head(42)).revision, 43.into());
        assert_eq!(succession(&other, 42).of(&head(50)).revision, 51.into());
    }

    #[test]
    fn another_store_is_succeeded_under_its_own_id() {
        let (head, other) = (head(1), StoreId::new());
        let after = succession(&[other], 42).of(&head);
        assert_eq!((after.store_id, after.succeeds.as_slice()), (head.store_id, [other].as_slice()));
        assert_eq!(succession(&[other], 42).of(&after), after, "told once more");
    }

    #[test]
    fn a_store_that_lost_a_part_of_its_history_becomes_another() {
        let head = head(30);
        let after = succession(&[head.store_id], 42).of(&head);
        assert_ne!(after.store_id, head.store_id);
        assert_eq!((after.succeeds.as_slice(), after.revision), ([head.store_id].as_slice(), 43.into()));
        assert_eq!(succession(&[head.store_id], 42).of(&after), after, "told once more");
    }

    #[test]
    fn only_the_latest_are_kept() {
        let many: Vec<_> = (0..SUCCEEDS_KEPT).map(|_| StoreId::new()).collect();
        let (head, last) = (succession(&many, 1).of(&head(0)), StoreId::new());
        let after = succession(&[last], 1).of(&head);
        assert_eq!(after.succeeds.len(), SUCCEEDS_KEPT);
        assert_eq!((after.succeeds.first(), after.succeeds.last()), (many.get(1), Some(&last)));
    }
}
