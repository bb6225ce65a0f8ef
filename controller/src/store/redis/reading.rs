//! What the store holds, as it is read: any of it may have been written by others.

use super::{Change, Kind, keys::Keys};
use crate::store::{Snapshot, StoreError, StoredConfig};
use bellwether_ingress::{ConfigName, Revision};
use bellwether_proto::{StoreHead, StoreId};
use redis::{FromRedisValue, ParsingError, Value};
use std::{collections::HashMap, fmt::Display, str::FromStr, sync::Arc};

/// The fields that [`RawHead`] is made of, in order.
pub(super) const HEAD_FIELDS: &[&str] = &["store_id", "revision", "succeeds"];

/// The head as Redis answers it.
pub(super) struct RawHead([Option<Vec<u8>>; 3]);

impl FromRedisValue for RawHead {
    fn from_redis_value(value: Value) -> Result<Self, ParsingError> {
        redis::from_redis_value(value).map(Self)
    }
}

impl RawHead {
    /// The head; none if the store was not made yet.
    pub(super) fn read(&self, key: &str) -> Result<Option<StoreHead>, StoreError> {
        let corrupt = |field: &str| StoreError::Corrupt(format!("{field} in {key}"));
        let [store_id, revision, succeeds] = &self.0;
        let Some(store_id) = store_id else { return Ok(None) };
        let store_id: StoreId = canonical(store_id).ok_or_else(|| corrupt("store_id"))?;
        let revision = revision.as_deref().and_then(canonical::<u64>).ok_or_else(|| corrupt("revision"))?;
        let succeeds = match succeeds {
            Some(list) => serde_json::from_slice(list).map_err(|_| corrupt("succeeds"))?,
            None => Vec::new(),
        };
        Ok(Some(StoreHead { store_id, succeeds, revision: Revision::from(revision) }))
    }
}

/// What would be written again just as it stands, or the script that compares would never find it equal.
fn canonical<T: FromStr + Display>(bytes: &[u8]) -> Option<T> {
    let text = std::str::from_utf8(bytes).ok()?;
    text.parse().ok().filter(|value: &T| value.to_string() == text)
}

/// Everything that the store holds at one revision.
pub(super) struct Contents {
    /// What can be read.
    pub(super) live: Arc<Snapshot>,
    /// The names of what cannot.
    pub(super) unreadable: Vec<String>,
}

impl Contents {
    pub(super) fn read(
        (head, documents): (RawHead, HashMap<Vec<u8>, Vec<u8>>),
        keys: &Keys,
    ) -> Result<Self, StoreError> {
        let head = head.read(&keys.store)?;
        let head =
            head.ok_or_else(|| StoreError::Unavailable(format!("{} has just been deleted", keys.store)))?;
        let (mut configs, mut unreadable) = (Vec::with_capacity(documents.len()), Vec::new());
        for (name, document) in &documents {
            match read_document(name, document) {
                Some(stored) => configs.push(Arc::new(stored)),
                None => unreadable.push(shown(name)),
            }
        }
        configs.sort_by(|one, other| one.config.name().cmp(other.config.name()));
        unreadable.sort();
        Ok(Self { live: Arc::new(Snapshot { head, configs }), unreadable })
    }

    /// An error if there is anything that cannot be read, other than the document `but`.
    pub(super) fn refuse_unreadable(&self, key: &str, but: Option<&ConfigName>) -> Result<(), StoreError> {
        let other = |name: &&String| but.is_none_or(|but| but.as_str() != name.as_str());
        match self.unreadable.iter().find(other) {
            Some(name) => Err(StoreError::Corrupt(format!("document {name} in {key}"))),
            None => Ok(()),
        }
    }

    /// What the store holds after this change; none if there is more that cannot be read.
    pub(super) fn after(&self, change: &Change) -> Option<Snapshot> {
        if !self.unreadable.is_empty() {
            return None;
        }
        Some(match change.kind {
            Kind::Put => self.live.with(change.stored.clone()),
            Kind::Delete => self.live.without(change.stored.config.name(), change.revision),
        })
    }
}

fn read_document(name: &[u8], document: &[u8]) -> Option<StoredConfig> {
    let stored: StoredConfig = serde_json::from_slice(document).ok()?;
    (stored.config.name().as_str().as_bytes() == name).then_some(stored)
}

/// A name that may be anything, for people: up to 64 characters, none of them a control character.
fn shown(name: &[u8]) -> String {
    String::from_utf8_lossy(name).chars().take(64).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(store_id: &str, revision: &str) -> Result<Option<StoreHead>, StoreError> {
        RawHead([Some(store_id.into()), Some(revision.into()), None]).read("bw:{default}:store")
    }

    #[test]
    fn a_head_is_read_only_as_it_would_be_written() {
        let id = StoreId::new().to_string();
        assert!(head(&id, "7").is_ok_and(|head| head.is_some_and(|head| head.revision == Revision::from(7))));
        for (store_id, revision) in
            [(id.as_str(), "07"), (&id, "-1"), (&id, ""), (&id.to_uppercase(), "7"), ("x", "7")]
        {
            let error = head(store_id, revision).unwrap_err();
            assert!(error.to_string().contains("bw:{default}:store"), "{error}");
        }
        assert!(RawHead([None, Some("7".into()), None]).read("key").unwrap().is_none());
    }

    #[test]
    fn a_foreign_name_is_shown_on_one_line() {
        assert_eq!(shown(b"a\nb"), "a\\nb");
        assert_eq!(shown(&[b'x'; 100]).len(), 64);
    }
}
