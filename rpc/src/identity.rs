//! Who speaks: the process, and which of its connections.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

/// A process, as a UUIDv7: a later start compares greater.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Instance(Uuid);

impl Instance {
    /// A new identity, greater than every one made before it.
    #[must_use]
    pub fn new() -> Self {
        Self(Uuid::now_v7())
    }

    /// When it was made, in milliseconds since 1970, by the clock of its machine: what a UUIDv7 begins with. Of a UUID
    /// of another version it is any number.
    #[must_use]
    pub fn made_at_ms(self) -> u64 {
        (self.0.as_u128() >> 80) as u64
    }
}

impl Default for Instance {
    fn default() -> Self {
        Self::new()
    }
}

impl FromStr for Instance {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

impl fmt::Display for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Counts the connections of one process, from 1. Queue names carry it, so that no name is ever used twice.
pub type Generation = u64;
