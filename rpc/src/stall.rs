//! Notices that the process was stopped: its own clock jumped.

use std::time::Duration;
use tokio::time::Instant;

/// How often the owner reports that it runs.
pub(crate) const TICK: Duration = Duration::from_millis(250);

/// A pause longer than this is a stall: what arrived meanwhile is older than it looks.
const STALL: Duration = Duration::from_secs(1);

/// Told regularly that the process runs, it knows when it did not.
#[derive(Debug)]
pub(crate) struct StallWatch {
    last_seen: Instant,
}

impl StallWatch {
    pub(crate) fn new(now: Instant) -> Self {
        Self { last_seen: now }
    }

    /// The process runs at `now`. Returns how long it had stood still, if that was a stall.
    pub(crate) fn runs(&mut self, now: Instant) -> Option<Duration> {
        let pause = now.saturating_duration_since(self.last_seen);
        self.last_seen = now;
        (pause > STALL).then_some(pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_a_stall_once_and_ticks_are_none() {
        let start = Instant::now();
        let mut watch = StallWatch::new(start);
        assert_eq!(watch.runs(start + TICK), None);
        assert!(watch.runs(start + TICK + Duration::from_secs(4)).is_some());
        assert_eq!(watch.runs(start + TICK * 2 + Duration::from_secs(4)), None);
    }
}
