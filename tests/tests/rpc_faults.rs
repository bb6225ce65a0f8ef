//! 256 callers go on while everything around them breaks: each call ends once, by its deadline, with a true outcome.

#[path = "rpc_faults/callers.rs"]
mod callers;
#[path = "rpc_faults/servers.rs"]
mod servers;

use bellwether_rpc::{
    Address, Connection,
    transport::amqp::{Amqp, AmqpSettings},
};
use bellwether_tests::{Proxy, RabbitMq, eventually};
use callers::Callers;
use servers::{Handled, Server, WorkClient};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::time::sleep;

const NAMESPACE: &str = "faults";

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
    proxy: Proxy,
    handled: Arc<Handled>,
    servers: [Server; 2],
    callers: Callers,
}

impl Stage {
    async fn set() -> Self {
        let rabbitmq = RabbitMq::start().await;
        let proxy = Proxy::start(rabbitmq.port()).await;
        let handled = Arc::new(Handled::default());
        let servers = ["server-0", "server-1"].map(|name| Server::start(&rabbitmq.url(), name, &handled));
        let url = format!("amqp://{}/%2f", proxy.address());
        let connection = Connection::new(Amqp::start(settings(&url, "callers")));
        let callers = Callers::start(WorkClient::new(connection.clone(), address()), connection);
        Self { rabbitmq, proxy, handled, servers, callers }
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

    async fn break_everything(&mut self) {
        for _ in 0..5 {
            self.rabbitmq.ctl(&["close_all_connections", "a test"]).await;
            sleep(Duration::from_secs(1)).await;
        }
        self.serves_after("closed connections").await;

        self.proxy.delay(Duration::from_millis(200));
        sleep(Duration::from_secs(3)).await;
        self.serves_after("a delay of 200 ms").await;
        self.proxy.delay(Duration::ZERO);

        self.proxy.stall(true);
        sleep(Duration::from_secs(3)).await;
        self.proxy.stall(false);
        self.serves_after("a stall of 3 s").await;

        self.proxy.cut();
        self.serves_after("a cut").await;

        self.delete("faults.reply").await;
        self.serves_after("a deleted reply queue").await;

        // Its deletion cancels its consumers, and loses what is in it.
        self.delete("faults.work").await;
        self.serves_after("cancelled consumers").await;

        self.alarm(true).await;
        sleep(Duration::from_secs(5)).await;
        self.alarm(false).await;
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

    async fn alarm(&self, raised: bool) {
        let mark = if raised { "0.0000001" } else { "0.4" };
        self.rabbitmq.ctl(&["set_vm_memory_high_watermark", mark]).await;
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

    let Stage { callers, handled, servers, .. } = stage;
    callers.stop_and_judge(&handled, async || servers.map(Server::kill)).await;
}
