//! What a handler knows of the call beside its request.

use crate::{Deadline, Instance, Scope, TraceParent};
use std::time::Duration;

/// What a handler knows of the call beside its request.
#[derive(Clone, Debug)]
pub struct Context {
    /// When the caller stops waiting.
    pub deadline: Deadline,
    /// The process that called, when it says so.
    pub caller: Option<Instance>,
    /// Whether the broker delivered this request before, to a server that did not finish it.
    pub redelivered: bool,
    /// Whether nobody waits for an answer.
    pub notification: bool,
    /// The trace that the caller is part of, with the span of this handler.
    pub trace: Option<TraceParent>,
}

impl Context {
    /// For calls on behalf of this one: what remains of its deadline, but no more than `limit`.
    #[must_use]
    pub fn at_most(&self, limit: Duration) -> Scope {
        Scope::from(self).at_most(limit)
    }
}

impl From<&Context> for Scope {
    fn from(context: &Context) -> Self {
        Self { deadline: context.deadline, trace: context.trace }
    }
}
