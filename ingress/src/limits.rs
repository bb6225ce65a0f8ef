//! How large a document, a file and a fleet's whole set may be.

use crate::time_span::TimeSpan;

/// Bytes of one document, as text and in its canonical form.
pub const MAX_DOCUMENT_BYTES: usize = 1 << 20;
/// Bytes of a file of several documents.
pub const MAX_FILE_BYTES: usize = 16 << 20;
/// Documents in one file.
pub const MAX_FILE_DOCUMENTS: usize = 1_000;
/// How deep lists and mappings may be nested.
pub const MAX_DEPTH: usize = 12;
/// Keys and values in one document; at 6 bytes each, the least they take on average, 1 MiB holds fewer.
pub const MAX_NODES: usize = 200_000;
/// Keys of one mapping: as many as there may be labels.
pub const MAX_KEYS: usize = MAX_LABELS;
/// Labels of an agent or a document.
pub const MAX_LABELS: usize = 64;
/// Bytes of a selector.
pub const MAX_SELECTOR_BYTES: usize = 4_096;

/// Listeners of a document.
pub const MAX_LISTENERS: usize = 64;
/// Rules of a document.
pub const MAX_RULES: usize = 2_000;
/// Paths of a rule.
pub const MAX_RULE_PATHS: usize = 1_000;
/// Paths of a document.
pub const MAX_PATHS: usize = 5_000;
/// Backends of a document.
pub const MAX_BACKENDS: usize = 2_000;
/// Endpoints of a backend.
pub const MAX_BACKEND_ENDPOINTS: usize = 1_024;
/// Endpoints of a document.
pub const MAX_ENDPOINTS: usize = 10_000;
/// Entries under `tls` of a document.
pub const MAX_TLS: usize = 500;
/// Hosts of an entry under `tls`.
pub const MAX_TLS_HOSTS: usize = 100;
/// The heaviest endpoint, as in HAProxy.
pub const MAX_WEIGHT: u16 = 256;
/// The most checks in a row that `rise` and `fall` may ask for.
pub const MAX_CHECKS_IN_A_ROW: u8 = 100;

/// Different hosts in the rules of a fleet's whole set.
pub const MAX_FLEET_HOSTS: usize = 10_000;
/// Paths of a fleet's whole set.
pub const MAX_FLEET_PATHS: usize = 50_000;
/// Backends of a fleet's whole set.
pub const MAX_FLEET_BACKENDS: usize = 10_000;

/// The shortest and the longest that a field may ask for.
pub(crate) struct Bounds {
    pub(crate) shortest: TimeSpan,
    pub(crate) longest: TimeSpan,
}

impl Bounds {
    const fn of_ms(shortest: u64, longest: u64) -> Self {
        Self { shortest: TimeSpan::from_ms(shortest), longest: TimeSpan::from_ms(longest) }
    }
}

/// `timeouts.connect`.
pub(crate) const CONNECT_TIMEOUT: Bounds = Bounds::of_ms(10, 60_000);
/// `timeouts.response`: up to a day, for downloads and long polls.
pub(crate) const RESPONSE_TIMEOUT: Bounds = Bounds::of_ms(10, 24 * 60 * 60_000);
/// `healthCheck.interval`: not so short that the checks are the load.
pub(crate) const CHECK_INTERVAL: Bounds = Bounds::of_ms(100, 60 * 60_000);
/// `healthCheck.timeout`.
pub(crate) const CHECK_TIMEOUT: Bounds = Bounds::of_ms(10, 5 * 60_000);
