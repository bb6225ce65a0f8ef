//! Why an agent ends, other than by being told to.

use crate::state::StateError;

/// Why an agent ended, other than by being told to.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// Its state folder cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// One of its tasks ended by itself, which is a mistake in the program.
    #[error("the {task} ended by itself: {reason}")]
    TaskEnded {
        /// Which one.
        task: &'static str,
        /// What is known about it.
        reason: String,
    },
}
