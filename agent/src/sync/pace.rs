//! Decides when a sync is worth its while, so that nothing is fetched in a loop.

use super::{SyncError, Wanted};
use crate::{
    apply::{NotApplied, Served},
    set::{Relation, Standing, standing},
};
use bellwether_ingress::Digest;
use bellwether_proto::StoreId;
use std::time::Duration;
use tokio::time::Instant;

/// How long after a sync there is none of our own accord, when nothing that it brought waits for a retry. A controller
/// may ask for one earlier.
const AT_REST: Duration = Duration::from_secs(5);

/// The same, when it was refused in part.
const TRIED: Duration = Duration::from_millis(500);

/// What is known of the syncs before.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// The set that was last handed to the driver and did not come to serve as a whole.
    refused: Option<(StoreId, Digest)>,
    not_before: Option<Instant>,
}

impl Pace {
    /// Whether what a controller wants is worth a sync now.
    pub(super) fn is_due(&self, wanted: &Wanted, served: &Served, now: Instant) -> bool {
        let Some(digest) = wanted.digest else {
            return !matches!(served.set.relation(&wanted.head), Relation::Foreign { .. });
        };
        let waits_for_retry = served.retry_at.is_some_and(|retry_at| retry_at > now);
        let refused = self.refused == Some((wanted.head.store_id, digest)) && waits_for_retry;
        !refused && standing(&served.known, &wanted.head, digest) == Standing::Stale
    }

    /// When to sync of our own accord, given when something that failed may be tried again.
    pub(super) fn retry_at(&self, retry_at: Option<Instant>) -> Option<Instant> {
        retry_at.map(|retry_at| self.not_before.map_or(retry_at, |not_before| retry_at.max(not_before)))
    }

    /// Notes how a sync for `target` ended.
    pub(super) fn ended(
        &mut self,
        target: Option<(StoreId, Digest)>,
        outcome: &Result<(), SyncError>,
        now: Instant,
    ) {
        self.refused = target.filter(|_| outcome.is_err());
        self.not_before = match outcome {
            Err(SyncError::NotApplied(NotApplied::Failed { .. })) => Some(now + TRIED),
            Ok(()) | Err(_) => Some(now + AT_REST),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{set::ConfigSet, sync::fetch::FetchError};
    use bellwether_proto::StoreHead;
    use bellwether_rpc::CallError;
    use std::sync::Arc;

    fn served(store: StoreId, retry_at: Option<Instant>) -> Served {
        let set = ConfigSet::remembered(store, 5.into(), 5.into(), Default::default(), Default::default());
        Served { known: set.known(), set: Arc::new(set), last_error: None, retry_at, is_ready: true }
    }

    fn wanted(store_id: StoreId, digest: Option<Digest>) -> Wanted {
        Wanted { head: StoreHead { store_id, succeeds: Vec::new(), revision: 6.into() }, digest }
    }

    fn other_digest() -> Digest {
        "ab".repeat(32).parse().unwrap()
    }

    #[test]
    fn only_another_set_of_a_store_that_may_be_followed_is_fetched() {
        let (store, now) = (StoreId::new(), Instant::now());
        let is_due = |wanted| Pace::default().is_due(&wanted, &served(store, None), now);
        assert!(is_due(wanted(store, Some(other_digest()))));
        assert!(!is_due(wanted(store, Some(Digest::empty_set()))));
        assert!(!is_due(wanted(StoreId::new(), Some(other_digest()))));
        assert!(is_due(wanted(store, None)));
        assert!(!is_due(wanted(StoreId::new(), None)));
    }

    #[test]
    fn a_refused_set_is_left_alone_until_its_retry_and_another_is_not() {
        let (store, now) = (StoreId::new(), Instant::now());
        let failed = Err(SyncError::NotApplied(NotApplied::Failed { words: String::new() }));
        let mut pace = Pace::default();
        pace.ended(Some((store, other_digest())), &failed, now);
        let later = now + Duration::from_secs(8);
        let same = wanted(store, Some(other_digest()));
        assert!(!pace.is_due(&same, &served(store, Some(later)), now));
        assert!(pace.is_due(&same, &served(store, Some(later)), later));
        assert!(pace.is_due(&wanted(store, "cd".repeat(32).parse().ok()), &served(store, Some(later)), now));
    }

    #[test]
    fn a_retry_that_is_overdue_does_not_loop() {
        let now = Instant::now();
        let mut pace = Pace::default();
        assert_eq!(pace.retry_at(None), None);
        assert_eq!(pace.retry_at(Some(now)), Some(now));
        let lost = Err(SyncError::Fetch(FetchError::Call(CallError::Disconnected)));
        pace.ended(None, &lost, now);
        assert_eq!(pace.retry_at(Some(now)), Some(now + AT_REST));
        assert_eq!(pace.retry_at(Some(now + 2 * AT_REST)), Some(now + 2 * AT_REST));
        pace.ended(None, &Ok(()), now);
        assert_eq!(pace.retry_at(Some(now)), Some(now + AT_REST));
        pace.ended(None, &Err(SyncError::NotApplied(NotApplied::Failed { words: String::new() })), now);
        assert_eq!(pace.retry_at(Some(now)), Some(now + TRIED));
    }
}
