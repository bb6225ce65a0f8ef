//! Two controllers and three agents in one process: the programs' own `run`, over parts in memory.

use super::certificates;
use anyhow::{Context, anyhow};
use bellwether_agent::{
    AgentError, StateDir,
    driver::{
        Driver,
        file::{FileDriver, FileOptions},
        haproxy::{HaproxyDriver, HaproxyOptions},
    },
};
use bellwether_controller::{
    Access, Backends, RunError,
    registry::{Presence, Registry, memory::MemoryRegistry},
    store::memory::MemoryStore,
};
use bellwether_ingress::Labels;
use bellwether_proto::AgentName;
use bellwether_rpc::{Connection, transport::memory::Memory};
use clap::ValueEnum;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::{
    net::TcpListener,
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

/// The agents, and the zone of each.
const AGENTS: [(&str, &str); 3] = [("node-1", "eu"), ("node-2", "eu"), ("node-3", "us")];

/// What the agents have serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DevDriver {
    /// Files, which nobody serves: nothing has to be installed.
    File,
    /// An HAProxy each, on 127.0.0.2, 127.0.0.3 and 127.0.0.4.
    Haproxy,
}

/// How long the agents may take to come online.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(20);

/// A running fleet.
pub(super) struct Fleet {
    pub(super) agents: Agents,
    connections: Vec<Connection>,
    controller_tasks: JoinSet<Result<(), RunError>>,
    agent_tasks: JoinSet<Result<(), AgentError>>,
    stop_controllers: CancellationToken,
    stop_agents: CancellationToken,
}

/// Who its agents are, and whether they are there.
#[derive(Clone)]
pub(super) struct Agents {
    registry: Arc<MemoryRegistry>,
    members: Vec<Member>,
}

#[derive(Clone)]
struct Member {
    name: AgentName,
    folder: PathBuf,
    file: &'static str,
}

impl Fleet {
    pub(super) fn start(
        listeners: [TcpListener; 2],
        access: &Access,
        folder: &Path,
        kind: DevDriver,
    ) -> anyhow::Result<Self> {
        let hub = Memory::new();
        let (registry, store) = (Arc::new(MemoryRegistry::new()), Arc::new(MemoryStore::new()));
        let mut fleet = Self {
            agents: Agents { registry: registry.clone(), members: Vec::new() },
            connections: Vec::new(),
            controller_tasks: JoinSet::new(),
            agent_tasks: JoinSet::new(),
            stop_controllers: CancellationToken::new(),
            stop_agents: CancellationToken::new(),
        };
        for listener in listeners {
            let connection = fleet.connect(&hub);
            let backends = Backends { connection, registry: registry.clone(), store: store.clone() };
            let settings = bellwether_controller::Settings {
                access: access.clone(),
                ..bellwether_controller::Settings::new(bellwether_proto::Fleet::default())
            };
            let stop = fleet.stop_controllers.clone();
            fleet.controller_tasks.spawn(bellwether_controller::run(settings, backends, listener, stop));
        }
        for (number, (name, zone)) in (2..).zip(AGENTS) {
            let member = Member { name: name.parse()?, folder: folder.join(name), file: file_of(kind) };
            let connection = fleet.connect(&hub);
            let mut settings = bellwether_agent::Settings::new(member.name.clone());
            settings.labels = zone_label(zone)?;
            let state = StateDir::open(&member.folder)?;
            let driver = driver(kind, state.path(), number, folder)?;
            let stop = fleet.stop_agents.clone();
            fleet.agent_tasks.spawn(bellwether_agent::run(settings, connection, driver, state, stop));
            fleet.agents.members.push(member);
        }
        Ok(fleet)
    }

    fn connect(&mut self, hub: &Memory) -> Connection {
        let connection = Connection::new(hub.connect());
        self.connections.push(connection.clone());
        connection
    }

    /// Waits for an end that nobody asked for.
    pub(super) async fn ended(&mut self) -> anyhow::Error {
        tokio::select! {
            Some(ended) = self.controller_tasks.join_next() => anyhow!("a controller ended: {ended:?}"),
            Some(ended) = self.agent_tasks.join_next() => anyhow!("an agent ended: {ended:?}"),
            else => anyhow!("nothing runs"),
        }
    }

    /// Stops the agents, who say goodbye, and then the controllers, who hear it.
    pub(super) async fn stop(mut self) {
        self.stop_agents.cancel();
        while self.agent_tasks.join_next().await.is_some() {}
        self.stop_controllers.cancel();
        while self.controller_tasks.join_next().await.is_some() {}
        for connection in &self.connections {
            connection.close().await;
        }
    }
}

impl Agents {
    pub(super) fn names(&self) -> Vec<&str> {
        self.members.iter().map(|agent| agent.name.as_str()).collect()
    }

    /// The files in which each agent says what it serves.
    pub(super) fn files(&self) -> impl Iterator<Item = PathBuf> {
        self.members.iter().map(|agent| agent.folder.join("current").join(agent.file))
    }

    /// Waits until the controllers have heard every agent.
    pub(super) async fn all_online(&self) -> anyhow::Result<()> {
        let waiting = async {
            loop {
                let online =
                    self.registry.list().await?.iter().filter(|a| a.presence == Presence::Online).count();
                if online == self.members.len() {
                    return anyhow::Ok(());
                }
                sleep(LOOK).await;
            }
        };
        timeout(PATIENCE, waiting).await.context("the agents did not come online")?
    }
}

fn file_of(kind: DevDriver) -> &'static str {
    match kind {
        DevDriver::File => "ingress.json",
        DevDriver::Haproxy => "haproxy.cfg",
    }
}

/// The driver of the agent that has this number as the end of its address.
fn driver(kind: DevDriver, state: &Path, number: u8, folder: &Path) -> anyhow::Result<Box<dyn Driver>> {
    Ok(match kind {
        DevDriver::File => Box::new(FileDriver::new(state, FileOptions::default())?),
        DevDriver::Haproxy => {
            let bind = Some(format!("127.0.0.{number}").parse()?);
            let cert_dir = Some(certificates::folder(folder));
            let options = HaproxyOptions { bind, cert_dir, stop_proxy: true, ..HaproxyOptions::default() };
            Box::new(HaproxyDriver::new(state, options)?)
        }
    })
}

fn zone_label(zone: &str) -> anyhow::Result<Labels> {
    let mut labels = Labels::default();
    labels.insert("zone".parse()?, zone.parse()?);
    Ok(labels)
}
