//! The names of a store's keys. All of them share the fleet in braces, so that a cluster keeps them in one slot.

use bellwether_proto::{Fleet, RolloutId};

pub(super) struct Keys {
    prefix: String,
    /// HASH: `store_id`, `revision`, `succeeds` (a JSON list).
    pub(super) store: String,
    /// HASH: document → it and its record, in JSON.
    pub(super) configs: String,
    /// HASH: document that was deleted → revision of its deletion.
    pub(super) tombstones: String,
    /// ZSET: rollout → when it was first saved.
    pub(super) rollouts: String,
}

impl Keys {
    pub(super) fn new(fleet: &Fleet) -> Self {
        let prefix = format!("bw:{{{fleet}}}:");
        let key = |rest: &str| format!("{prefix}{rest}");
        Self {
            store: key("store"),
            configs: key("configs"),
            tombstones: key("tombstones"),
            rollouts: key("rollouts"),
            prefix,
        }
    }

    /// A rollout, in JSON.
    pub(super) fn rollout(&self, id: RolloutId) -> String {
        format!("{}rollout:{id}", self.prefix)
    }

    /// All of them, for people.
    pub(super) fn all(&self) -> String {
        format!("{}*", self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_named_as_in_the_design() {
        let keys = Keys::new(&Fleet::default());
        assert_eq!(keys.store, "bw:{default}:store");
        assert_eq!(keys.configs, "bw:{default}:configs");
        assert_eq!(keys.tombstones, "bw:{default}:tombstones");
        let id = RolloutId::new();
        assert_eq!(keys.rollout(id), format!("bw:{{default}}:rollout:{id}"));
    }
}
