//! The two brokers that the contract is held against, and what can be done to them.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bellwether_rpc::transport::amqp::{Amqp, AmqpSettings};
use bellwether_rpc::transport::memory::Memory;
use bellwether_rpc::{Connection, Instance, Link, Transport};
use bellwether_tests::{BOUND, RabbitMq, eventually, fleet};
use tokio::sync::{Mutex as AsyncMutex, MutexGuard, OnceCell};

/// A broker with one namespace on it.
pub(crate) trait Broker {
    /// A new transport, connected.
    async fn connect(&self) -> Arc<dyn Transport>;

    /// Cuts the link of one transport, from the broker's side. It may come back at once.
    async fn cut(&self, whom: Instance);

    /// Takes no messages from anybody any more, or takes them again.
    async fn block(&self, blocked: bool);

    /// A client or a server on a transport of its own.
    async fn connection(&self) -> Connection {
        Connection::new(self.connect().await)
    }
}

pub(crate) struct MemoryBroker {
    hub: Memory,
}

impl MemoryBroker {
    pub(crate) fn new() -> Self {
        Self { hub: Memory::new() }
    }
}

impl Broker for MemoryBroker {
    async fn connect(&self) -> Arc<dyn Transport> {
        self.hub.connect()
    }

    async fn cut(&self, whom: Instance) {
        self.hub.cut(whom);
    }

    async fn block(&self, blocked: bool) {
        self.hub.block(blocked.then_some("a test"));
    }
}

/// A namespace on a RabbitMQ: on the shared one, or on one that a test has for itself.
pub(crate) struct AmqpBroker<R> {
    pub(crate) rabbitmq: R,
    pub(crate) namespace: String,
    names: Mutex<HashMap<Instance, String>>,
}

impl AmqpBroker<&'static RabbitMq> {
    pub(crate) async fn shared() -> Self {
        Self::on(RabbitMq::shared().await)
    }
}

impl AmqpBroker<MutexGuard<'static, RabbitMq>> {
    /// For what hits everybody on a broker. There is one, which one test has after the other.
    pub(crate) async fn alone() -> Self {
        static ALONE: OnceCell<AsyncMutex<RabbitMq>> = OnceCell::const_new();
        let alone = ALONE.get_or_init(async || AsyncMutex::new(RabbitMq::start().await)).await;
        let broker = Self::on(alone.lock().await);
        broker.recover().await;
        broker
    }

    /// A test that failed can have left it in any state.
    async fn recover(&self) {
        match self.rabbitmq.pid() {
            Some(_) => self.rabbitmq.resume(),
            None => self.rabbitmq.start_again().await,
        }
        self.block(false).await;
    }
}

impl<R: Deref<Target = RabbitMq>> AmqpBroker<R> {
    fn on(rabbitmq: R) -> Self {
        Self { rabbitmq, namespace: format!("bellwether.{}", fleet()), names: Mutex::default() }
    }

    /// How an agent connects, except for the shortest of heartbeats.
    pub(crate) fn settings(&self) -> AmqpSettings {
        let url = self.rabbitmq.url().parse().expect("a good url");
        let name = format!("{}/{}", self.namespace, fleet());
        AmqpSettings {
            heartbeat: Duration::from_secs(1),
            ..AmqpSettings::new([url], self.namespace.clone(), name)
        }
    }

    /// A transport with settings of its own, connected.
    pub(crate) async fn connect_with(&self, settings: AmqpSettings) -> Arc<dyn Transport> {
        let name = settings.connection_name.clone();
        let transport = Amqp::start(settings);
        self.names.lock().unwrap_or_else(PoisonError::into_inner).insert(transport.instance(), name);
        up(&transport).await;
        transport
    }

    /// The processes at the broker of one transport's connections.
    pub(crate) async fn connections_of(&self, whom: Instance) -> Vec<String> {
        let name = self.names.lock().unwrap_or_else(PoisonError::into_inner)[&whom].clone();
        let listed = self.rabbitmq.ctl(&["list_connections", "pid", "client_properties"]).await;
        let ours = format!("\"{name}\"");
        listed
            .lines()
            .filter(|line| line.contains(&ours))
            .filter_map(|line| line.split('\t').next())
            .map(str::to_owned)
            .collect()
    }

    /// How many channels one transport has open.
    pub(crate) async fn channels_of(&self, whom: Instance) -> usize {
        let connections = self.connections_of(whom).await;
        let listed = self.rabbitmq.ctl(&["list_channels", "connection"]).await;
        listed.lines().filter(|line| connections.iter().any(|connection| connection == line)).count()
    }

    /// What `rabbitmqctl list_…` says of this namespace, one line a thing, sorted.
    pub(crate) async fn list(&self, what: &str, columns: &[&str]) -> Vec<String> {
        let listed = self.rabbitmq.ctl(&[&[what], columns].concat()).await;
        let mut lines: Vec<_> =
            listed.lines().filter(|line| line.contains(&self.namespace)).map(str::to_owned).collect();
        lines.sort();
        lines
    }
}

impl<R: Deref<Target = RabbitMq>> Broker for AmqpBroker<R> {
    async fn connect(&self) -> Arc<dyn Transport> {
        self.connect_with(self.settings()).await
    }

    async fn cut(&self, whom: Instance) {
        // A connection is listed a moment after it is made.
        let connections = eventually("the connection is listed", async || {
            Some(self.connections_of(whom).await).filter(|listed| !listed.is_empty())
        });
        for connection in connections.await {
            self.rabbitmq.ctl(&["close_connection", &connection, "a test"]).await;
        }
    }

    async fn block(&self, blocked: bool) {
        self.rabbitmq.alarm(blocked).await;
    }
}

/// Waits until a transport is connected.
pub(crate) async fn up(transport: &Arc<dyn Transport>) {
    let mut link = transport.link();
    let connected = link.wait_for(|link| link.generation().is_some());
    let connected = tokio::time::timeout(BOUND, connected).await.map(|link| link.is_ok());
    assert_eq!(connected, Ok(true), "not connected: {}", link_of(transport));
}

pub(crate) fn link_of(transport: &Arc<dyn Transport>) -> Link {
    transport.link().borrow().clone()
}
