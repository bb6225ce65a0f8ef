//! A program of somebody else on the broker: lapin, and nothing of ours.

use std::future::{Future, ready};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use bellwether_tests::{RabbitMq, eventually};
use futures_util::StreamExt;
use lapin::message::Delivery;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, ExchangeDeclareOptions, QueueBindOptions,
    QueueDeclareOptions,
};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties, ExchangeKind};
use serde_json::Value;
use tokio::task::JoinHandle;
use uuid::Uuid;

/// One connection with one channel, and a queue for answers.
pub(crate) struct Peer {
    pub(crate) channel: Channel,
    pub(crate) answers_to: ShortString,
    answers: Arc<Heard>,
    _connection: Connection,
    _reading: Task,
}

/// A message as it came.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) properties: BasicProperties,
    pub(crate) body: Vec<u8>,
    pub(crate) routing_key: String,
    pub(crate) at: Instant,
}

/// Messages in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Heard(Mutex<Vec<Message>>);

/// A task that ends with its value.
pub(crate) struct Task(JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Task {
    pub(crate) fn of(future: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(tokio::spawn(future))
    }
}

impl Heard {
    pub(crate) fn note(&self, message: Message) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(message);
    }

    pub(crate) fn all(&self) -> Vec<Message> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Peer {
    pub(crate) async fn connect(rabbitmq: &RabbitMq) -> Self {
        let url = rabbitmq.url();
        let connecting = Connection::connect(&url, ConnectionProperties::default());
        let connection = connecting.await.expect("connected");
        let channel = connection.create_channel().await.expect("a channel");
        let exclusive = QueueDeclareOptions { exclusive: true, ..QueueDeclareOptions::default() };
        let queue =
            channel.queue_declare("".into(), exclusive, FieldTable::default()).await.expect("a queue");
        let answers_to = queue.name().clone();
        let answers = Arc::new(Heard::default());
        let note = answers.clone();
        let reading = consume(&channel, answers_to.as_str(), move |message| {
            note.note(message);
            ready(())
        })
        .await;
        Self { channel, answers_to, answers, _connection: connection, _reading: reading }
    }

    /// Declares the exchanges of a fleet's agents, which a publisher has to.
    pub(crate) async fn declare_exchanges(&self, fleet: &str) {
        for (exchange, kind) in [("agent", ExchangeKind::Direct), ("agent.all", ExchangeKind::Fanout)] {
            let name = format!("bellwether.{fleet}.{exchange}");
            let durable = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
            let declaring = self.channel.exchange_declare(name.into(), kind, durable, FieldTable::default());
            declaring.await.expect("declared");
        }
    }

    pub(crate) async fn bind(&self, queue: &str, exchange: &str, key: &str) {
        let options = QueueBindOptions::default();
        let binding = self.channel.queue_bind(
            queue.into(),
            exchange.into(),
            key.into(),
            options,
            FieldTable::default(),
        );
        binding.await.expect("bound");
    }

    /// Publishes a mandatory message: with its reply queue and correlation id where it has any.
    pub(crate) async fn publish(&self, exchange: &str, key: &str, properties: BasicProperties, body: &[u8]) {
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let publishing = self.channel.basic_publish(exchange.into(), key.into(), options, body, properties);
        publishing.await.expect("published").await.expect("no confirms");
    }

    /// The answer to the request of this id, when there is one.
    pub(crate) fn answer_to(&self, id: &str) -> Option<Message> {
        let answers = self.answers.all().into_iter();
        let mut answers = answers.filter(|answer| text(answer.properties.correlation_id()) == id);
        let first = answers.next();
        assert!(answers.next().is_none(), "{id} was answered twice");
        first
    }

    /// Asks, and waits for the answer.
    pub(crate) async fn ask(
        &self,
        exchange: &str,
        key: &str,
        properties: BasicProperties,
        body: &[u8],
    ) -> Message {
        let id = Uuid::new_v4().to_string();
        let kind = text(properties.kind());
        let request =
            properties.with_correlation_id(id.as_str().into()).with_reply_to(self.answers_to.clone());
        self.publish(exchange, key, request, body).await;
        eventually(format!("{kind} is answered"), async || self.answer_to(&id)).await
    }
}

/// Hands every message of a queue on, acknowledged, until the value is dropped.
pub(crate) async fn consume<Taking: Future<Output = ()> + Send>(
    channel: &Channel,
    queue: &str,
    take: impl Fn(Message) -> Taking + Send + 'static,
) -> Task {
    let options = BasicConsumeOptions::default();
    let consuming = channel.basic_consume(queue.into(), "".into(), options, FieldTable::default());
    let mut consumer = consuming.await.expect("consuming");
    Task::of(async move {
        while let Some(Ok(delivery)) = consumer.next().await {
            let _ = delivery.ack(BasicAckOptions::default()).await;
            take(Message::from(delivery)).await;
        }
    })
}

impl From<Delivery> for Message {
    fn from(delivery: Delivery) -> Self {
        Self {
            routing_key: delivery.routing_key.as_str().to_owned(),
            properties: delivery.properties,
            body: delivery.data,
            at: Instant::now(),
        }
    }
}

impl Message {
    pub(crate) fn kind(&self) -> String {
        text(self.properties.kind())
    }

    pub(crate) fn asks(&self) -> bool {
        self.properties.reply_to().is_some()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> Option<AMQPValue> {
        self.properties.headers().as_ref().and_then(|headers| headers.inner().get(name)).cloned()
    }
}

/// The text of a property, empty when there is none.
pub(crate) fn text(property: &Option<ShortString>) -> String {
    property.as_ref().map(|text| text.as_str().to_owned()).unwrap_or_default()
}

/// Nothing but the method's name.
pub(crate) fn bare(kind: &str) -> BasicProperties {
    BasicProperties::default().with_type(kind.into())
}

/// The same with these headers.
pub(crate) fn with_headers(kind: &str, headers: &[(&str, AMQPValue)]) -> BasicProperties {
    let mut table = FieldTable::default();
    for (name, value) in headers {
        table.insert((*name).into(), value.clone());
    }
    bare(kind).with_headers(table)
}
