//! The names of a fleet's keys. All of them share the fleet in braces, so that a cluster keeps them in one slot.

use bellwether_proto::{AgentName, Fleet};
use bellwether_rpc::Instance;

pub(super) struct Keys {
    /// What the key of every agent begins with.
    pub(super) agent_prefix: String,
    /// ZSET: agent → when its time to live ends. Whoever is in it has not been called offline.
    pub(super) online: String,
    /// HASH: agent → its last record, when it was last seen and since when it is offline.
    pub(super) known: String,
    /// ZSET: agent → until when its conflict is shown.
    pub(super) conflicts: String,
    /// STREAM of events.
    pub(super) events: String,
    /// ZSET: replica → when its time to live ends.
    pub(super) replicas: String,
    gone_prefix: String,
    replica_prefix: String,
}

impl Keys {
    pub(super) fn new(fleet: &Fleet) -> Self {
        let key = |rest: &str| format!("bw:{{{fleet}}}:{rest}");
        Self {
            agent_prefix: key("agent:"),
            online: key("online"),
            known: key("known"),
            conflicts: key("conflicts"),
            events: key("events"),
            replicas: key("replicas"),
            gone_prefix: key("gone:"),
            replica_prefix: key("replica:"),
        }
    }

    /// The record of an agent, which lives as long as the agent does: the truth about being alive.
    pub(super) fn agent(&self, name: &AgentName) -> String {
        format!("{}{name}", self.agent_prefix)
    }

    /// That a process has said goodbye.
    pub(super) fn gone(&self, instance: Instance) -> String {
        format!("{}{instance}", self.gone_prefix)
    }

    /// That a replica is there.
    pub(super) fn replica(&self, instance: Instance) -> String {
        format!("{}{instance}", self.replica_prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_named_as_in_the_design() {
        let keys = Keys::new(&Fleet::default());
        assert_eq!(keys.agent(&"node-7".parse().unwrap()), "bw:{default}:agent:node-7");
        assert_eq!(keys.online, "bw:{default}:online");
        assert_eq!(keys.known, "bw:{default}:known");
        assert_eq!(keys.events, "bw:{default}:events");
    }
}
