//! A program of somebody else on the same broker: lapin, and nothing of ours.

use bellwether_tests::RabbitMq;
use futures_util::StreamExt;
use lapin::message::Delivery;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, ExchangeDeleteOptions, QueueDeclareOptions,
    QueueDeleteOptions,
};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties, Consumer};

use crate::service::within;

pub(crate) struct Raw {
    pub(crate) channel: Channel,
    _connection: Connection,
}

impl Raw {
    pub(crate) async fn connect(rabbitmq: &RabbitMq) -> Self {
        let connection = Connection::connect(&rabbitmq.url(), ConnectionProperties::default()).await;
        let connection = connection.expect("connected");
        let channel = connection.create_channel().await.expect("a channel");
        Self { channel, _connection: connection }
    }

    pub(crate) async fn declare_durable(&self, queue: &str, arguments: &[(&str, AMQPValue)]) {
        let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
        let mut table = FieldTable::default();
        for (name, value) in arguments {
            table.insert((*name).into(), value.clone());
        }
        self.channel.queue_declare(queue.into(), durable, table).await.expect("declared");
    }

    /// A queue of its own, named by the broker.
    pub(crate) async fn own_queue(&self) -> (ShortString, Consumer) {
        let exclusive = QueueDeclareOptions { exclusive: true, ..QueueDeclareOptions::default() };
        let queue = self.channel.queue_declare("".into(), exclusive, FieldTable::default()).await;
        let queue = queue.expect("declared").name().clone();
        let consumer = self.consume(queue.as_str()).await;
        (queue, consumer)
    }

    pub(crate) async fn consume(&self, queue: &str) -> Consumer {
        let consuming = self.channel.basic_consume(
            queue.into(),
            "".into(),
            BasicConsumeOptions::default(),
            FieldTable::default(),
        );
        consuming.await.expect("consuming")
    }

    /// Publishes to a queue.
    pub(crate) async fn publish(&self, queue: &str, properties: BasicProperties, body: &[u8]) {
        let publishing = self.channel.basic_publish(
            "".into(),
            queue.into(),
            BasicPublishOptions::default(),
            body,
            properties,
        );
        publishing.await.expect("published").await.expect("no confirms");
    }

    pub(crate) async fn delete_queue(&self, queue: &str) {
        let deleting = self.channel.queue_delete(queue.into(), QueueDeleteOptions::default());
        deleting.await.expect("deleted");
    }

    pub(crate) async fn delete_exchange(&self, exchange: &str) {
        let deleting = self.channel.exchange_delete(exchange.into(), ExchangeDeleteOptions::default());
        deleting.await.expect("deleted");
    }
}

/// The next delivery, acknowledged.
pub(crate) async fn take(consumer: &mut Consumer) -> Delivery {
    let delivery = within("a delivery", consumer.next()).await.expect("a consumer").expect("a delivery");
    delivery.ack(BasicAckOptions::default()).await.expect("acknowledged");
    delivery
}
