//! A broker that is not there, does not let in, speaks no TLS, or holds what others have put there.

use std::time::Instant;

use bellwether_tests::{Fleet, FleetBuilder, Port, RabbitMq, Relay, eventually, fleet as unique_name};
use lapin::options::{ExchangeDeclareOptions, ExchangeDeleteOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, Connection, ConnectionProperties, ExchangeKind};

use crate::{is_well, said};

/// A controller and an agent whose pages are at `health`.
async fn fleet_at(url: &str, health: &Port) -> FleetBuilder {
    let agent = ["--health-listen", &health.address()].map(str::to_owned);
    let agent: Vec<&str> = agent.iter().map(String::as_str).collect();
    Fleet::shared().await.amqp_url(url).controllers(1).agent("node-1", &agent)
}

/// Both say what is wrong, with the broker's host and these words; when it is mended, all is well by itself.
async fn both_say_so_until_it_is_mended(url: &str, words: &[&str], mend: impl AsyncFnOnce()) {
    let health = Port::claim();
    let fleet = fleet_at(url, &health).await.begin().await;
    let since = Instant::now();
    said::by_controllers(&fleet, since, "broker", words).await;
    said::by_agent(&fleet, since, &health.address(), words).await;
    mend().await;
    is_well(&fleet).await;
}

/// A user of its own, who may do everything in the default virtual host.
async fn user(rabbitmq: &RabbitMq, password: &str) -> String {
    let user = unique_name();
    rabbitmq.ctl(&["add_user", &user, password]).await;
    rabbitmq.ctl(&["set_permissions", &user, ".*", ".*", ".*"]).await;
    user
}

#[tokio::test]
async fn nobody_listens() {
    let (rabbitmq, port) = (RabbitMq::shared().await, Port::claim());
    let (url, host) = (format!("amqp://{}/%2f", port.address()), port.address());
    let mut relay = None;
    let mend = async || relay = Some(Relay::lead(&port, rabbitmq.port()).await);
    both_say_so_until_it_is_mended(&url, &[&host, "Connection refused"], mend).await;
}

#[tokio::test]
async fn the_password_is_wrong() {
    let rabbitmq = RabbitMq::shared().await;
    let user = user(rabbitmq, "right").await;
    let host = format!("127.0.0.1:{}", rabbitmq.port());
    let url = format!("amqp://{user}:sesame@{host}/%2f");
    let mend = async || drop(rabbitmq.ctl(&["change_password", &user, "sesame"]).await);
    both_say_so_until_it_is_mended(&url, &[&host, "ACCESS_REFUSED"], mend).await;
}

#[tokio::test]
async fn the_virtual_host_does_not_exist() {
    let rabbitmq = RabbitMq::shared().await;
    let (host, vhost) = (format!("127.0.0.1:{}", rabbitmq.port()), unique_name());
    let mend = async || {
        rabbitmq.ctl(&["add_vhost", &vhost]).await;
        rabbitmq.ctl(&["set_permissions", "-p", &vhost, "guest", ".*", ".*", ".*"]).await;
    };
    let url = format!("amqp://{host}/{vhost}");
    both_say_so_until_it_is_mended(&url, &[&host, "NOT_ALLOWED", &vhost], mend).await;
}

#[tokio::test]
async fn the_user_may_do_nothing() {
    let rabbitmq = RabbitMq::shared().await;
    let user = user(rabbitmq, "right").await;
    rabbitmq.ctl(&["set_permissions", &user, "^$", "^$", "^$"]).await;
    let host = format!("127.0.0.1:{}", rabbitmq.port());
    let url = format!("amqp://{user}:right@{host}/%2f");
    let mend = async || drop(rabbitmq.ctl(&["set_permissions", &user, ".*", ".*", ".*"]).await);
    both_say_so_until_it_is_mended(&url, &[&host, "ACCESS_REFUSED"], mend).await;
}

#[tokio::test]
async fn the_broker_speaks_no_tls() {
    let (rabbitmq, health) = (RabbitMq::shared().await, Port::claim());
    let host = format!("127.0.0.1:{}", rabbitmq.port());
    let fleet = fleet_at(&format!("amqps://{host}/%2f"), &health).await.begin().await;
    let since = Instant::now();
    let words = [host.as_str(), "corrupt message"];
    said::by_controllers(&fleet, since, "broker", &words).await;
    said::by_agent(&fleet, since, &health.address(), &words).await;
    // That is mended in the settings.
    for process in [fleet.controller(0).process(), fleet.agent("node-1").process()] {
        assert!(process.terminate().await.success());
        process.start_again_as(|launch| launch.env("BELLWETHER_AMQP_URL", rabbitmq.url()));
    }
    is_well(&fleet).await;
}

#[tokio::test]
async fn the_shared_queue_exists_with_other_arguments() {
    let rabbitmq = RabbitMq::shared().await;
    let fleet = Fleet::shared().await.controllers(1).agents(1).start().await;
    let controller = fleet.controller(0).process();
    assert!(controller.terminate().await.success());
    let (_connection, channel) = stranger(rabbitmq).await;
    let queue = format!("bellwether.{}.controller", fleet.name());
    channel.queue_delete(queue.as_str().into(), Default::default()).await.expect("deleted");
    let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    let mut quorum = FieldTable::default();
    quorum.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    channel.queue_declare(queue.as_str().into(), durable, quorum).await.expect("declared");

    controller.start_again();
    said::in_log(controller, &[&queue, "PRECONDITION_FAILED", "used as it is"]).await;
    is_well(&fleet).await;
}

#[tokio::test]
async fn the_exchange_of_the_agents_exists_as_another_kind() {
    let (rabbitmq, health) = (RabbitMq::shared().await, Port::claim());
    let fleet = fleet_at(&rabbitmq.url(), &health).await.start().await;
    let agent = fleet.agent("node-1").process();
    assert!(agent.terminate().await.success());
    let (_connection, channel) = stranger(rabbitmq).await;
    let exchange = format!("bellwether.{}.agent", fleet.name());
    let replace = async |kind: ExchangeKind| {
        let unconditional = ExchangeDeleteOptions::default();
        channel.exchange_delete(exchange.as_str().into(), unconditional).await.expect("deleted");
        let durable = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
        let declaring =
            channel.exchange_declare(exchange.as_str().into(), kind, durable, FieldTable::default());
        declaring.await.expect("declared");
    };
    replace(ExchangeKind::Topic).await;

    agent.start_again();
    said::in_log(agent, &[&exchange, "PRECONDITION_FAILED", "cannot consume"]).await;
    said::on_the_agents_page(&health.address(), &["connected", "is not bound"]).await;
    replace(ExchangeKind::Direct).await;
    eventually("the agent is pushed to", async || {
        fleet.controller(0).agent("node-1").await.is_ok_and(|agent| agent.converged && !agent.conflict)
    })
    .await;
    is_well(&fleet).await;
}

/// Somebody else on the broker.
async fn stranger(rabbitmq: &RabbitMq) -> (Connection, Channel) {
    let connecting = Connection::connect(&rabbitmq.url(), ConnectionProperties::default()).await;
    let connection = connecting.expect("connected");
    let channel = connection.create_channel().await.expect("a channel");
    (connection, channel)
}
