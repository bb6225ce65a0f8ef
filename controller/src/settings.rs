//! What a controller can be told, beside where its backends are.

use crate::Access;
use bellwether_program::metrics::Metrics;
use bellwether_proto::Fleet;
use std::time::Duration;

/// What a controller can be told, beside where its backends are.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The fleet.
    pub fleet: Fleet,
    /// The version that it shows.
    pub version: String,
    /// How often agents are told to beat.
    pub beat_interval: Duration,
    /// How long a beat keeps an agent online, as long as agents beat at that interval.
    pub time_to_live: Duration,
    /// How many beats a second the whole fleet may make: agents of a larger one are told to beat more seldom, and their
    /// beats count for longer.
    pub beat_budget: u32,
    /// How long agents may take to come back after the broker did: an attempt may hang for 5 s, and the next comes
    /// up to 5 s after it. Until then silence proves nothing.
    pub reconnect_window: Duration,
    /// How long an offline agent is remembered.
    pub forget_after: Duration,
    /// How long a push waits for its targets unless it says otherwise.
    pub push_timeout: Duration,
    /// Who may use the HTTP API; nobody but this machine unless it says otherwise.
    pub access: Access,
    /// What `/metrics` shows; nothing where several controllers share a process.
    pub metrics: Option<Metrics>,
}

impl Settings {
    /// The defaults, for this fleet.
    #[must_use]
    pub fn new(fleet: Fleet) -> Self {
        Self {
            fleet,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            beat_interval: Duration::from_secs(1),
            time_to_live: Duration::from_secs(3),
            beat_budget: 10_000,
            reconnect_window: Duration::from_secs(10),
            forget_after: Duration::from_secs(24 * 60 * 60),
            push_timeout: Duration::from_secs(5),
            access: Access::default(),
            metrics: None,
        }
    }
}
