//! Whether this replica may call a silent agent offline: only when it would have heard it.

use bellwether_rpc::Generation;
use std::time::Duration;
use tokio::time::Instant;

/// A look at the registry, or a pause between looks, that takes longer than this means that we were blind.
pub(crate) const SLOW: Duration = Duration::from_secs(1);

/// What one look around showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Look {
    /// Over which connection beats reach us; none while they do not, or the broker does not answer.
    pub(crate) bound: Option<Generation>,
    /// The registry's life; none when it did not answer.
    pub(crate) epoch: Option<String>,
    /// Whether beats that reach us can be recorded, as far as is known.
    pub(crate) records: bool,
    /// How long the look took.
    pub(crate) took: Duration,
}

/// Knows since when this replica has heard beats without a gap.
///
/// After a gap of any kind (a start, a reconnect, a restarted or slow registry, a pause of this process), every agent
/// looks silent. Nobody is called offline until the replica has listened for `patience`: one time to live, and the
/// time that agents take to come back to a broker that was away.
#[derive(Debug)]
pub(crate) struct BlindGuard {
    patience: Duration,
    last: Option<(Instant, Look)>,
    listening_since: Option<Instant>,
}

impl BlindGuard {
    pub(crate) fn new(patience: Duration) -> Self {
        Self { patience, last: None, listening_since: None }
    }

    /// From now on it takes so long until silence proves anything.
    pub(crate) fn be_patient_for(&mut self, patience: Duration) {
        self.patience = patience;
    }

    /// Takes in a look that ended at `now`.
    pub(crate) fn look(&mut self, now: Instant, look: Look) {
        let sees = look.bound.is_some() && look.epoch.is_some() && look.records && look.took <= SLOW;
        let gapless = self.last.as_ref().is_some_and(|(then, last)| {
            now.saturating_duration_since(*then) <= SLOW
                && last.bound == look.bound
                && last.epoch == look.epoch
        });
        self.listening_since = match (sees, gapless, self.listening_since) {
            (false, _, _) => None,
            (true, true, Some(since)) => Some(since),
            (true, _, _) => Some(now),
        };
        self.last = Some((now, look));
    }

    /// Since when it has listened without a gap; none while it is blind.
    pub(crate) fn listening_since(&self) -> Option<Instant> {
        self.listening_since
    }

    /// How much longer it has to listen before silence proves anything; none while it is blind.
    pub(crate) fn must_listen_for(&self, now: Instant) -> Option<Duration> {
        let listened = now.saturating_duration_since(self.listening_since?);
        Some(self.patience.saturating_sub(listened))
    }

    /// Whether an agent that is silent at `now` may be called offline.
    pub(crate) fn may_judge(&self, now: Instant) -> bool {
        self.must_listen_for(now) == Some(Duration::ZERO)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(3);
    const TICK: Duration = Duration::from_millis(100);

    fn clear() -> Look {
        Look { bound: Some(1), epoch: Some("a".into()), records: true, took: Duration::from_millis(2) }
    }

    /// Looks around every tick, all clear, and returns the time it is then.
    fn listen(guard: &mut BlindGuard, from: Instant, time: Duration) -> Instant {
        let end = from + time;
        let mut now = from;
        while now < end {
            guard.look(now, clear());
            now += TICK;
        }
        guard.look(end, clear());
        end
    }

    fn judging() -> (BlindGuard, Instant) {
        let mut guard = BlindGuard::new(PATIENCE);
        let now = listen(&mut guard, Instant::now(), PATIENCE);
        assert!(guard.may_judge(now));
        (guard, now)
    }

    #[test]
    fn a_new_replica_judges_nobody_until_it_has_listened() {
        let mut guard = BlindGuard::new(PATIENCE);
        let start = Instant::now();
        assert!(!guard.may_judge(start + PATIENCE * 10));
        let now = listen(&mut guard, start, PATIENCE - TICK);
        assert!(!guard.may_judge(now));
        let now = listen(&mut guard, now, TICK);
        assert!(guard.may_judge(now));
    }

    #[test]
    fn every_kind_of_gap_blinds_it_for_its_patience() {
        let gaps = [
            Look { bound: None, ..clear() },
            Look { bound: Some(2), ..clear() },
            Look { epoch: None, ..clear() },
            Look { epoch: Some("b".into()), ..clear() },
            Look { records: false, ..clear() },
            Look { took: SLOW + TICK, ..clear() },
        ];
        for gap in gaps {
            let (mut guard, now) = judging();
            guard.look(now + TICK, gap.clone());
            assert!(!guard.may_judge(now + TICK), "{gap:?}");
            let now = listen(&mut guard, now + TICK * 2, PATIENCE - TICK);
            assert!(!guard.may_judge(now), "{gap:?}");
            let now = listen(&mut guard, now, TICK);
            assert!(guard.may_judge(now), "{gap:?}");
        }
    }

    #[test]
    fn a_pause_of_this_process_blinds_it() {
        let (mut guard, now) = judging();
        let later = now + SLOW + TICK;
        guard.look(later, clear());
        assert!(!guard.may_judge(later));
        assert_eq!(guard.listening_since(), Some(later));
    }
}
