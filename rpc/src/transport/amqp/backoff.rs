//! How long to wait before the next attempt: full jitter, so that a fleet does not come back as a herd.

use std::time::Duration;

const SHORTEST: Duration = Duration::from_millis(100);

/// The pauses between attempts: each random, up to twice the last bound.
#[derive(Debug)]
pub(super) struct Backoff {
    bound: Duration,
    longest: Duration,
}

impl Backoff {
    pub(super) fn new(longest: Duration) -> Self {
        let longest = longest.max(SHORTEST);
        Self { bound: longest.min(SHORTEST * 2), longest }
    }

    /// A connection has lasted this long: if that was for a while, the next failure is a first one.
    pub(super) fn lasted(&mut self, time: Duration) {
        if time >= self.longest {
            *self = Self::new(self.longest);
        }
    }

    /// The next pause.
    pub(super) fn pause(&mut self) -> Duration {
        let pause = rand::random_range(SHORTEST..=self.bound);
        self.bound = (self.bound * 2).min(self.longest);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONGEST: Duration = Duration::from_secs(5);

    #[test]
    fn pauses_stay_within_their_bounds_and_reach_far() {
        let mut backoff = Backoff::new(LONGEST);
        let pauses: Vec<_> = (0..200).map(|_| backoff.pause()).collect();
        assert!(pauses.iter().all(|pause| (SHORTEST..=LONGEST).contains(pause)));
        assert!(pauses.iter().any(|pause| *pause > LONGEST / 2));
        assert!(pauses.iter().skip(10).any(|pause| *pause < LONGEST / 2));
    }

    #[test]
    fn only_a_connection_that_lasts_makes_pauses_short_again() {
        let mut backoff = Backoff::new(LONGEST);
        for _ in 0..10 {
            backoff.pause();
            backoff.lasted(LONGEST / 2);
        }
        assert_eq!(backoff.bound, LONGEST);
        backoff.lasted(LONGEST);
        assert_eq!(backoff.bound, SHORTEST * 2);
    }

    #[test]
    fn pauses_have_a_shortest_length_whatever_is_asked_for() {
        let mut backoff = Backoff::new(Duration::ZERO);
        assert_eq!((backoff.pause(), backoff.pause()), (SHORTEST, SHORTEST));
    }
}
