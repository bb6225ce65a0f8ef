//! The servers that have been started, as callers know them: by number, and by instance.

use bellwether_rpc::{Instance, Peer};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// All of them, those that are gone as well. A peer's name is its number.
#[derive(Clone, Default)]
pub(crate) struct Directory(Arc<Mutex<Vec<(u32, Instance)>>>);

impl Directory {
    pub(crate) fn add(&self, number: u32, instance: Instance) {
        self.lock().push((number, instance));
    }

    /// The `n`th, from the latest back.
    pub(crate) fn nth_latest(&self, n: usize) -> Option<(u32, Instance)> {
        self.lock().iter().rev().nth(n).copied()
    }

    /// The latest `n`, as peers.
    pub(crate) fn latest(&self, n: usize) -> Vec<(u32, Peer)> {
        let peer = |(number, instance): &(u32, Instance)| (*number, Peer::new(number.to_string(), *instance));
        self.lock().iter().rev().take(n).map(peer).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(u32, Instance)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
