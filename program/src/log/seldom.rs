//! Keeps a log line from being written over and over.

use std::time::Duration;
use tokio::time::Instant;

/// How long a line is held back after it was written.
const PAUSE: Duration = Duration::from_secs(10);

/// Lets a line through once in ten seconds, and counts what it holds back meanwhile.
#[derive(Debug, Default)]
pub struct Seldom {
    last: Option<Instant>,
    held_back: u64,
}

impl Seldom {
    /// Whether the line is to be written at `now`: if so, how often it was held back before.
    pub fn admit(&mut self, now: Instant) -> Option<u64> {
        if self.last.is_some_and(|last| now.saturating_duration_since(last) < PAUSE) {
            self.held_back += 1;
            return None;
        }
        self.last = Some(now);
        Some(std::mem::take(&mut self.held_back))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_written_once_in_a_while_with_how_often_it_was_not() {
        let (mut seldom, start) = (Seldom::default(), Instant::now());
        assert_eq!(seldom.admit(start), Some(0));
        assert_eq!(seldom.admit(start + PAUSE / 2), None);
        assert_eq!(seldom.admit(start + PAUSE / 2), None);
        assert_eq!(seldom.admit(start + PAUSE), Some(2));
        assert_eq!(seldom.admit(start + PAUSE * 2), Some(0));
    }
}
