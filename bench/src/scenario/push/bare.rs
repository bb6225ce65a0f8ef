//! The baseline: direct mandatory publishes with confirms, and as many replies, with the properties of the product.

use anyhow::Context;
use futures_util::{StreamExt, future::try_join_all};
use lapin::{
    BasicProperties, Channel, Connection, ConnectionProperties, Consumer, ExchangeKind,
    options::{
        BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, ConfirmSelectOptions,
        ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions,
    },
    types::{AMQPValue, FieldTable, ShortString},
};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use uuid::Uuid;

const EXCHANGE: &str = "bench.agent";

pub(super) struct Bare {
    channel: Channel,
    replies: tokio::sync::Mutex<Consumer>,
    reply_queue: ShortString,
    agents: usize,
    _connections: Vec<Connection>,
}

impl Bare {
    pub(super) async fn start(url: &str, agents: usize) -> anyhow::Result<Self> {
        let (publishing, consuming) = (connect(url).await?, connect(url).await?);
        let channel = publishing.create_channel().await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        let exchange = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
        channel
            .exchange_declare(EXCHANGE.into(), ExchangeKind::Direct, exchange, FieldTable::default())
            .await?;
        let (reply_queue, replies) = consume(&consuming.create_channel().await?, None).await?;
        let mut connections = vec![publishing, consuming];
        for n in 0..agents {
            let connection = connect(url).await?;
            let channel = connection.create_channel().await?;
            let (_, requests) = consume(&channel, Some(&format!("node-{n}"))).await?;
            tokio::spawn(answer(channel, requests));
            connections.push(connection);
        }
        Ok(Self { channel, replies: replies.into(), reply_queue, agents, _connections: connections })
    }

    /// So many pushes of a document of this size, one after the other.
    pub(super) async fn push(&self, pushes: usize, document: usize) -> anyhow::Result<Vec<Duration>> {
        let mut replies = self.replies.lock().await;
        let mut times = Vec::with_capacity(pushes);
        let body =
            serde_json::to_vec(&json!({"revision": 1, "name": "shop", "config": "x".repeat(document)}))?;
        for _ in 0..pushes {
            let began = Instant::now();
            let sent = (0..self.agents).map(|n| self.send(n, &body));
            let collected = async {
                for _ in 0..self.agents {
                    let reply = replies.next().await.context("no reply")??;
                    let _: Value = serde_json::from_slice(&reply.data)?;
                    reply.ack(BasicAckOptions::default()).await?;
                }
                anyhow::Ok(())
            };
            let (sent, collected) = tokio::join!(try_join_all(sent), collected);
            sent?;
            collected?;
            times.push(began.elapsed());
        }
        Ok(times)
    }

    async fn send(&self, agent: usize, body: &[u8]) -> anyhow::Result<()> {
        let properties = properties("SetIngressConfig", &Uuid::now_v7().to_string())
            .with_reply_to(self.reply_queue.clone())
            .with_expiration("5000".into());
        let options = BasicPublishOptions { mandatory: true, immediate: false };
        let key = format!("node-{agent}");
        let confirm =
            self.channel.basic_publish(EXCHANGE.into(), key.into(), options, body, properties).await?;
        let returned = confirm.await?.take_message();
        anyhow::ensure!(returned.is_none(), "unroutable");
        Ok(())
    }
}

async fn connect(url: &str) -> lapin::Result<Connection> {
    Connection::connect(url, ConnectionProperties::default()).await
}

/// A queue of one's own, bound under this key if there is one.
async fn consume(channel: &Channel, key: Option<&str>) -> anyhow::Result<(ShortString, Consumer)> {
    let exclusive =
        QueueDeclareOptions { exclusive: true, auto_delete: true, ..QueueDeclareOptions::default() };
    let queue = channel.queue_declare("".into(), exclusive, FieldTable::default()).await?.name().clone();
    if let Some(key) = key {
        let (options, none) = (QueueBindOptions::default(), FieldTable::default());
        channel.queue_bind(queue.clone(), EXCHANGE.into(), key.into(), options, none).await?;
    }
    let options = BasicConsumeOptions::default();
    let consumer = channel.basic_consume(queue.clone(), "".into(), options, FieldTable::default()).await?;
    Ok((queue, consumer))
}

async fn answer(channel: Channel, mut requests: Consumer) {
    while let Some(Ok(request)) = requests.next().await {
        let _: Option<Value> = serde_json::from_slice(&request.data).ok();
        let asked = &request.properties;
        let (Some(to), Some(id)) = (asked.reply_to().clone(), asked.correlation_id().clone()) else {
            continue;
        };
        let body = json!({"revision": 1, "digest": "0".repeat(64)}).to_string();
        let (options, reply) = (BasicPublishOptions::default(), properties("reply", id.as_str()));
        let _ = channel.basic_publish("".into(), to, options, body.as_bytes(), reply).await;
        let _ = request.ack(BasicAckOptions::default()).await;
    }
}

/// What every message of the product carries.
fn properties(kind: &str, id: &str) -> BasicProperties {
    let mut headers = FieldTable::default();
    headers.insert("bw-protocol".into(), AMQPValue::LongInt(1));
    headers.insert("bw-deadline-ms".into(), AMQPValue::LongLongInt(5_000));
    headers.insert("bw-instance".into(), AMQPValue::LongString(Uuid::nil().to_string().into()));
    BasicProperties::default()
        .with_type(kind.into())
        .with_content_type("application/json".into())
        .with_correlation_id(id.into())
        .with_message_id(Uuid::now_v7().to_string().into())
        .with_app_id(Uuid::nil().to_string().into())
        .with_headers(headers)
}
