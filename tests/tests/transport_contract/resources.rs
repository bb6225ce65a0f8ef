//! What a process costs the broker: as many connections, channels and queues with a thousand clients as with one.

use bellwether_rpc::{Address, Connection, Limits, transport::amqp::AmqpSettings};
use bellwether_tests::{RabbitMq, eventually};
use futures_util::future::join_all;

use crate::fixture::AmqpBroker;
use crate::service::{Handlers, Serving, Wait, long, the_service, within};

const PEERS: usize = 3;

/// What the broker lists of a process, and in the namespace.
#[derive(Debug, PartialEq, Eq)]
struct Cost {
    connections: usize,
    channels: usize,
    queues: Vec<String>,
}

impl Cost {
    async fn of(process: &Connection, broker: &AmqpBroker<&'static RabbitMq>) -> Self {
        Self {
            connections: broker.connections_of(process.instance()).await.len(),
            channels: broker.channels_of(process.instance()).await,
            queues: broker.list("list_queues", &["name"]).await,
        }
    }

    /// The broker lists things a moment after they are made, and a moment after they have gone.
    async fn becomes(&self, process: &Connection, broker: &AmqpBroker<&'static RabbitMq>) {
        eventually("the broker lists as much as it should", async || {
            let listed = Self::of(process, broker).await;
            if listed == *self { Ok(()) } else { Err(format!("{listed:#?} instead of {self:#?}")) }
        })
        .await;
    }
}

/// A process that serves the shared queue and some peers; its handlers wait until they are let go.
struct Server {
    connection: Connection,
    servings: Vec<(Handlers, Serving)>,
}

impl Server {
    async fn start(broker: &AmqpBroker<&'static RabbitMq>) -> Self {
        let connection = Connection::new(broker.connect_with(broker.settings()).await);
        let mut servings = Vec::new();
        for address in addresses() {
            let mut handlers = Handlers::new();
            let router = std::mem::take(&mut handlers.router);
            let limits = Limits { concurrency: 4_000, prefetch: 4_000, ..Limits::default() };
            servings.push((handlers, Serving::limited(&connection, &address, router, limits).await));
        }
        Self { connection, servings }
    }

    /// Lets go whoever waits.
    fn open(&self) {
        self.servings.iter().for_each(|(handlers, _)| handlers.gate.add_permits(1));
    }

    /// From now on whoever comes waits again.
    fn shut(&self) {
        self.servings.iter().for_each(|(handlers, _)| assert_eq!(handlers.gate.forget_permits(1), 1));
    }

    async fn stop(self) {
        for (_, serving) in self.servings {
            serving.stop().await;
        }
        self.connection.close().await;
    }
}

/// The shared queue, and each peer.
fn addresses() -> impl Iterator<Item = Address> {
    let peers = (0..PEERS).map(|n| Address::peer("abacus", format!("bead-{n}")));
    [the_service()].into_iter().chain(peers)
}

/// So many clients make a call to each address. While all of those wait for their answers, it is seen what they cost.
async fn cost_of_clients(
    count: usize,
    process: &Connection,
    server: &Server,
    broker: &AmqpBroker<&'static RabbitMq>,
) -> Cost {
    let clients: Vec<_> = (0..count).map(|_| process.clone()).collect();
    let calling = clients.iter().flat_map(|client| {
        addresses().map(async |address| client.call::<Wait>(&address, &"you".into(), long()).await)
    });
    let looking = async {
        let waiting = count * addresses().count();
        eventually("all calls wait", async || process.in_flight() == waiting).await;
        let cost = Cost::of(process, broker).await;
        server.open();
        cost
    };
    let (outcomes, cost) = tokio::join!(join_all(calling), looking);
    server.shut();
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    cost
}

async fn a_thousand_clients_cost_what_one_does(
    broker: AmqpBroker<&'static RabbitMq>,
    settings: AmqpSettings,
    connections: usize,
) {
    let process = Connection::new(broker.connect_with(settings).await);
    let server = Server::start(&broker).await;
    eventually(format!("{connections} connections are listed"), async || {
        broker.connections_of(process.instance()).await.len() == connections
    })
    .await;

    let one = cost_of_clients(1, &process, &server, &broker).await;
    assert_eq!(one.queues.len(), addresses().count() + 2, "each address, and two for replies: {one:#?}");
    let thousand = cost_of_clients(1_000, &process, &server, &broker).await;
    assert_eq!(thousand, one);

    within("the server stops", server.stop()).await;
    within("the process closes", process.close()).await;
    let shared_queue = format!("{}.calculator", broker.namespace);
    Cost { connections: 0, channels: 0, queues: vec![shared_queue] }.becomes(&process, &broker).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_clients_over_one_connection_cost_what_one_does() {
    let broker = AmqpBroker::shared().await;
    let settings = broker.settings();
    a_thousand_clients_cost_what_one_does(broker, settings, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_clients_over_two_connections_cost_what_one_does() {
    let broker = AmqpBroker::shared().await;
    let settings = broker.settings().for_controller();
    a_thousand_clients_cost_what_one_does(broker, settings, 2).await;
}
