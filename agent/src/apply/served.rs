//! What serves now, as the apply loop tells the other tasks.

use crate::set::ConfigSet;
use bellwether_proto::Known;
use std::sync::Arc;
use tokio::time::Instant;

/// What serves now.
#[derive(Clone, Debug)]
pub(crate) struct Served {
    /// The set itself.
    pub(crate) set: Arc<ConfigSet>,
    /// What a beat says of it.
    pub(crate) known: Known,
    /// Why something else should serve and does not.
    pub(crate) last_error: Option<String>,
    /// When to try again what was refused or failed.
    pub(crate) retry_at: Option<Instant>,
    /// Whether the remembered set has been applied, or tried, since the start.
    pub(crate) is_ready: bool,
}

impl Served {
    /// What is remembered, before it is applied.
    pub(super) fn starting(set: Arc<ConfigSet>) -> Self {
        Self { known: set.known(), set, last_error: None, retry_at: None, is_ready: false }
    }

    /// What the loop has found out.
    pub(super) fn ready(set: Arc<ConfigSet>, last_error: Option<String>, retry_at: Option<Instant>) -> Self {
        Self { known: set.known(), set, last_error, retry_at, is_ready: true }
    }

    /// Whether `other` says the same.
    pub(super) fn says_the_same(&self, other: &Self) -> bool {
        self.known == other.known
            && self.last_error == other.last_error
            && self.retry_at == other.retry_at
            && self.is_ready == other.is_ready
    }
}
