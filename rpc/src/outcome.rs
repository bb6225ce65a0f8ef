//! How a call can end, other than well.

use crate::{Address, Fault};

/// How a call ended, other than well. [`CallError::is_safe_to_resend`] says whether the handler can have run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// Delivered, and answered with a failure.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// Nobody is at that address.
    #[error("nobody answers at {address}{}", if *.sent { " any more" } else { "" })]
    Unroutable {
        /// The address that was called.
        address: String,
        /// Whether it can have been delivered all the same: a peer that a call to everyone went to has gone since.
        sent: bool,
    },
    /// No answer by the deadline. Once sent, the handler may have run, or may yet run.
    #[error("{}", if *.sent { "no answer by the deadline" } else { "not sent by the deadline: the broker is not reachable" })]
    DeadlineExceeded {
        /// Whether the request can have left this process.
        sent: bool,
    },
    /// The connection, or its reply queue, was lost while the call was in flight: the handler may have run.
    #[error("the connection was lost before the answer came")]
    Disconnected,
    /// Not sent: too many calls in flight here, or the broker takes no messages now.
    #[error("not sent: {reason}")]
    Overloaded {
        /// What there is too much of.
        reason: String,
    },
    /// Not sent: the request cannot be put on the wire.
    #[error("not sent: {reason}")]
    Invalid {
        /// What is wrong with it.
        reason: String,
    },
}

impl CallError {
    /// Nobody was at that address: not delivered.
    pub(crate) fn unroutable(address: &Address) -> Self {
        Self::Unroutable { address: address.to_string(), sent: false }
    }

    /// Whether the handler cannot have run, so that sending again repeats nothing.
    ///
    /// Of one call to one peer that is certain where the address names the instance ([`Address::at_instance`]). While two
    /// processes of one name live, a call to the name alone goes to both, and a refusal by one says nothing of the other.
    #[must_use]
    pub fn is_safe_to_resend(&self) -> bool {
        match self {
            Self::Unroutable { sent, .. } | Self::DeadlineExceeded { sent } => !sent,
            Self::Overloaded { .. } => true,
            Self::Fault(fault) => fault.kind.denies_a_run(),
            Self::Disconnected | Self::Invalid { .. } => false,
        }
    }

    /// The outcome's name, as metrics and logs have it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Fault(_) => "fault",
            Self::Unroutable { .. } => "unroutable",
            Self::DeadlineExceeded { .. } => "deadline_exceeded",
            Self::Disconnected => "disconnected",
            Self::Overloaded { .. } => "overloaded",
            Self::Invalid { .. } => "invalid",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_cannot_have_run_is_safe_to_resend() {
        let safe = [
            CallError::Unroutable { address: "a".into(), sent: false },
            CallError::Overloaded { reason: "x".into() },
            CallError::DeadlineExceeded { sent: false },
            Fault::overloaded("").into(),
            Fault::unavailable("").into(),
        ];
        let unsafe_ = [
            CallError::Unroutable { address: "a".into(), sent: true },
            CallError::DeadlineExceeded { sent: true },
            CallError::Disconnected,
            Fault::internal("").into(),
            Fault::rejected("").into(),
        ];
        assert!(safe.iter().all(CallError::is_safe_to_resend));
        assert!(!unsafe_.iter().any(CallError::is_safe_to_resend));
    }
}
