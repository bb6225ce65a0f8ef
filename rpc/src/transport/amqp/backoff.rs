//! How long to wait before the next attempt: full jitter, so that a fleet does not come back as a herd.

use std::time::Duration;

const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(5);

/// The pauses between attempts: each random, up to twice the last bound.
#[derive(Debug)]
pub(super) struct Backoff {
    bound: Duration,
}

impl Backoff {
    pub(super) fn new() -> Self {
        Self { bound: SHORTEST * 2 }
    }

    /// A connection has lasted this long: if that was for a while, the next failure is a first one.
    pub(super) fn lasted(&mut self, time: Duration) {
        if time >= LONGEST {
            *self = Self::new();
        }
    }

    /// The next pause.
    pub(super) fn pause(&mut self) -> Duration {
        let pause = rand::random_range(SHORTEST..=self.bound);
        self.bound = (self.bound * 2).min(LONGEST);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_stay_within_their_bounds_and_reach_far() {
        let mut backoff = Backoff::new();
        let pauses: Vec<_> = (0..200).map(|_| backoff.pause()).collect();
        assert!(pauses.iter().all(|pause| (SHORTEST..=LONGEST).contains(pause)));
        assert!(pauses.iter().any(|pause| *pause > LONGEST / 2));
        assert!(pauses.iter().skip(10).any(|pause| *pause < LONGEST / 2));
    }

    #[test]
    fn only_a_connection_that_lasts_makes_pauses_short_again() {
        let mut backoff = Backoff::new();
        for _ in 0..10 {
            backoff.pause();
            backoff.lasted(LONGEST / 2);
        }
        assert_eq!(backoff.bound, LONGEST);
        backoff.lasted(LONGEST);
        assert_eq!(backoff.bound, SHORTEST * 2);
    }
}
