//! Somebody on the broker who is no part of the fleet: lapin, and nothing of ours.

use bellwether_tests::{RabbitMq, eventually};
use futures_util::StreamExt;
use lapin::options::{BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, QueueDeclareOptions};
use lapin::types::{FieldTable, ShortString};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use uuid::Uuid;

/// Where a message goes.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) exchange: String,
    pub(crate) key: String,
}

/// Answers by correlation id: their type and their body, as text where it is no JSON.
type Answers = Arc<Mutex<HashMap<String, (String, Value)>>>;

pub(crate) struct Stranger {
    channel: Channel,
    answers_to: ShortString,
    answers: Answers,
    _connection: Connection,
}

impl Target {
    pub(crate) fn controllers(fleet: &str) -> Self {
        Self { exchange: String::new(), key: format!("bellwether.{fleet}.controller") }
    }

    pub(crate) fn agent(fleet: &str, name: &str) -> Self {
        Self { exchange: format!("bellwether.{fleet}.agent"), key: name.to_owned() }
    }
}

impl Stranger {
    pub(crate) async fn connect(rabbitmq: &RabbitMq) -> Self {
        let connecting = Connection::connect(&rabbitmq.url(), ConnectionProperties::default()).await;
        let connection = connecting.expect("connected");
        let channel = connection.create_channel().await.expect("a channel");
        let exclusive = QueueDeclareOptions { exclusive: true, ..QueueDeclareOptions::default() };
        let queue = channel.queue_declare("".into(), exclusive, FieldTable::default()).await;
        let answers_to = queue.expect("declared").name().clone();
        let options = BasicConsumeOptions::default();
        let consuming =
            channel.basic_consume(answers_to.clone(), "".into(), options, FieldTable::default()).await;
        let mut consumer = consuming.expect("consuming");
        let answers = Answers::default();
        let noted = answers.clone();
        tokio::spawn(async move {
            while let Some(Ok(delivery)) = consumer.next().await {
                let _ = delivery.ack(BasicAckOptions::default()).await;
                let [id, kind] = [delivery.properties.correlation_id(), delivery.properties.kind()].map(text);
                let packed = |_| String::from_utf8_lossy(&delivery.data).into();
                let body = serde_json::from_slice(&delivery.data).unwrap_or_else(packed);
                noted.lock().unwrap_or_else(PoisonError::into_inner).insert(id, (kind, body));
            }
        });
        Self { channel, answers_to, answers, _connection: connection }
    }

    /// Where answers to this stranger come.
    pub(crate) fn answers_to(&self) -> ShortString {
        self.answers_to.clone()
    }

    pub(crate) async fn tell(&self, target: &Target, properties: BasicProperties, body: &[u8]) {
        let (exchange, key) = (target.exchange.as_str().into(), target.key.as_str().into());
        let options = BasicPublishOptions::default();
        let publishing = self.channel.basic_publish(exchange, key, options, body, properties);
        publishing.await.expect("published").await.expect("no confirms");
    }

    /// Asks, and returns the type of the answer and its body.
    pub(crate) async fn ask(
        &self,
        target: &Target,
        properties: BasicProperties,
        body: &[u8],
    ) -> (String, Value) {
        let id = Uuid::new_v4().to_string();
        let properties =
            properties.with_correlation_id(id.as_str().into()).with_reply_to(self.answers_to.clone());
        self.tell(target, properties, body).await;
        eventually(format!("{target:?} answers"), async || self.answer_to(&id)).await
    }

    /// What was answered to the message of this id.
    pub(crate) fn answer_to(&self, id: &str) -> Option<(String, Value)> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }
}

/// Nothing but the method's name.
pub(crate) fn bare(method: &str) -> BasicProperties {
    BasicProperties::default().with_type(method.into())
}

fn text(property: &Option<ShortString>) -> String {
    property.as_ref().map(|text| text.as_str().to_owned()).unwrap_or_default()
}
