//! Ids of events: the order in which they happened.

use super::RegistryError;
use std::{fmt, str::FromStr};

/// `<milliseconds>-<sequence>`, ordered by both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct EventId {
    at_ms: u64,
    sequence: u64,
}

impl EventId {
    /// The id of an event at `now_ms` that comes after this one, even if the clock went back.
    pub(super) fn following(self, now_ms: u64) -> Self {
        if now_ms > self.at_ms {
            Self { at_ms: now_ms, sequence: 0 }
        } else {
            Self { at_ms: self.at_ms, sequence: self.sequence.saturating_add(1) }
        }
    }
}

impl FromStr for EventId {
    type Err = RegistryError;

    fn from_str(text: &str) -> Result<Self, RegistryError> {
        let number =
            |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?;
        let parsed = text
            .split_once('-')
            .and_then(|(at_ms, sequence)| Some(Self { at_ms: number(at_ms)?, sequence: number(sequence)? }));
        parsed.ok_or_else(|| RegistryError("an event's id must be <milliseconds>-<sequence>".to_owned()))
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.at_ms, self.sequence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_ordered_by_number_and_not_by_text() {
        let id = |text: &str| text.parse::<EventId>().unwrap();
        assert!(id("9-0") < id("10-0"));
        assert!(id("10-9") < id("10-10"));
        assert_eq!(id("10-9").to_string(), "10-9");
    }

    #[test]
    fn a_clock_that_goes_back_does_not_take_ids_with_it() {
        let first = EventId::default().following(100);
        let second = first.following(50);
        assert!(first < second);
        assert_eq!(second.to_string(), "100-1");
    }

    #[test]
    fn whatever_is_no_id_is_refused() {
        for bad in ["", "-", "1", "1-", "-1", "+1-0", "1-0-0", "a-b", "99999999999999999999-0", "1-0\n"] {
            assert!(bad.parse::<EventId>().is_err(), "{bad:?}");
        }
    }
}
