//! Consumes an address: declares what it needs, and turns lapin's deliveries into ours.

use super::{names::short, session::Session, wire};
use crate::{
    Address,
    transport::{ConsumeError, Deliveries, Delivery, Receipt, SendError},
};
use async_trait::async_trait;
use futures_util::{StreamExt, stream};
use lapin::{
    Acker, Channel,
    options::{BasicAckOptions, BasicConsumeOptions, BasicQosOptions, QueueBindOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable, ShortString},
};
use std::sync::Arc;
use tokio::time::Instant;

/// PRECONDITION_FAILED: the queue exists with other arguments.
const PRECONDITION_FAILED: u16 = 406;

impl Session {
    pub(super) async fn consume(
        self: &Arc<Self>,
        address: &Address,
        prefetch: u16,
    ) -> Result<Deliveries, ConsumeError> {
        let (channel, queue) = match address {
            Address::Shared { service } => self.declare_shared(service).await?,
            Address::Peer { service, name, .. } => self.declare_peer(service, name).await?,
            Address::Everyone { .. } => {
                return Err(ConsumeError::Invalid("a server has an address of its own".into()));
            }
        };
        channel.basic_qos(prefetch.max(1), BasicQosOptions::default()).await.map_err(refused)?;
        let consuming = channel.basic_consume(
            queue,
            ShortString::default(),
            BasicConsumeOptions::default(),
            FieldTable::default(),
        );
        Ok(deliveries(consuming.await.map_err(refused)?, channel))
    }

    async fn channel(&self) -> Result<Channel, ConsumeError> {
        self.consuming.create_channel().await.map_err(refused)
    }

    /// The shared queue of a service: durable and classic. One that somebody made otherwise is used as it is.
    async fn declare_shared(&self, service: &str) -> Result<(Channel, ShortString), ConsumeError> {
        let name = self.environment.names.shared_queue(service);
        let queue = short(&name).map_err(ConsumeError::Invalid)?;
        let channel = self.channel().await?;
        let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
        match channel.queue_declare(queue.clone(), durable, classic()).await {
            Ok(_) => return Ok((channel, queue)),
            Err(error) if is_precondition_failed(&error) => {
                tracing::warn!(queue = name, %error, "the queue exists with other arguments: used as it is");
            }
            Err(error) => return Err(refused(error)),
        }
        let channel = self.channel().await?;
        let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        channel.queue_declare(queue.clone(), passive, FieldTable::default()).await.map_err(refused)?;
        Ok((channel, queue))
    }

    /// A peer's own queue: exclusive, gone with the connection, bound to both exchanges of its service.
    async fn declare_peer(&self, service: &str, name: &str) -> Result<(Channel, ShortString), ConsumeError> {
        self.ensure_exchanges(service).await.map_err(|error| match error {
            SendError::Invalid(reason) => ConsumeError::Refused(reason),
            _ => ConsumeError::NotConnected,
        })?;
        let environment = &self.environment;
        let names = &environment.names;
        let generation = environment.next_generation();
        let queue = names.peer_queue(service, name, environment.instance, generation);
        let queue = short(&queue).map_err(ConsumeError::Invalid)?;
        let channel = self.channel().await?;
        let exclusive =
            QueueDeclareOptions { exclusive: true, auto_delete: true, ..QueueDeclareOptions::default() };
        channel.queue_declare(queue.clone(), exclusive, classic()).await.map_err(refused)?;
        for (exchange, key) in [(names.peer_exchange(service), name), (names.everyone_exchange(service), "")]
        {
            let (exchange, key) = (short(&exchange), short(key));
            channel
                .queue_bind(
                    queue.clone(),
                    exchange.map_err(ConsumeError::Invalid)?,
                    key.map_err(ConsumeError::Invalid)?,
                    QueueBindOptions::default(),
                    FieldTable::default(),
                )
                .await
                .map_err(refused)?;
        }
        Ok((channel, queue))
    }
}

/// Said outright, since a virtual host may have another default.
fn classic() -> FieldTable {
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), AMQPValue::LongString("classic".into()));
    arguments
}

fn is_precondition_failed(error: &lapin::Error) -> bool {
    matches!(error.kind(), lapin::ErrorKind::ProtocolError(error) if error.get_id() == PRECONDITION_FAILED)
}

fn refused(error: lapin::Error) -> ConsumeError {
    if error.is_amqp_error() { ConsumeError::Refused(error.to_string()) } else { ConsumeError::NotConnected }
}

/// The stream ends when the consumer is cancelled, or its channel or connection is lost.
fn deliveries(consumer: lapin::Consumer, channel: Channel) -> Deliveries {
    Box::pin(stream::unfold((consumer, channel), |(mut consumer, channel)| async move {
        match consumer.next().await? {
            Ok(delivery) => Some((received(delivery, &channel), (consumer, channel))),
            Err(error) => {
                tracing::debug!(%error, "a consumer was lost");
                None
            }
        }
    }))
}

fn received(delivery: lapin::message::Delivery, channel: &Channel) -> Delivery {
    Delivery {
        message: wire::read(&delivery.properties, delivery.data),
        redelivered: delivery.redelivered,
        received: Instant::now(),
        receipt: Box::new(AmqpReceipt { acker: delivery.acker, _channel: channel.clone() }),
    }
}

/// Keeps the channel open until the delivery is dealt with, also when its consumer has stopped.
struct AmqpReceipt {
    acker: Acker,
    _channel: Channel,
}

#[async_trait]
impl Receipt for AmqpReceipt {
    async fn ack(self: Box<Self>) {
        if let Err(error) = self.acker.ack(BasicAckOptions::default()).await {
            tracing::debug!(%error, "a delivery could not be acknowledged");
        }
    }
}
