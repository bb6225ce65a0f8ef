//! A registry whose every operation is timed.

use super::{AgentEntry, AgentRecord, Event, Forgetting, Recorded, Registry, RegistryError, Replica};
use crate::timing::Timing;
use async_trait::async_trait;
use bellwether_proto::AgentName;
use bellwether_rpc::Instance;
use std::{sync::Arc, time::Duration};

const TIMING: Timing = Timing {
    duration: "bellwether_controller_registry_duration_seconds",
    errors: "bellwether_controller_registry_errors_total",
};

/// A registry whose every operation is timed.
pub(crate) struct TimedRegistry(pub(crate) Arc<dyn Registry>);

async fn timed<T>(
    operation: &'static str,
    work: impl Future<Output = Result<T, RegistryError>>,
) -> Result<T, RegistryError> {
    TIMING.of(operation, work, |_| true).await
}

#[async_trait]
impl Registry for TimedRegistry {
    async fn record(&self, beats: &[AgentRecord], ttl: Duration) -> Result<Vec<Recorded>, RegistryError> {
        timed("record", self.0.record(beats, ttl)).await
    }

    async fn goodbye(&self, name: &AgentName, instance: Instance) -> Result<bool, RegistryError> {
        timed("goodbye", self.0.goodbye(name, instance)).await
    }

    async fn list(&self) -> Result<Vec<AgentEntry>, RegistryError> {
        timed("list", self.0.list()).await
    }

    async fn count_there(&self) -> Result<usize, RegistryError> {
        timed("count_there", self.0.count_there()).await
    }

    async fn list_some(&self, cursor: u64) -> Result<(Vec<AgentEntry>, u64), RegistryError> {
        timed("list_some", self.0.list_some(cursor)).await
    }

    async fn find(&self, name: &AgentName) -> Result<Option<AgentEntry>, RegistryError> {
        timed("find", self.0.find(name)).await
    }

    async fn forget(&self, name: &AgentName) -> Result<Forgetting, RegistryError> {
        timed("forget", self.0.forget(name)).await
    }

    async fn silent(&self, limit: usize) -> Result<Vec<AgentName>, RegistryError> {
        timed("silent", self.0.silent(limit)).await
    }

    async fn suspect(&self, names: &[AgentName], hold: Duration) -> Result<Vec<AgentName>, RegistryError> {
        timed("suspect", self.0.suspect(names, hold)).await
    }

    async fn vouch(
        &self,
        answered: &[(AgentName, Instance)],
        ttl: Duration,
    ) -> Result<Vec<AgentName>, RegistryError> {
        timed("vouch", self.0.vouch(answered, ttl)).await
    }

    async fn take_offline(&self, names: &[AgentName]) -> Result<Vec<AgentName>, RegistryError> {
        timed("take_offline", self.0.take_offline(names)).await
    }

    async fn forget_offline(&self, after: Duration) -> Result<usize, RegistryError> {
        timed("forget_offline", self.0.forget_offline(after)).await
    }

    async fn announce(&self, replica: &Replica, ttl: Duration) -> Result<(), RegistryError> {
        timed("announce", self.0.announce(replica, ttl)).await
    }

    async fn withdraw(&self, instance: Instance) -> Result<(), RegistryError> {
        timed("withdraw", self.0.withdraw(instance)).await
    }

    async fn replicas(&self) -> Result<Vec<Replica>, RegistryError> {
        timed("replicas", self.0.replicas()).await
    }

    async fn events(&self, after: Option<&str>, limit: usize) -> Result<Vec<Event>, RegistryError> {
        timed("events", self.0.events(after, limit)).await
    }

    async fn epoch(&self) -> Result<String, RegistryError> {
        timed("epoch", self.0.epoch()).await
    }
}
