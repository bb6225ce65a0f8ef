//! What happened in one run, in order: by logical names and simulated time alone, so that two runs can be compared.

use super::service::Done;
use bellwether_rpc::CallError;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// Which process a call or a notification is for; both are meant by "call" here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Whom {
    /// Any one of those that share a queue, or the one that has a name to itself.
    One,
    /// This one, of several that share a name.
    Instance(u32),
    /// Each one; these are expected to answer.
    Everyone(Vec<u32>),
}

/// One step of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A call begins; it is to end by `deadline`. A notification asks for no answer.
    Called { call: u32, whom: Whom, notification: bool, queued: bool, deadline: Duration },
    /// A request was handed to the transport, over this generation of the caller's link.
    Sent { call: u32, process: u32, generation: u64 },
    /// A request that is no call was handed to the transport: the framework asks who is still there.
    Probed { process: u32 },
    /// The caller's reply queue of this generation is gone.
    Lost { process: u32, generation: u64 },
    /// A server was given a request.
    Delivered { call: u32, process: u32 },
    /// A handler starts.
    Started { call: u32, process: u32, redelivered: bool },
    /// An answer has come to the process that called.
    Arrived { call: u32 },
    /// A call has ended, or the part of it that this peer was to answer: in an answer, or in an error. Of a
    /// notification that was sent there is none.
    Ended { call: u32, peer: Option<u32>, outcome: Result<Option<Done>, CallError> },
    /// The caller has dropped it.
    Dropped { call: u32 },
    /// The process was killed.
    Killed { process: u32 },
    /// At the end, so many calls still had a place in the table of a process.
    Left { process: u32, in_flight: usize },
    /// At the end, so many answers were counted that nobody waited for.
    Ignored { answers: u64 },
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
