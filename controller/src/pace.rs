//! How often agents beat: as often as they should, or as seldom as their number makes them; and how long a beat counts.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// The longest interval that is assigned: an agent takes no longer one.
const LONGEST: Duration = Duration::from_secs(60);

/// Intervals are whole multiples of this.
const GRAIN: Duration = Duration::from_millis(100);

/// An agent learns its interval with an answer, which one beat in five asks for. After so many beats all know it.
const BEATS_UNTIL_KNOWN: u32 = 6;

/// The pace of the fleet.
#[derive(Debug)]
pub(crate) struct Pace {
    /// The interval of a fleet that is no larger than its budget.
    shortest: Duration,
    /// How long a beat counts then.
    time_to_live: Duration,
    /// Beats of the whole fleet in a second.
    budget: u32,
    current: Mutex<Current>,
}

#[derive(Debug)]
struct Current {
    interval: Duration,
    /// A longer interval that some may still keep, and until when.
    before: Option<(Duration, Instant)>,
}

impl Pace {
    pub(crate) fn new(shortest: Duration, time_to_live: Duration, budget: u32) -> Self {
        let current = Mutex::new(Current { interval: shortest, before: None });
        Self { shortest, time_to_live, budget: budget.max(1), current }
    }

    /// How often agents are told to beat.
    pub(crate) fn interval(&self) -> Duration {
        self.lock().interval
    }

    /// How long a beat that comes at `now` counts. It grows with the interval at once, and shrinks with it only when all
    /// agents must know.
    pub(crate) fn time_to_live(&self, now: Instant) -> Duration {
        let Current { interval, before } = *self.lock();
        let before = before.filter(|(_, until)| now < *until).map_or(interval, |(before, _)| before);
        let factor = before.max(interval).as_secs_f64() / self.shortest.as_secs_f64();
        self.time_to_live.mul_f64(factor.max(1.0))
    }

    /// So many agents are there at `now`. The interval shrinks only where it would not grow again with a tenth more of
    /// them.
    pub(crate) fn follow(&self, agents: usize, now: Instant) {
        let mut current = self.lock();
        let (needed, roomy) = (self.affordable(agents), self.affordable(agents + agents / 10));
        let interval = if needed > current.interval { needed } else { roomy.min(current.interval) };
        if interval == current.interval {
            return;
        }
        tracing::info!(agents, before = ?current.interval, ?interval, "agents are told to beat at another pace");
        if interval < current.interval {
            let known = now + current.interval * BEATS_UNTIL_KNOWN;
            let before = current.before.filter(|(_, until)| now < *until);
            let (longest, until) = before.unwrap_or((current.interval, known));
            current.before = Some((longest.max(current.interval), until.max(known)));
        }
        current.interval = interval;
    }

    fn affordable(&self, agents: usize) -> Duration {
        let beats = Duration::from_secs(agents as u64) / self.budget;
        let grains = beats.as_millis().div_ceil(GRAIN.as_millis()).min(u128::from(u32::MAX));
        (GRAIN * u32::try_from(grains).unwrap_or(u32::MAX)).clamp(self.shortest, LONGEST.max(self.shortest))
    }

    fn lock(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn pace() -> Pace {
        Pace::new(SECOND, 3 * SECOND, 1_000)
    }

    #[test]
    fn a_fleet_within_its_budget_beats_as_it_should() {
        let (pace, now) = (pace(), Instant::now());
        for agents in [0, 1, 900, 999, 1_000] {
            pace.follow(agents, now);
            assert_eq!((pace.interval(), pace.time_to_live(now)), (SECOND, 3 * SECOND), "{agents}");
        }
    }

    #[test]
    fn a_larger_one_beats_more_seldom_and_its_beats_count_for_longer() {
        let (pace, now) = (pace(), Instant::now());
        pace.follow(5_000, now);
        assert_eq!((pace.interval(), pace.time_to_live(now)), (5 * SECOND, 15 * SECOND));
        pace.follow(5_555, now);
        assert_eq!(pace.interval(), Duration::from_millis(5_600), "never more beats than there may be");
        pace.follow(10_000_000, now);
        assert_eq!(pace.interval(), LONGEST);
    }

    #[test]
    fn a_fleet_at_the_edge_does_not_have_its_interval_changed_to_and_fro() {
        let (pace, now) = (pace(), Instant::now());
        pace.follow(1_001, now);
        assert_eq!(pace.interval(), Duration::from_millis(1_100));
        pace.follow(999, now);
        assert_eq!(pace.interval(), Duration::from_millis(1_100));
        pace.follow(900, now);
        assert_eq!(pace.interval(), SECOND);
    }

    #[test]
    fn a_fleet_that_shrinks_twice_keeps_the_longest_interval_in_mind() {
        let (pace, now) = (pace(), Instant::now());
        pace.follow(20_000, now);
        pace.follow(5_000, now);
        pace.follow(10, now + SECOND);
        assert_eq!(pace.time_to_live(now + 2 * SECOND), 60 * SECOND);
        assert_eq!(pace.time_to_live(now + 121 * SECOND), 3 * SECOND);
    }

    #[test]
    fn beats_count_for_as_long_as_anybody_may_keep_the_longer_interval() {
        let (pace, now) = (pace(), Instant::now());
        pace.follow(5_000, now);
        pace.follow(10, now);
        assert_eq!(pace.interval(), SECOND);
        assert_eq!(pace.time_to_live(now + 29 * SECOND), 15 * SECOND);
        assert_eq!(pace.time_to_live(now + 31 * SECOND), 3 * SECOND);
    }
}
