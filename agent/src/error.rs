//! Why an agent ends, other than by being told to.

use crate::state::StateError;
use std::{io, net::SocketAddr};

/// Why an agent ended, other than by being told to.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// Its state folder cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// It cannot listen where it is to say how it is.
    #[error("cannot listen on {address}: {error}: choose another address with --health-listen")]
    Health {
        /// Where.
        address: SocketAddr,
        /// Why not.
        error: io::Error,
    },
    /// One of its tasks ended by itself, which is a mistake in the program.
    #[error("the {task} ended by itself: {reason}")]
    TaskEnded {
        /// Which one.
        task: &'static str,
        /// What is known about it.
        reason: String,
    },
}
