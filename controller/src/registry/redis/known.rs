//! An agent as the hash of all known agents has it.

use crate::registry::{AgentEntry, AgentRecord, Presence};
use redis::{FromRedisValue, ParsingError, Value};
use serde::Deserialize;
use std::time::Duration;

/// An agent in the answer of `list.lua` or `find.lua`, as `prelude.lua` writes it.
pub(super) struct Listed {
    pub(super) name: String,
    entry: String,
    alive: bool,
    indexed: bool,
    conflict: bool,
}

impl FromRedisValue for Listed {
    fn from_redis_value(value: Value) -> Result<Self, ParsingError> {
        let (name, entry, alive, indexed, conflict) = redis::from_redis_value(value)?;
        Ok(Self { name: lossy(name), entry: lossy(entry), alive, indexed, conflict })
    }
}

/// What is not UTF-8 is not ours and is refused later, one at a time.
fn lossy(bytes: Vec<u8>) -> String {
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What `prelude.lua` writes as `known_entry`.
#[derive(Deserialize)]
struct KnownEntry {
    last_seen: u64,
    #[serde(default)]
    offline_since: Option<u64>,
    record: AgentRecord,
}

impl Listed {
    /// The agent; none if its entry cannot be read, or is somebody else's.
    pub(super) fn read(&self, now_ms: u64) -> Option<AgentEntry> {
        let known: KnownEntry = serde_json::from_str(&self.entry).ok()?;
        if known.record.name.as_str() != self.name {
            return None;
        }
        let presence = match known.offline_since {
            _ if self.alive => Presence::Online,
            Some(_) if !self.indexed => Presence::Offline,
            _ => Presence::Silent,
        };
        Some(AgentEntry {
            record: known.record,
            presence,
            last_seen_age: Duration::from_millis(now_ms.saturating_sub(known.last_seen)),
            conflict: self.conflict,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bellwether_proto::Known;
    use bellwether_rpc::Instance;

    fn record() -> AgentRecord {
        AgentRecord {
            name: "node-7".parse().unwrap(),
            instance: Instance::new(),
            generation: 1,
            version: "1".to_owned(),
            labels: [("instance".parse().unwrap(), "other".parse().unwrap())].into_iter().collect(),
            known: Known::nothing(),
            last_error: None,
        }
    }

    /// The scripts read it there, without parsing the whole record.
    #[test]
    fn a_record_begins_with_name_and_instance() {
        let record = record();
        let json = serde_json::to_string(&record).unwrap();
        let head = format!(r#"{{"name":"node-7","instance":"{}","#, record.instance);
        assert!(json.starts_with(&head), "{json}");
    }

    #[test]
    fn an_entry_that_is_not_the_agents_is_not_read() {
        let json = serde_json::to_string(&record()).unwrap();
        let entry = format!(r#"{{"last_seen":5,"offline_since":7,"record":{json}}}"#);
        let listed = |name: &str, entry: &str| Listed {
            name: name.to_owned(),
            entry: entry.to_owned(),
            alive: false,
            indexed: false,
            conflict: false,
        };
        let read = listed("node-7", &entry).read(15).unwrap();
        assert_eq!((read.presence, read.last_seen_age), (Presence::Offline, Duration::from_millis(10)));
        assert!(listed("node-8", &entry).read(15).is_none());
        assert!(listed("node-7", "{}").read(15).is_none());
        assert!(listed("node-7", "\u{fffd}").read(15).is_none());
    }
}
