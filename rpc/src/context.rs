//! What a handler knows of the call beside its request.

use crate::{Deadline, Instance};

/// What a handler knows of the call beside its request.
#[derive(Clone, Debug)]
pub struct Context {
    /// When the caller stops waiting. Nested calls take what remains of it.
    pub deadline: Deadline,
    /// The process that called, when it says so.
    pub caller: Option<Instance>,
    /// Whether the broker delivered this request before, to a server that did not finish it.
    pub redelivered: bool,
    /// Whether nobody waits for an answer.
    pub notification: bool,
    /// W3C trace context of the caller.
    pub traceparent: Option<String>,
}
