//! The baseline: the least that lapin needs for a call, with the same properties on every message.

use super::Caller;
use anyhow::Context;
use futures_util::StreamExt;
use lapin::{
    BasicProperties, Channel, Connection, ConnectionProperties,
    options::{
        BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, QueueDeclareOptions,
    },
    types::{AMQPValue, FieldTable, ShortString},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::oneshot;
use uuid::Uuid;

const QUEUE: &str = "bench.bare";

type Waiting = Arc<Mutex<HashMap<String, oneshot::Sender<Vec<u8>>>>>;

pub(super) struct Bare {
    channel: Channel,
    reply_queue: ShortString,
    app_id: ShortString,
    waiting: Waiting,
    _connections: [Connection; 4],
}

impl Bare {
    pub(super) async fn start(url: &str) -> anyhow::Result<Self> {
        // As many connections as the product has: each side publishes on one and consumes on another.
        let connections =
            [connect(url).await?, connect(url).await?, connect(url).await?, connect(url).await?];
        let [serve_in, serve_out, call_in, call_out] = &connections;
        let app_id = ShortString::from(Uuid::now_v7().to_string());
        serve(serve_in.create_channel().await?, serve_out.create_channel().await?, app_id.clone()).await?;
        let replies = call_in.create_channel().await?;
        let exclusive =
            QueueDeclareOptions { exclusive: true, auto_delete: true, ..QueueDeclareOptions::default() };
        let queue = replies.queue_declare(ShortString::default(), exclusive, FieldTable::default()).await?;
        let reply_queue = queue.name().clone();
        let waiting = Waiting::default();
        read_replies(replies, reply_queue.clone(), waiting.clone()).await?;
        Ok(Self {
            channel: call_out.create_channel().await?,
            reply_queue,
            app_id,
            waiting,
            _connections: connections,
        })
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
        let confirm =
            self.channel.basic_publish(ShortString::default(), QUEUE.into(), options, &body, properties);
        drop(confirm.await?.await);
        let reply: String = serde_json::from_slice(&reply.await.context("no reply")?)?;
        anyhow::ensure!(reply.len() == payload.len(), "a wrong reply");
        Ok(())
    }
}

async fn connect(url: &str) -> lapin::Result<Connection> {
    Connection::connect(url, ConnectionProperties::default()).await
}

/// What every message of the product carries.
fn properties(kind: &str, id: &str, app_id: &ShortString) -> BasicProperties {
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

async fn serve(requests: Channel, replies: Channel, app_id: ShortString) -> anyhow::Result<()> {
    requests.basic_qos(1_024, BasicQosOptions::default()).await?;
    let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    requests.queue_declare(QUEUE.into(), durable, FieldTable::default()).await?;
    let consume = BasicConsumeOptions::default();
    let mut consumer =
        requests.basic_consume(QUEUE.into(), ShortString::default(), consume, FieldTable::default()).await?;
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

async fn read_replies(channel: Channel, queue: ShortString, waiting: Waiting) -> anyhow::Result<()> {
    let no_ack = BasicConsumeOptions { no_ack: true, ..BasicConsumeOptions::default() };
    let mut replies =
        channel.basic_consume(queue, ShortString::default(), no_ack, FieldTable::default()).await?;
    tokio::spawn(async move {
        while let Some(Ok(delivery)) = replies.next().await {
            let id = delivery.properties.correlation_id().as_ref().map(|id| id.as_str().to_owned());
            let waiter = id.and_then(|id| waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&id));
            if let Some(waiter) = waiter {
                let _ = waiter.send(delivery.data);
            }
        }
        drop(channel);
    });
    Ok(())
}
