//! What happened in one run, in order: by logical names and simulated time alone, so that two runs can be compared.

use bellwether_rpc::CallError;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// One step of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A call begins; it is to end by `deadline`.
    Called { call: u32, deadline: Duration },
    /// A request was handed to the transport, over this generation of the caller's link.
    Sent { call: u32, process: u32, generation: u64 },
    /// The caller's reply queue of this generation is gone.
    Lost { process: u32, generation: u64 },
    /// A handler starts.
    Started { call: u32, process: u32, redelivered: bool },
    /// A call has ended: in the answer to this call, or in an error.
    Ended { call: u32, outcome: Result<u32, CallError> },
    /// The caller has dropped it.
    Dropped { call: u32 },
    /// The caller's process was killed.
    Killed { process: u32 },
    /// At the end, so many calls still had a place in the table of a process.
    Left { process: u32, in_flight: usize },
}

/// A step, and when it was taken.
pub(crate) type Entry = (Duration, Step);

/// Collects the steps of one run.
#[derive(Clone)]
pub(crate) struct Trace {
    start: Instant,
    entries: Arc<Mutex<Vec<Entry>>>,
}

impl Trace {
    pub(crate) fn new() -> Self {
        Self { start: Instant::now(), entries: Arc::default() }
    }

    pub(crate) fn note(&self, step: Step) {
        let now = self.since_start(Instant::now());
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).push((now, step));
    }

    pub(crate) fn since_start(&self, moment: Instant) -> Duration {
        moment.saturating_duration_since(self.start)
    }

    pub(crate) fn take(&self) -> Vec<Entry> {
        std::mem::take(&mut *self.entries.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
