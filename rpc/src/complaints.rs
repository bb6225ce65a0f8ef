//! Tells of messages that were not served: one line for each reason in a while, however many there are.

use crate::{Address, FaultKind, Message};
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// How long nothing more is said for the same reason.
const PAUSE: Duration = Duration::from_secs(10);

/// The most characters of a name off the wire that are shown.
const LONGEST_NAME: usize = 64;

/// What one server has told, and when.
#[derive(Debug)]
pub(crate) struct Complaints {
    address: Address,
    told: Mutex<HashMap<&'static str, Told>>,
}

#[derive(Debug)]
struct Told {
    at: Instant,
    /// How many were not told of since.
    held_back: u64,
}

impl Complaints {
    pub(crate) fn new(address: Address) -> Self {
        Self { address, told: Mutex::default() }
    }

    /// A message was dropped, or answered with a fault, for this reason. Of its body no more than the length is said.
    pub(crate) fn about(&self, message: &Message, reason: &'static str) {
        let method = printable(&message.kind);
        let (sender, bytes) = (message.sender.map(tracing::field::display), message.body.len());
        match self.admit(reason, Instant::now()) {
            Some(held_back) => {
                tracing::warn!(address = %self.address, reason, method, sender, bytes, held_back,
                "a message that makes no sense was not served")
            }
            None => tracing::debug!(reason, method, sender, bytes, "another one"),
        }
    }

    /// Whether this reason is to be told at `now`: if so, how many were held back before it.
    fn admit(&self, reason: &'static str, now: Instant) -> Option<u64> {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        match told.get_mut(reason) {
            Some(told) if now.saturating_duration_since(told.at) < PAUSE => {
                told.held_back += 1;
                None
            }
            before => {
                let held_back = before.map_or(0, |told| told.held_back);
                told.insert(reason, Told { at: now, held_back: 0 });
                Some(held_back)
            }
        }
    }
}

/// The faults that say that a message makes no sense, and not that something is wrong here.
pub(crate) fn makes_no_sense(fault: FaultKind) -> bool {
    matches!(fault, FaultKind::BadRequest | FaultKind::UnknownMethod)
}

/// A name off the wire, short and without control characters.
pub(crate) fn printable(name: &str) -> String {
    name.chars().take(LONGEST_NAME).map(|c| if c.is_control() { '?' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_told_once_in_a_while_with_how_many_were_held_back_and_no_other_is_kept_quiet() {
        let (complaints, start) = (Complaints::new(Address::shared("s")), Instant::now());
        assert_eq!(complaints.admit("a", start), Some(0));
        for _ in 0..7 {
            assert_eq!(complaints.admit("a", start + PAUSE / 2), None);
        }
        assert_eq!(complaints.admit("b", start + PAUSE / 2), Some(0));
        assert_eq!(complaints.admit("a", start + PAUSE), Some(7));
        assert_eq!(complaints.admit("a", start + PAUSE), None);
        assert_eq!(complaints.admit("a", start + PAUSE * 2), Some(1));
    }

    #[test]
    fn a_name_off_the_wire_is_shown_short_and_on_one_line() {
        assert_eq!(printable("a\n\x1b[31mb"), "a??[31mb");
        assert_eq!(printable(&"é".repeat(255)).chars().count(), LONGEST_NAME);
    }
}
