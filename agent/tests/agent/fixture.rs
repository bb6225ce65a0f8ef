//! Agents, and waiting for what they do.

use crate::{
    controller::{Controller, Heard, INTERVAL},
    driver::FakeDriver,
};
use bellwether_agent::{AgentError, Settings, StateDir, driver::Driver};
use bellwether_proto::{AgentName, controller::Beat};
use bellwether_rpc::{Connection, Deadline, Instance, transport::memory::Memory};
use std::{path::Path, time::Duration};
use tempfile::TempDir;
use tokio::{sync::watch, task::JoinHandle, time::timeout};
use tokio_util::sync::CancellationToken;

/// As long as no test should wait, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(30);

/// A deadline that no answer should need.
pub(crate) fn soon() -> Deadline {
    Deadline::after(PATIENCE)
}

/// Waits until `holds`, and returns what it holds of.
pub(crate) async fn eventually<T: Clone>(mut watched: watch::Receiver<T>, holds: impl Fn(&T) -> bool) -> T {
    let found = timeout(PATIENCE, watched.wait_for(|value| holds(value))).await;
    found.expect("it happens in time").expect("who tells of it lives").clone()
}

/// An agent that runs.
pub(crate) struct Agent {
    pub(crate) name: AgentName,
    pub(crate) instance: Instance,
    stop: CancellationToken,
    ended: JoinHandle<Result<(), AgentError>>,
}

impl Agent {
    pub(crate) fn start(hub: &Memory, state: &Path, driver: impl Driver) -> Self {
        Self::start_on(Connection::new(hub.connect()), "node-7", state, driver)
    }

    pub(crate) fn start_on(connection: Connection, name: &str, state: &Path, driver: impl Driver) -> Self {
        let name: AgentName = name.parse().unwrap();
        let mut settings = Settings::new(name.clone());
        settings.interval = INTERVAL;
        let (state, stop) = (StateDir::open(state).unwrap(), CancellationToken::new());
        let instance = connection.instance();
        let ended =
            tokio::spawn(bellwether_agent::run(settings, connection, Box::new(driver), state, stop.clone()));
        Self { name, instance, stop, ended }
    }

    /// Stops it, and waits until it has gone.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        timeout(PATIENCE, self.ended).await.expect("it stops in time").unwrap().unwrap();
    }
}

/// A broker, a controller, and an agent with a fake driver.
pub(crate) struct World {
    pub(crate) hub: Memory,
    pub(crate) controller: Controller,
    pub(crate) driver: FakeDriver,
    pub(crate) agent: Agent,
    pub(crate) folder: TempDir,
}

impl World {
    /// With an agent that has taken the empty set.
    pub(crate) async fn start() -> Self {
        let world = Self::start_with(FakeDriver::new(), |_| {}).await;
        world.converged().await;
        world
    }

    pub(crate) async fn start_with(driver: FakeDriver, prepare: impl FnOnce(&Controller)) -> Self {
        let hub = Memory::new();
        let controller = Controller::start(&hub).await;
        prepare(&controller);
        let folder = tempfile::tempdir().unwrap();
        let agent = Agent::start(&hub, folder.path(), driver.clone());
        Self { hub, controller, driver, agent, folder }
    }

    /// Waits for a beat of this agent's process of which `holds`.
    pub(crate) async fn beat(&self, holds: impl Fn(&Beat) -> bool) -> Beat {
        let is_it = |beat: &Beat| beat.instance == self.agent.instance && holds(beat);
        let heard = self.heard(|heard| heard.beats.last().is_some_and(is_it)).await;
        heard.beats.last().unwrap().clone()
    }

    pub(crate) async fn heard(&self, holds: impl Fn(&Heard) -> bool) -> Heard {
        eventually(self.controller.heard(), holds).await
    }

    /// Waits for a beat which says that the agent serves what the store holds.
    pub(crate) async fn converged(&self) -> Beat {
        let (store_id, digest) = (self.controller.stale().head.store_id, self.controller.digest());
        self.beat(|beat| beat.known.store_id == Some(store_id) && beat.known.digest == digest).await
    }

    /// Stops the agent, and starts another on the same folder with another driver.
    pub(crate) async fn restart(self, driver: FakeDriver) -> Self {
        let Self { hub, controller, agent, folder, .. } = self;
        agent.stop().await;
        let agent = Agent::start(&hub, folder.path(), driver.clone());
        Self { hub, controller, driver, agent, folder }
    }
}
