//! The baseline: the least that lapin needs for a call, with the same properties on every message.

use super::{Place, calls::Caller};
use anyhow::Context;
use futures_util::StreamExt;
use lapin::{
    BasicProperties, Channel, Connection, ConnectionProperties, Consumer, ExchangeKind,
    options::{
        BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions,
        ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions,
    },
    types::{AMQPValue, FieldTable, ShortString},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::oneshot;
use uuid::Uuid;

/// The shared queue, and the exchange and the routing key of the one peer.
const QUEUE: &str = "bench.bare";
const EXCHANGE: &str = "bench.bare.peers";
const KEY: &str = "peer-1";

type Waiting = Arc<Mutex<HashMap<String, oneshot::Sender<Vec<u8>>>>>;

pub(super) struct Bare {
    place: Place,
    channel: Channel,
    reply_queue: ShortString,
    app_id: ShortString,
    waiting: Waiting,
    _connections: [Connection; 4],
}

impl Bare {
    pub(super) async fn start(url: &str, place: Place) -> anyhow::Result<Self> {
        // As many connections as the product has: each side publishes on one and consumes on another.
        let connections =
            [connect(url).await?, connect(url).await?, connect(url).await?, connect(url).await?];
        let [serve_in, serve_out, call_in, call_out] = &connections;
        let app_id = ShortString::from(Uuid::now_v7().to_string());
        let requests = serve_in.create_channel().await?;
        serve(place, requests, serve_out.create_channel().await?, app_id.clone()).await?;
        let replies = call_in.create_channel().await?;
        let (reply_queue, consumer) = own_queue(&replies).await?;
        let waiting = Waiting::default();
        tokio::spawn(read_replies(consumer, replies, waiting.clone()));
        let channel = call_out.create_channel().await?;
        if place == Place::Peer {
            channel.confirm_select(ConfirmSelectOptions::default()).await?;
        }
        Ok(Self { place, channel, reply_queue, app_id, waiting, _connections: connections })
    }
}

impl Caller for Bare {
    async fn call(&self, payload: &str) -> anyhow::Result<()> {
        let id = Uuid::now_v7().to_string();
        let (sender, reply) = oneshot::channel();
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), sender);
        let properties = properties("Echo", &id, &self.app_id)
            .with_reply_to(self.reply_queue.clone())
            .with_expiration("30000".into());
        let body = serde_json::to_vec(payload)?;
        let options = BasicPublishOptions { mandatory: true, immediate: false };
        let (exchange, key) = match self.place {
            Place::Shared => (ShortString::default(), QUEUE.into()),
            Place::Peer => (EXCHANGE.into(), KEY.into()),
        };
        let confirm = self.channel.basic_publish(exchange, key, options, &body, properties).await?;
        match self.place {
            Place::Shared => drop(confirm.await),
            // A peer that is not there is told of while the reply is waited for.
            Place::Peer => drop(tokio::spawn(confirm)),
        }
        let reply: String = serde_json::from_slice(&reply.await.context("no reply")?)?;
        anyhow::ensure!(reply.len() == payload.len(), "a wrong reply");
        Ok(())
    }
}

impl Bare {
    /// Learns that nobody is there.
    pub(super) async fn call_nobody(&self) -> anyhow::Result<()> {
        let id = Uuid::now_v7().to_string();
        let properties = properties("Echo", &id, &self.app_id)
            .with_reply_to(self.reply_queue.clone())
            .with_expiration("30000".into());
        let options = BasicPublishOptions { mandatory: true, immediate: false };
        let publish =
            self.channel.basic_publish(EXCHANGE.into(), "nobody".into(), options, b"\"x\"", properties);
        anyhow::ensure!(publish.await?.await?.take_message().is_some(), "it was not returned");
        Ok(())
    }
}

/// A queue for one's own replies, and its consumer.
pub(super) async fn own_queue(channel: &Channel) -> anyhow::Result<(ShortString, Consumer)> {
    let exclusive =
        QueueDeclareOptions { exclusive: true, auto_delete: true, ..QueueDeclareOptions::default() };
    let queue = channel.queue_declare(ShortString::default(), exclusive, FieldTable::default()).await?;
    let no_ack = BasicConsumeOptions { no_ack: true, ..BasicConsumeOptions::default() };
    let name = queue.name().clone();
    let consumer = channel.basic_consume(name, ShortString::default(), no_ack, FieldTable::default()).await?;
    Ok((queue.name().clone(), consumer))
}

pub(super) async fn connect(url: &str) -> lapin::Result<Connection> {
    Connection::connect(url, ConnectionProperties::default()).await
}

/// What every message of the product carries.
pub(super) fn properties(kind: &str, id: &str, app_id: &ShortString) -> BasicProperties {
    let mut headers = FieldTable::default();
    headers.insert("bw-protocol".into(), AMQPValue::LongInt(1));
    headers.insert("bw-deadline-ms".into(), AMQPValue::LongLongInt(30_000));
    BasicProperties::default()
        .with_type(kind.into())
        .with_content_type("application/json".into())
        .with_correlation_id(id.into())
        .with_message_id(Uuid::now_v7().to_string().into())
        .with_app_id(app_id.clone())
        .with_headers(headers)
}

async fn serve(place: Place, requests: Channel, replies: Channel, app_id: ShortString) -> anyhow::Result<()> {
    requests.basic_qos(1_024, BasicQosOptions::default()).await?;
    let queue = declare(place, &requests).await?;
    let consume = BasicConsumeOptions::default();
    let mut consumer =
        requests.basic_consume(queue, ShortString::default(), consume, FieldTable::default()).await?;
    tokio::spawn(async move {
        while let Some(Ok(delivery)) = consumer.next().await {
            let (replies, app_id) = (replies.clone(), app_id.clone());
            tokio::spawn(async move {
                let text: String = serde_json::from_slice(&delivery.data).unwrap_or_default();
                let body = serde_json::to_vec(&text).unwrap_or_default();
                let request = &delivery.properties;
                let (Some(to), Some(id)) = (request.reply_to().clone(), request.correlation_id().clone())
                else {
                    return;
                };
                let properties = properties("reply", id.as_str(), &app_id);
                let options = BasicPublishOptions::default();
                let _ = replies.basic_publish(ShortString::default(), to, options, &body, properties).await;
                let _ = delivery.ack(BasicAckOptions::default()).await;
            });
        }
        drop(requests);
    });
    Ok(())
}

/// The queue that is served: the shared one, or one of its own behind an exchange.
async fn declare(place: Place, channel: &Channel) -> anyhow::Result<ShortString> {
    if place == Place::Shared {
        let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
        channel.queue_declare(QUEUE.into(), durable, FieldTable::default()).await?;
        return Ok(QUEUE.into());
    }
    let durable = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
    channel.exchange_declare(EXCHANGE.into(), ExchangeKind::Direct, durable, FieldTable::default()).await?;
    let exclusive =
        QueueDeclareOptions { exclusive: true, auto_delete: true, ..QueueDeclareOptions::default() };
    let queue = channel.queue_declare(ShortString::default(), exclusive, FieldTable::default()).await?;
    let (name, bind) = (queue.name().clone(), QueueBindOptions::default());
    channel.queue_bind(name.clone(), EXCHANGE.into(), KEY.into(), bind, FieldTable::default()).await?;
    Ok(name)
}

async fn read_replies(mut replies: Consumer, channel: Channel, waiting: Waiting) {
    while let Some(Ok(delivery)) = replies.next().await {
        let id = delivery.properties.correlation_id().as_ref().map(|id| id.as_str().to_owned());
        let waiter = id.and_then(|id| waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&id));
        if let Some(waiter) = waiter {
            let _ = waiter.send(delivery.data);
        }
    }
    drop(channel);
}
