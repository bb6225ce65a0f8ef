//! One logical client for each agent that is there, and the news that one is gone.

use crate::{
    plan::Target,
    registry::{AgentEntry, Presence},
};
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
    members: Mutex<Members>,
}

#[derive(Default)]
struct Members {
    by_name: HashMap<AgentName, Member>,
    /// Counts how often the registry has been gone through.
    sweep: u64,
}

/// A client of one agent's process, and the token that is cancelled when that process is gone.
#[derive(Clone)]
pub(crate) struct Member {
    pub(crate) instance: Instance,
    pub(crate) client: AgentClient,
    pub(crate) gone: CancellationToken,
    /// In which sweep it was last met.
    met: u64,
}

impl Pool {
    pub(crate) fn new(connection: Connection) -> Self {
        Self { connection, members: Mutex::default() }
    }

    /// The client of a target. A target that a newer process has replaced is gone already.
    pub(crate) fn member(&self, target: &Target) -> Member {
        let mut members = self.lock();
        match members.by_name.get(&target.name) {
            Some(newer) if newer.instance > target.instance => {
                let replaced = self.new_member(&target.name, target.instance, members.sweep);
                replaced.gone.cancel();
                replaced
            }
            _ => self.meet(&mut members, &target.name, target.instance),
        }
    }

    /// Follows the registry in what it says of these agents.
    pub(crate) fn reconcile(&self, agents: &[AgentEntry]) {
        let mut members = self.lock();
        for AgentEntry { record, presence, .. } in agents {
            match presence {
                Presence::Online | Presence::Silent => {
                    self.meet(&mut members, &record.name, record.instance);
                }
                Presence::Offline => members.remove(&record.name),
            }
        }
    }

    /// The registry has been gone through once more: whoever was not met since it was before is known no more.
    pub(crate) fn swept(&self) {
        let mut members = self.lock();
        let sweep = members.sweep;
        let unmet = members.by_name.extract_if(|_, member| member.met < sweep);
        unmet.for_each(|(_, member)| member.gone.cancel());
        members.sweep += 1;
    }

    /// This process of an agent is gone: its calls in flight end now.
    pub(crate) fn remove(&self, name: &AgentName, instance: Instance) {
        let mut members = self.lock();
        if members.by_name.get(name).is_some_and(|member| member.instance == instance) {
            members.remove(name);
        }
    }

    /// This process is there. One of its name that it replaces is gone.
    fn meet(&self, members: &mut Members, name: &AgentName, instance: Instance) -> Member {
        let sweep = members.sweep;
        if let Some(member) = members.by_name.get_mut(name).filter(|member| member.instance == instance) {
            member.met = sweep;
            return member.clone();
        }
        members.remove(name);
        let member = self.new_member(name, instance, sweep);
        members.by_name.insert(name.clone(), member.clone());
        member
    }

    fn new_member(&self, name: &AgentName, instance: Instance, met: u64) -> Member {
        let client = AgentClient::new(self.connection.clone(), agent::address(name).at_instance(instance));
        Member { instance, client, gone: CancellationToken::new(), met }
    }

    fn lock(&self) -> MutexGuard<'_, Members> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Members {
    fn remove(&mut self, name: &AgentName) {
        if let Some(member) = self.by_name.remove(name) {
            member.gone.cancel();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::AgentRecord;
    use bellwether_ingress::Labels;
    use bellwether_proto::Known;
    use bellwether_rpc::transport::memory::Memory;
    use std::time::Duration;

    fn pool() -> Pool {
        Pool::new(Connection::new(Memory::new().connect()))
    }

    fn target(instance: Instance) -> Target {
        Target { name: "a".parse().unwrap(), instance }
    }

    fn entry(target: &Target, presence: Presence) -> AgentEntry {
        let record = AgentRecord {
            name: target.name.clone(),
            instance: target.instance,
            generation: 1,
            version: "0".into(),
            labels: Labels::default(),
            known: Known::nothing(),
            last_error: None,
        };
        AgentEntry { record, presence, last_seen_age: Duration::ZERO, conflict: false }
    }

    #[tokio::test]
    async fn an_agent_is_gone_when_the_registry_says_so_and_not_when_it_is_silent() {
        let (pool, a) = (pool(), target(Instance::new()));
        let member = pool.member(&a);
        pool.reconcile(&[entry(&a, Presence::Online)]);
        pool.reconcile(&[entry(&a, Presence::Silent)]);
        assert!(!member.gone.is_cancelled());
        pool.reconcile(&[entry(&a, Presence::Offline)]);
        assert!(member.gone.is_cancelled());
    }

    #[tokio::test]
    async fn an_agent_that_the_registry_has_forgotten_is_gone_after_a_whole_sweep() {
        let (pool, a) = (pool(), target(Instance::new()));
        pool.reconcile(&[entry(&a, Presence::Online)]);
        pool.swept();
        let member = pool.member(&a);
        pool.swept();
        assert!(!member.gone.is_cancelled(), "it was met since");
        pool.swept();
        assert!(member.gone.is_cancelled());
    }

    #[tokio::test]
    async fn a_process_that_the_registry_no_longer_names_is_replaced() {
        let (pool, old, new) = (pool(), target(Instance::new()), target(Instance::new()));
        let before = pool.member(&old);
        pool.reconcile(&[entry(&new, Presence::Online)]);
        assert!(before.gone.is_cancelled() && !pool.member(&new).gone.is_cancelled());
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
