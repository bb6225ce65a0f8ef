//! One logical client for each agent that is there, and the news that one is gone.

use crate::plan::Target;
use bellwether_proto::{
    AgentName,
    agent::{self, AgentClient},
};
use bellwether_rpc::{Connection, Instance};
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};
use tokio_util::sync::CancellationToken;

/// The clients of all agents that are not known to be offline. They share one connection; the registry decides who is
/// there, and the pool follows it.
pub(crate) struct Pool {
    connection: Connection,
    members: Mutex<HashMap<AgentName, Member>>,
}

/// A client of one agent's process, and the token that is cancelled when that process is gone.
#[derive(Clone)]
pub(crate) struct Member {
    pub(crate) instance: Instance,
    pub(crate) client: AgentClient,
    pub(crate) gone: CancellationToken,
}

impl Pool {
    pub(crate) fn new(connection: Connection) -> Self {
        Self { connection, members: Mutex::default() }
    }

    /// The client of a target. A target that a newer process has replaced is gone already.
    pub(crate) fn member(&self, target: &Target) -> Member {
        let mut members = self.lock();
        match members.get(&target.name) {
            Some(member) if member.instance == target.instance => member.clone(),
            Some(newer) if newer.instance > target.instance => {
                let replaced = self.new_member(&target.name, target.instance);
                replaced.gone.cancel();
                replaced
            }
            _ => self.enter(&mut members, &target.name, target.instance),
        }
    }

    /// Follows the registry: whoever is not among those present is gone, and so is a process that was replaced.
    pub(crate) fn reconcile(&self, present: &HashMap<&AgentName, Instance>) {
        let mut members = self.lock();
        members.retain(|name, member| {
            let stays = present.get(name) == Some(&member.instance);
            if !stays {
                member.gone.cancel();
            }
            stays
        });
        for (name, instance) in present {
            if !members.contains_key(*name) {
                self.enter(&mut members, name, *instance);
            }
        }
    }

    /// This process of an agent is gone: its calls in flight end now.
    pub(crate) fn remove(&self, name: &AgentName, instance: Instance) {
        let mut members = self.lock();
        if members.get(name).is_some_and(|member| member.instance == instance)
            && let Some(member) = members.remove(name)
        {
            member.gone.cancel();
        }
    }

    fn enter(
        &self,
        members: &mut HashMap<AgentName, Member>,
        name: &AgentName,
        instance: Instance,
    ) -> Member {
        let member = self.new_member(name, instance);
        if let Some(replaced) = members.insert(name.clone(), member.clone()) {
            replaced.gone.cancel();
        }
        member
    }

    fn new_member(&self, name: &AgentName, instance: Instance) -> Member {
        let client = AgentClient::new(self.connection.clone(), agent::address(name).at_instance(instance));
        Member { instance, client, gone: CancellationToken::new() }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<AgentName, Member>> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bellwether_rpc::transport::memory::Memory;

    fn pool() -> Pool {
        Pool::new(Connection::new(Memory::new().connect()))
    }

    fn target(instance: Instance) -> Target {
        Target { name: "a".parse().unwrap(), instance }
    }

    #[tokio::test]
    async fn an_agent_that_leaves_the_registry_is_gone() {
        let (pool, a) = (pool(), target(Instance::new()));
        let member = pool.member(&a);
        pool.reconcile(&HashMap::from([(&a.name, a.instance)]));
        assert!(!member.gone.is_cancelled());
        pool.reconcile(&HashMap::new());
        assert!(member.gone.is_cancelled());
    }

    #[tokio::test]
    async fn a_newer_process_replaces_an_older_one_and_never_the_other_way() {
        let (pool, old, new) = (pool(), target(Instance::new()), target(Instance::new()));
        let before = pool.member(&old);
        let after = pool.member(&new);
        assert!(before.gone.is_cancelled() && !after.gone.is_cancelled());
        assert!(pool.member(&old).gone.is_cancelled());
        assert!(!pool.member(&new).gone.is_cancelled());
    }

    #[tokio::test]
    async fn news_of_an_older_process_says_nothing_of_the_newer_one() {
        let (pool, old, new) = (pool(), target(Instance::new()), target(Instance::new()));
        let member = pool.member(&new);
        pool.remove(&old.name, old.instance);
        assert!(!member.gone.is_cancelled());
        pool.remove(&new.name, new.instance);
        assert!(member.gone.is_cancelled());
    }
}
