//! What goes wrong on a memory broker: by chance, and the same for the same seed.

use rand::{RngExt, SeedableRng, rngs::StdRng};
use std::{ops::RangeInclusive, time::Duration};

/// What goes wrong on a [`Memory`](super::Memory) broker, and how often. Chances are from 0 (never) to 1 (always).
///
/// Chance is drawn from the seed alone: in a program that is itself the same each time (one thread, tokio's paused
/// time), the same seed brings the same faults.
#[derive(Clone, Debug)]
pub struct Faults {
    /// What all chance is drawn from.
    pub seed: u64,
    /// The chance of a request, a notification or an answer to be lost on its way, without a word.
    pub loss: f64,
    /// How long each is on its way. They take different times, so they overtake each other.
    pub delay: RangeInclusive<Duration>,
    /// The chance of an answer to arrive twice.
    pub duplicate: f64,
    /// The chance of a consumer to be cancelled soon after it was handed a delivery: what it has not finished by then
    /// is delivered again, to it or to another. (Marked as such: no broker duplicates a request otherwise.)
    pub cancel: f64,
    /// The chance of a link to be cut while it sends. Whether that message got through is chance too.
    pub cut: f64,
    /// How long a link that was cut stays so.
    pub outage: RangeInclusive<Duration>,
}

impl Faults {
    /// None at all, to begin with: name those that you want.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        const AT_ONCE: RangeInclusive<Duration> = Duration::ZERO..=Duration::ZERO;
        Self { seed, loss: 0.0, delay: AT_ONCE, duplicate: 0.0, cancel: 0.0, cut: 0.0, outage: AT_ONCE }
    }
}

/// Draws the faults, one after the other.
pub(super) struct Chance {
    faults: Faults,
    random: StdRng,
}

/// What becomes of a link that is cut while it sends.
pub(super) struct Cut {
    /// Whether the message gets through before.
    pub(super) sent: bool,
    pub(super) outage: Duration,
}

impl Chance {
    pub(super) fn new(faults: Faults) -> Self {
        Self { random: StdRng::seed_from_u64(faults.seed), faults }
    }

    /// From now on nothing goes wrong.
    pub(super) fn calm(&mut self) {
        self.faults = Faults::seeded(self.faults.seed);
    }

    /// Whether the sender's link is cut now.
    pub(super) fn cut(&mut self) -> Option<Cut> {
        self.happens(self.faults.cut).then(|| Cut {
            sent: self.random.random(),
            outage: self.random.random_range(self.faults.outage.clone()),
        })
    }

    /// How long a request is on its way; none when it gets lost.
    pub(super) fn way(&mut self) -> Option<Duration> {
        let lost = self.happens(self.faults.loss);
        (!lost).then(|| self.delay())
    }

    /// How long each copy of an answer is on its way: mostly one, none when it gets lost.
    pub(super) fn ways(&mut self) -> Vec<Duration> {
        let first = self.way();
        let second = self.happens(self.faults.duplicate).then(|| self.delay());
        first.into_iter().flat_map(|first| [Some(first), second]).flatten().collect()
    }

    /// Whether the consumer of a delivery is cancelled, and how soon.
    pub(super) fn cancelled(&mut self) -> Option<Duration> {
        self.happens(self.faults.cancel).then(|| self.delay())
    }

    fn happens(&mut self, chance: f64) -> bool {
        chance > 0.0 && self.random.random_bool(chance.min(1.0))
    }

    fn delay(&mut self) -> Duration {
        let delay = &self.faults.delay;
        if delay.end().is_zero() { Duration::ZERO } else { self.random.random_range(delay.clone()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(faults: Faults) -> Vec<(Vec<Duration>, bool)> {
        let mut chance = Chance::new(faults);
        (0..100).map(|_| (chance.ways(), chance.cut().is_some())).collect()
    }

    #[test]
    fn the_same_seed_brings_the_same_faults_and_another_brings_others() {
        let delay = Duration::ZERO..=Duration::from_millis(100);
        let faults = |seed| Faults {
            loss: 0.3,
            duplicate: 0.3,
            cut: 0.3,
            delay: delay.clone(),
            ..Faults::seeded(seed)
        };
        assert_eq!(drawn(faults(7)), drawn(faults(7)));
        assert_ne!(drawn(faults(7)), drawn(faults(8)));
    }

    #[test]
    fn without_faults_every_message_arrives_once_and_at_once() {
        assert!(drawn(Faults::seeded(7)).iter().all(|drawn| *drawn == (vec![Duration::ZERO], false)));
    }

    #[test]
    fn what_is_certain_always_happens_and_ends_with_calm() {
        let mut chance = Chance::new(Faults { loss: 1.0, cut: 1.0, cancel: 2.0, ..Faults::seeded(7) });
        assert_eq!(
            (chance.ways(), chance.cut().is_some(), chance.cancelled().is_some()),
            (vec![], true, true)
        );
        chance.calm();
        assert_eq!(
            (chance.ways().len(), chance.cut().is_some(), chance.cancelled().is_some()),
            (1, false, false)
        );
    }
}
