//! One message, as every transport carries it.

use crate::{Fault, Instance, ReplyTo};
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
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CorrelationId(pub String);

impl CorrelationId {
    pub(crate) fn new() -> Self {
        Self(Uuid::now_v7().to_string())
    }
}

/// One message. A missing property has its default; none is a reason not to answer.
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
    /// W3C trace context.
    pub traceparent: Option<String>,
    /// The payload, as JSON. Never logged.
    pub body: Bytes,
}

impl Message {
    fn new(kind: &str, sender: Instance, body: Bytes) -> Self {
        Self {
            kind: kind.to_owned(),
            correlation_id: None,
            reply_to: None,
            message_id: Uuid::now_v7().to_string(),
            sender: Some(sender),
            target: None,
            deadline: None,
            protocol: PROTOCOL,
            traceparent: None,
            body,
        }
    }

    pub(crate) fn request(
        method: &str,
        id: CorrelationId,
        sender: Instance,
        target: Option<Instance>,
        deadline: Duration,
        body: Bytes,
    ) -> Self {
        Self { correlation_id: Some(id), target, deadline: Some(deadline), ..Self::new(method, sender, body) }
    }

    pub(crate) fn notification(
        method: &str,
        sender: Instance,
        target: Option<Instance>,
        time_to_live: Duration,
        body: Bytes,
    ) -> Self {
        Self { target, deadline: Some(time_to_live), ..Self::new(method, sender, body) }
    }

    /// The answer to a request: the encoded reply, or a fault.
    pub(crate) fn answer(to: Option<CorrelationId>, sender: Instance, answer: Result<Bytes, Fault>) -> Self {
        let (kind, body) = match answer {
            Ok(body) => (REPLY, body),
            Err(fault) => (FAULT, encode(&fault).unwrap_or_default()),
        };
        Self { correlation_id: to, ..Self::new(kind, sender, body) }
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

/// Encodes a body.
pub(crate) fn encode<T: serde::Serialize>(value: &T) -> Result<Bytes, serde_json::Error> {
    serde_json::to_vec(value).map(Bytes::from)
}

/// Decodes a body. Unknown fields are the message type's business: Bellwether's ignore them.
pub(crate) fn decode<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, serde_json::Error> {
    serde_json::from_slice(body)
}
