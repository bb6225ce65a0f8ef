//! Typed clients of the two services: thin, one line a method.

use crate::{
    AgentName,
    agent::{
        self, Applied, DelConfig, DelIngressConfig, Ping, Pong, Resync, SetConfig, SetIngressConfig, Stale,
    },
    controller::{
        self, Beat, BeatReply, ConfigsPage, Empty, GetConfigs, GetIngressConfigs, Goodbye, OfflineAgent,
        OnlineAgent,
    },
};
use bellwether_rpc::{Address, CallError, Connection, Deadline, Instance};

/// Calls any controller of the fleet.
#[derive(Clone)]
pub struct ControllerClient {
    connection: Connection,
    address: Address,
}

impl ControllerClient {
    /// A client over this connection.
    #[must_use]
    pub fn new(connection: Connection) -> Self {
        Self { connection, address: controller::address() }
    }

    /// Beats, and asks what the agent should serve.
    ///
    /// # Errors
    /// Every way a call can end other than well.
    pub async fn online_agent(&self, beat: &Beat, deadline: Deadline) -> Result<BeatReply, CallError> {
        self.connection.call::<OnlineAgent>(&self.address, beat, deadline).await
    }

    /// Beats one way. The beat is worthless after `time_to_live`.
    ///
    /// # Errors
    /// When it could not be handed to the broker.
    pub async fn beat(&self, beat: &Beat, time_to_live: Deadline) -> Result<(), CallError> {
        self.connection.notify::<OnlineAgent>(&self.address, beat, time_to_live).await
    }

    /// Says goodbye, and waits until it was heard.
    ///
    /// # Errors
    /// Every way a call can end other than well.
    pub async fn offline_agent(&self, goodbye: &Goodbye, deadline: Deadline) -> Result<Empty, CallError> {
        self.connection.call::<OfflineAgent>(&self.address, goodbye, deadline).await
    }

    /// Fetches what the agent lacks.
    ///
    /// # Errors
    /// Every way a call can end other than well.
    pub async fn get_ingress_configs(
        &self,
        have: &GetConfigs,
        deadline: Deadline,
    ) -> Result<ConfigsPage, CallError> {
        self.connection.call::<GetIngressConfigs>(&self.address, have, deadline).await
    }
}

/// Calls one agent.
#[derive(Clone)]
pub struct AgentClient {
    connection: Connection,
    address: Address,
}

impl AgentClient {
    /// A client of the agent `name`, over this connection.
    #[must_use]
    pub fn new(connection: Connection, name: &AgentName) -> Self {
        Self { connection, address: agent::address(name) }
    }

    /// The same client, for one process of that name alone.
    #[must_use]
    pub fn at_instance(self, instance: Instance) -> Self {
        Self { address: self.address.at_instance(instance), ..self }
    }

    /// Tells it to serve a document.
    ///
    /// # Errors
    /// Every way a call can end other than well.
    pub async fn set_ingress_config(
        &self,
        config: &SetConfig,
        deadline: Deadline,
    ) -> Result<Applied, CallError> {
        self.connection.call::<SetIngressConfig>(&self.address, config, deadline).await
    }

    /// Tells it to serve a document no more.
    ///
    /// # Errors
    /// Every way a call can end other than well.
    pub async fn del_ingress_config(
        &self,
        config: &DelConfig,
        deadline: Deadline,
    ) -> Result<Applied, CallError> {
        self.connection.call::<DelIngressConfig>(&self.address, config, deadline).await
    }

    /// Tells it that what it serves is stale.
    ///
    /// # Errors
    /// When it could not be handed to the broker.
    pub async fn resync(&self, stale: &Stale, time_to_live: Deadline) -> Result<(), CallError> {
        self.connection.notify::<Resync>(&self.address, stale, time_to_live).await
    }

    /// Asks whether it is there.
    ///
    /// # Errors
    /// Every way a call can end other than well.
    pub async fn ping(&self, deadline: Deadline) -> Result<Pong, CallError> {
        self.connection.call::<Ping>(&self.address, &Empty {}, deadline).await
    }
}
