//! What is known of each call once a run is over: its steps, gathered from the trace.

use super::{
    service::Done,
    trace::{Entry, Step, Whom},
};
use bellwether_rpc::CallError;
use std::{collections::BTreeMap, time::Duration};

/// One call, or one notification.
pub(crate) struct Call {
    pub(crate) whom: Whom,
    pub(crate) notification: bool,
    pub(crate) queued: bool,
    pub(crate) deadline: Duration,
    /// By which process it was sent, over which generation of its link.
    pub(crate) sent: Option<(u32, u64)>,
    /// How often it was delivered to each process.
    pub(crate) delivered: BTreeMap<u32, usize>,
    pub(crate) starts: Vec<Start>,
    /// How many answers to it have come.
    pub(crate) arrived: u64,
    pub(crate) ends: Vec<End>,
    pub(crate) dropped: Option<Duration>,
}

/// A handler that started.
pub(crate) struct Start {
    pub(crate) at: Duration,
    pub(crate) process: u32,
    pub(crate) redelivered: bool,
}

/// One outcome: of the whole call, or of the part that one peer was to answer.
pub(crate) struct End {
    pub(crate) at: Duration,
    pub(crate) peer: Option<u32>,
    pub(crate) outcome: Result<Option<Done>, CallError>,
}

impl Call {
    /// When the caller had all of it, or had dropped it.
    pub(crate) fn ended(&self) -> Option<Duration> {
        self.ends.iter().map(|end| end.at).chain(self.dropped).max()
    }

    fn begun(whom: &Whom, notification: bool, queued: bool, deadline: Duration) -> Self {
        Self {
            whom: whom.clone(),
            notification,
            queued,
            deadline,
            sent: None,
            delivered: BTreeMap::new(),
            starts: Vec::new(),
            arrived: 0,
            ends: Vec::new(),
            dropped: None,
        }
    }

    fn take(&mut self, at: Duration, step: &Step) {
        match step {
            Step::Sent { process, generation, .. } => self.sent = Some((*process, *generation)),
            Step::Delivered { process, .. } => *self.delivered.entry(*process).or_default() += 1,
            Step::Started { process, redelivered, .. } => {
                self.starts.push(Start { at, process: *process, redelivered: *redelivered });
            }
            Step::Arrived { .. } => self.arrived += 1,
            Step::Ended { peer, outcome, .. } => {
                self.ends.push(End { at, peer: *peer, outcome: outcome.clone() });
            }
            Step::Dropped { .. } => self.dropped = Some(at),
            _ => {}
        }
    }
}

/// The calls of a run, by their numbers.
pub(crate) fn calls(trace: &[Entry]) -> BTreeMap<u32, Call> {
    let mut calls = BTreeMap::new();
    for (at, step) in trace {
        if let Step::Called { call, whom, notification, queued, deadline } = step {
            calls.insert(*call, Call::begun(whom, *notification, *queued, *deadline));
        } else if let Some(call) = step.call().and_then(|call| calls.get_mut(&call)) {
            call.take(*at, step);
        }
    }
    calls
}

impl Step {
    /// The call that it is a step of.
    pub(crate) fn call(&self) -> Option<u32> {
        match self {
            Self::Called { call, .. }
            | Self::Sent { call, .. }
            | Self::Delivered { call, .. }
            | Self::Started { call, .. }
            | Self::Arrived { call }
            | Self::Ended { call, .. }
            | Self::Dropped { call } => Some(*call),
            Self::Probed { .. }
            | Self::Lost { .. }
            | Self::Killed { .. }
            | Self::Left { .. }
            | Self::Ignored { .. } => None,
        }
    }
}
