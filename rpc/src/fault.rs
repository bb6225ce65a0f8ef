//! The failure that a server answers with.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What kind of failure it is. An unknown kind of a newer peer reads as [`FaultKind::Internal`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum FaultKind {
    /// The service has no such method.
    UnknownMethod,
    /// The request cannot be understood, or speaks a newer protocol.
    BadRequest,
    /// The request was understood, and refused for what it asks.
    Rejected,
    /// Something newer has taken its place.
    Superseded,
    /// The server has no room; try again later. The handler did not run.
    Overloaded,
    /// The deadline passed on the server's side.
    DeadlineExceeded,
    /// The server cannot answer now, or is not the instance that was meant. The handler did not run.
    Unavailable,
    /// The caller may not ask this.
    Unauthorized,
    /// The handler failed, or panicked.
    #[serde(other)]
    Internal,
}

impl FaultKind {
    /// Whether it says that the handler did not run, so that the call can be made again.
    pub(crate) fn denies_a_run(self) -> bool {
        matches!(self, Self::Overloaded | Self::Unavailable)
    }

    /// The kind's name, as metrics have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::UnknownMethod => "unknown_method",
            Self::BadRequest => "bad_request",
            Self::Rejected => "rejected",
            Self::Superseded => "superseded",
            Self::Overloaded => "overloaded",
            Self::DeadlineExceeded => "deadline_exceeded",
            Self::Unavailable => "unavailable",
            Self::Unauthorized => "unauthorized",
            Self::Internal => "internal",
        }
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// A failure that was delivered and answered: `{"fault": "Rejected", "message": "…"}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{kind}: {message}")]
pub struct Fault {
    /// What kind of failure.
    #[serde(rename = "fault")]
    pub kind: FaultKind,
    /// What a person should know about it, in one line or a few.
    #[serde(default)]
    pub message: String,
}

impl Fault {
    /// A fault of this kind.
    pub fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// The same, of a request that the broker delivered before: a handler can have run then, so that a fault which
    /// says that none has is not true, and becomes `Internal`.
    pub(crate) fn of_a_redelivery(self) -> Self {
        if !self.kind.denies_a_run() {
            return self;
        }
        Self::internal(format!("delivered before, to a server that did not finish it; now {self}"))
    }

    /// The request was understood, and refused for what it asks.
    pub fn rejected(message: impl Into<String>) -> Self {
        Self::new(FaultKind::Rejected, message)
    }

    /// The request cannot be understood.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(FaultKind::BadRequest, message)
    }

    /// Something newer has taken its place.
    pub fn superseded(message: impl Into<String>) -> Self {
        Self::new(FaultKind::Superseded, message)
    }

    /// The server cannot answer now.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(FaultKind::Unavailable, message)
    }

    /// The server has no room.
    pub fn overloaded(message: impl Into<String>) -> Self {
        Self::new(FaultKind::Overloaded, message)
    }

    /// The handler failed.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(FaultKind::Internal, message)
    }
}
