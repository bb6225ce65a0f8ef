//! Notices processes that beat under another's name, or whose machine's clock is far ahead.

use crate::registry::{AgentRecord, CLOCKS_DIFFER};
use bellwether_program::log::Seldom;
use std::time::{Duration, SystemTime};
use tokio::time::Instant;

/// What was told of them, so that it is told seldom.
#[derive(Debug, Default)]
pub(crate) struct Rivals {
    conflict: Seldom,
    future: Seldom,
}

impl Rivals {
    /// A process beat that is older than another of its name.
    pub(crate) fn conflict(&mut self, record: &AgentRecord) {
        if let Some(held_back) = self.conflict.admit(Instant::now()) {
            tracing::warn!(agent = %record.name, instance = %record.instance, held_back,
                "two processes beat under one name: the newer one counts");
        }
    }

    /// Counts and tells of a beat whose instance was made in the future.
    pub(crate) fn look_at(&mut self, record: &AgentRecord) {
        let Some(ahead) = ahead(record.instance.made_at_ms(), SystemTime::now()) else { return };
        metrics::counter!("bellwether_controller_beats_of_the_future_total").increment(1);
        if let Some(held_back) = self.future.admit(Instant::now()) {
            tracing::warn!(agent = %record.name, instance = %record.instance, ?ahead, held_back,
                "a process was started in the future: its machine's clock is wrong, and any other of its name counts as newer");
        }
    }
}

/// How far a moment is ahead of `now`, if further than clocks may differ.
fn ahead(made_at_ms: u64, now: SystemTime) -> Option<Duration> {
    let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let ahead = Duration::from_millis(made_at_ms).checked_sub(now)?;
    (ahead > CLOCKS_DIFFER).then_some(ahead)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_may_differ_by_some_minutes() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        let made = |at: SystemTime| at.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis() as u64;
        let second = Duration::from_secs(1);
        assert_eq!(ahead(made(now + CLOCKS_DIFFER), now), None);
        assert_eq!(ahead(made(now + CLOCKS_DIFFER + second), now), Some(CLOCKS_DIFFER + second));
        assert_eq!(ahead(0, now), None);
    }
}
