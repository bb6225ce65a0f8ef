//! Agents of the product, in this process, whose proxy takes everything at once and that remember nothing: what each
//! node does on a disk and a processor of its own is not measured on this machine's two.

use anyhow::Context;
use async_trait::async_trait;
use bellwether_agent::{
    Settings, State,
    driver::{ApplyError, Driver, EffectiveSet},
};
use bellwether_proto::{Fleet as FleetName, http::AgentState, namespace};
use bellwether_rpc::{
    Connection,
    transport::amqp::{Amqp, AmqpSettings},
};
use bellwether_tests::{Fleet, eventually};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

struct Nothing;

#[async_trait]
impl Driver for Nothing {
    async fn apply(&mut self, _: &EffectiveSet) -> Result<(), ApplyError> {
        Ok(())
    }
}

pub(super) struct Agents {
    count: usize,
    connections: Vec<Connection>,
    running: JoinSet<()>,
    stop: CancellationToken,
}

impl Agents {
    /// Each has a connection of its own, as on a node of its own.
    pub(super) fn start(url: &str, fleet: &str, count: usize) -> anyhow::Result<Self> {
        let stop = CancellationToken::new();
        let fleet: FleetName = fleet.parse().context("a fleet")?;
        let (mut running, mut connections) = (JoinSet::new(), Vec::new());
        for n in 0..count {
            let name = format!("node-{n}");
            let amqp = AmqpSettings::new([url.parse()?], namespace(&fleet), name.clone());
            let connection = Connection::new(Amqp::start(amqp));
            let settings = Settings::new(name.parse().context("a name")?);
            connections.push(connection.clone());
            let (driver, stop) = (Box::new(Nothing), stop.clone());
            let agent = bellwether_agent::run(settings, connection, driver, State::Nowhere, stop);
            running.spawn(async move {
                let _ = agent.await;
            });
        }
        Ok(Self { count, connections, running, stop })
    }

    pub(super) async fn wait_until_online(&self, fleet: &Fleet) {
        eventually("all agents are online", async || {
            for controller in fleet.controllers() {
                let agents = controller.agents().await?;
                let there =
                    agents.iter().filter(|agent| agent.state == AgentState::Online && agent.converged);
                let there = there.count();
                if there != self.count {
                    return Err(format!("{there} of {}", self.count));
                }
            }
            Ok(())
        })
        .await;
    }

    pub(super) async fn stop(mut self) {
        self.stop.cancel();
        while self.running.join_next().await.is_some() {}
        for connection in self.connections {
            connection.close().await;
        }
    }
}
