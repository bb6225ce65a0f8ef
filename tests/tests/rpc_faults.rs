//! 256 callers go on while everything around them breaks: each call ends once, by its deadline, with a true outcome.

#[path = "rpc_faults/callers.rs"]
mod callers;
#[path = "rpc_faults/servers.rs"]
mod servers;

use bellwether_rpc::{
    Address, Connection,
    transport::amqp::{Amqp, AmqpSettings},
};
use bellwether_tests::{Port, RabbitMq, Relay, eventually};
use callers::Callers;
use servers::{Handled, Server, WorkClient};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::time::{interval, sleep};

const NAMESPACE: &str = "faults";

/// How often the broker closes every connection, how long the way to it is slow or stalled, and how long its memory alarm
/// lasts. That is what the faults are; what comes of them is waited for.
const BETWEEN_CLOSINGS: Duration = Duration::from_secs(1);
const SLOW: Duration = Duration::from_secs(3);
const ALARM: Duration = Duration::from_secs(5);

fn address() -> Address {
    Address::shared("work")
}

/// Long pauses are for fleets that must not come back as a herd; here one process is to be back soon.
fn settings(url: &str, name: &str) -> AmqpSettings {
    let url = url.parse().expect("a URL");
    let settings = AmqpSettings::new([url], NAMESPACE.to_owned(), name.to_owned());
    AmqpSettings { longest_pause: Duration::from_secs(1), ..settings.for_controller() }
}

struct Stage {
    rabbitmq: RabbitMq,
    relay: Relay,
    handled: Arc<Handled>,
    servers: [Server; 2],
    callers: Callers,
}

impl Stage {
    async fn set() -> Self {
        let rabbitmq = RabbitMq::start().await;
        let port = Port::claim();
        let relay = Relay::lead(&port, rabbitmq.port()).await;
        let handled = Arc::new(Handled::default());
        let servers = ["server-0", "server-1"].map(|name| Server::start(&rabbitmq.url(), name, &handled));
        let url = format!("amqp://{}/%2f", port.address());
        let connection = Connection::new(Amqp::start(settings(&url, "callers")));
        let callers = Callers::start(WorkClient::new(connection.clone(), address()), connection);
        Self { rabbitmq, relay, handled, servers, callers }
    }

    /// Waits until as many calls as there are callers have gone well since now.
    async fn serves_after(&self, what: &str) {
        let began = Instant::now();
        let before = self.callers.went_well();
        eventually(format!("calls go well after {what}"), async || {
            self.callers.went_well() >= before + callers::COUNT
        })
        .await;
        eprintln!("{what}: calls go well {:.1} s after it; {}", began.elapsed().as_secs_f64(), self.callers);
    }

    /// Waits until as many calls as there are callers have ended so since now.
    async fn everyone_hears(&self, outcome: &'static str) {
        let before = self.callers.ended(outcome);
        eventually(format!("calls end as {outcome}"), async || {
            self.callers.ended(outcome) >= before + callers::COUNT
        })
        .await;
    }

    async fn break_everything(&mut self) {
        let mut closing = interval(BETWEEN_CLOSINGS);
        for _ in 0..5 {
            closing.tick().await;
            self.rabbitmq.ctl(&["close_all_connections", "a test"]).await;
        }
        self.serves_after("closed connections").await;

        self.relay.delay(Duration::from_millis(200));
        sleep(SLOW).await;
        self.serves_after("a delay of 200 ms began").await;
        self.relay.delay(Duration::ZERO);

        self.relay.stall(true);
        sleep(SLOW).await;
        self.everyone_hears("deadline_exceeded").await;
        self.relay.stall(false);
        self.serves_after("a stall").await;

        self.relay.cut();
        self.serves_after("a cut").await;

        self.delete("faults.reply").await;
        self.serves_after("a deleted reply queue").await;

        // Its deletion cancels its consumers, and loses what is in it.
        self.delete("faults.work").await;
        self.serves_after("cancelled consumers").await;

        self.rabbitmq.alarm(true).await;
        sleep(ALARM).await;
        self.everyone_hears("overloaded").await;
        self.rabbitmq.alarm(false).await;
        self.serves_after("a memory alarm of 5 s").await;

        for n in 0..2 {
            let another = Server::start(&self.rabbitmq.url(), &format!("server-{}", n + 2), &self.handled);
            std::mem::replace(&mut self.servers[n], another).kill();
            self.serves_after("a killed server").await;
        }

        self.rabbitmq.stop().await;
        self.rabbitmq.start_again().await;
        self.serves_after("a restart of the broker").await;
    }

    async fn delete(&self, beginning: &str) {
        let queue = eventually(format!("a queue {beginning}…"), async || {
            let listed = self.rabbitmq.ctl(&["list_queues", "name"]).await;
            listed.lines().find(|name| name.starts_with(beginning)).map(str::to_owned)
        });
        self.rabbitmq.ctl(&["delete_queue", &queue.await]).await;
    }

    /// Waits until nothing is on its way to a handler any more.
    async fn is_drained(&self) {
        eventually("the queue of the service is empty", async || {
            let listed = self.rabbitmq.ctl(&["list_queues", "name", "messages"]).await;
            listed.lines().any(|line| line == "faults.work\t0")
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_call_ends_once_by_its_deadline_and_truly_whatever_breaks() {
    let mut stage = Stage::set().await;
    stage.serves_after("the start").await;
    let before = stage.callers.rate().await;
    stage.break_everything().await;

    let began = Instant::now();
    eventually("half of the rate from before the faults", async || {
        let rate = stage.callers.rate().await;
        if rate * 2 >= before { Ok(()) } else { Err(format!("{rate} calls/s of {before}")) }
    })
    .await;
    eprintln!(
        "the rate is back {:.1} s after the last fault; {}",
        began.elapsed().as_secs_f64(),
        stage.callers
    );

    stage.callers.stop().await;
    stage.is_drained().await;
    stage.servers.into_iter().for_each(Server::kill);
    stage.callers.judge(&stage.handled);
}
