//! An event as the fleet's stream has it.

use crate::registry::Event;
use redis::{FromRedisValue, ParsingError, Value};
use std::collections::HashMap;

/// An entry of the stream, ours or not.
pub(super) struct StreamEntry {
    pub(super) id: String,
    fields: HashMap<Vec<u8>, Vec<u8>>,
}

impl FromRedisValue for StreamEntry {
    fn from_redis_value(value: Value) -> Result<Self, ParsingError> {
        let (id, fields) = redis::from_redis_value(value)?;
        Ok(Self { id, fields })
    }
}

impl StreamEntry {
    /// The event; none if the entry cannot be read as one.
    pub(super) fn read(&self) -> Option<Event> {
        Some(Event {
            id: self.id.clone(),
            kind: self.field("type")?.to_owned(),
            agent: self.field("agent")?.parse().ok()?,
            instance: self.field("instance")?.parse().ok()?,
            at: self.field("at")?.parse().ok()?,
        })
    }

    fn field(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(self.fields.get(name.as_bytes())?).ok()
    }
}
