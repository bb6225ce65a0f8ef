//! One message, as every transport carries it.

use crate::{Encoding, Fault, Instance, ReplyTo, TraceParent};
use bytes::Bytes;
use std::{fmt, time::Duration};
use uuid::Uuid;

/// The protocol that this crate speaks: the header `bw-protocol`.
pub const PROTOCOL: u32 = 1;

/// The deadline of a request that names none.
pub const DEFAULT_DEADLINE: Duration = Duration::from_secs(5);

/// The `type` of an answer that went well.
pub(crate) const REPLY: &str = "reply";
/// The `type` of a [`Fault`].
pub(crate) const FAULT: &str = "fault";

/// Joins a reply to its call. Ours are UUIDs; another caller's may be any text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CorrelationId(pub String);

impl CorrelationId {
    pub(crate) fn new() -> Self {
        Self(Uuid::now_v7().to_string())
    }
}

/// One message, as whoever writes a [`Transport`](crate::Transport) gets to see it. A missing property has its default;
/// none is a reason not to answer.
#[derive(Clone)]
pub struct Message {
    /// The method's name, or `reply`, or `fault`.
    pub kind: String,
    /// Joins a reply to its call.
    pub correlation_id: Option<CorrelationId>,
    /// Where the reply goes; a request without one is a notification. The transport fills it in on sending.
    pub reply_to: Option<ReplyTo>,
    /// Unique for each message.
    pub message_id: String,
    /// The process that sent it.
    pub sender: Option<Instance>,
    /// The process that is meant.
    pub target: Option<Instance>,
    /// What was left of the deadline at sending.
    pub deadline: Option<Duration>,
    /// The protocol that the sender speaks.
    pub protocol: u32,
    /// The trace that it belongs to, with the span that sent it.
    pub trace: Option<TraceParent>,
    /// How the body is written; none when that is not known here.
    pub encoding: Option<Encoding>,
    /// The payload. Never logged.
    pub body: Bytes,
}

impl Message {
    fn new(kind: &str, sender: Instance, encoding: Encoding, body: Bytes) -> Self {
        Self {
            kind: kind.to_owned(),
            correlation_id: None,
            reply_to: None,
            message_id: Uuid::now_v7().to_string(),
            sender: Some(sender),
            target: None,
            deadline: None,
            protocol: PROTOCOL,
            trace: None,
            encoding: Some(encoding),
            body,
        }
    }

    /// A request, or a notification: nobody waits for an answer to one without a correlation id.
    pub(crate) fn request(
        method: &str,
        correlation_id: Option<CorrelationId>,
        sender: Instance,
        target: Option<Instance>,
        deadline: Duration,
        encoding: Encoding,
        body: Bytes,
    ) -> Self {
        let message = Self::new(method, sender, encoding, body);
        Self { correlation_id, target, deadline: Some(deadline), ..message }
    }

    /// The answer to a request: the encoded reply, or a fault.
    pub(crate) fn answer(
        to: Option<CorrelationId>,
        sender: Instance,
        encoding: Encoding,
        answer: Result<Bytes, Fault>,
    ) -> Self {
        let (kind, body) = match answer {
            Ok(body) => (REPLY, body),
            Err(fault) => (FAULT, encoding.write(&fault).unwrap_or_default()),
        };
        Self { correlation_id: to, ..Self::new(kind, sender, encoding, body) }
    }

    /// Whether the sender waits for an answer: it is a call, not a notification.
    #[must_use]
    pub fn expects_reply(&self) -> bool {
        self.correlation_id.is_some()
    }

    pub(crate) fn is_answer(&self) -> bool {
        self.kind == REPLY || self.kind == FAULT
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("kind", &self.kind)
            .field("correlation_id", &self.correlation_id)
            .field("sender", &self.sender)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}
