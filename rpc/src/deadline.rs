//! The moment by which a call has ended.

use std::time::Duration;
use tokio::time::Instant;

/// The moment by which a call has ended, on this machine's monotonic clock. It travels as a remaining duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Instant);

impl Deadline {
    /// The moment `remaining` from now.
    #[must_use]
    pub fn after(remaining: Duration) -> Self {
        Self::at(Instant::now() + remaining)
    }

    /// This very moment.
    #[must_use]
    pub fn at(moment: Instant) -> Self {
        Self(moment)
    }

    /// The moment itself.
    #[must_use]
    pub fn instant(self) -> Instant {
        self.0
    }

    /// What is left at `now`; nothing once it has passed.
    #[must_use]
    pub fn remaining(self, now: Instant) -> Duration {
        self.0.saturating_duration_since(now)
    }

    /// Whether it has passed at `now`. Less than a millisecond cannot be said on the wire, so it counts as passed.
    #[must_use]
    pub fn has_passed(self, now: Instant) -> bool {
        self.remaining(now) < Duration::from_millis(1)
    }
}
