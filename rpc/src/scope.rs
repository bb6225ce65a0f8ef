//! What a call inherits from whatever it is part of.

use crate::{Deadline, TraceParent};
use std::time::Duration;

/// What a call inherits: the deadline that it must keep, and the trace that it belongs to.
///
/// A bare [`Deadline`] is one; a handler's [`Context`](crate::Context) is the one for calls made on behalf of its own
/// caller: they have what remains of the caller's deadline.
#[derive(Clone, Copy, Debug)]
pub struct Scope {
    /// The moment by which the call has ended.
    pub deadline: Deadline,
    /// The trace, when there is one already.
    pub trace: Option<TraceParent>,
}

impl Scope {
    /// The same, ending no later than `limit` from now.
    #[must_use]
    pub fn at_most(self, limit: Duration) -> Self {
        Self { deadline: self.deadline.min(Deadline::after(limit)), ..self }
    }
}

impl From<Deadline> for Scope {
    fn from(deadline: Deadline) -> Self {
        Self { deadline, trace: None }
    }
}
