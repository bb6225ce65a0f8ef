//! Consumes an address: declares what it needs, and turns lapin's deliveries into ours.

use super::{
    names::{Exchange, short},
    receipts::{Receipts, requeue},
    session::Session,
    wire,
};
use crate::{
    Address,
    transport::{ConsumeError, Deliveries, Delivery},
};
use futures_util::{StreamExt, stream};
use lapin::{
    Channel,
    options::{
        BasicCancelOptions, BasicConsumeOptions, BasicQosOptions, QueueBindOptions, QueueDeclareOptions,
    },
    types::{AMQPValue, FieldTable, ShortString},
};
use std::{sync::Arc, time::Duration};
use tokio::{
    runtime::Handle,
    time::{Instant, sleep},
};
use tokio_util::task::AbortOnDropHandle;

/// How often a peer's queue is bound again. A bind that changes nothing is cheap, but a fleet makes many.
const HEARTBEATS_BETWEEN_BINDS: u32 = 4;

/// PRECONDITION_FAILED: the queue exists with other arguments.
const PRECONDITION_FAILED: u16 = 406;

impl Session {
    pub(super) async fn consume(
        self: &Arc<Self>,
        address: &Address,
        prefetch: u16,
    ) -> Result<Deliveries, ConsumeError> {
        let (channel, queue, bindings) = match address {
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
        let consumer = consuming.await.map_err(refused)?;
        let pause = self.environment.settings.heartbeat * HEARTBEATS_BETWEEN_BINDS;
        let upkeep = bindings
            .map(|bindings| AbortOnDropHandle::new(tokio::spawn(bindings.keep(channel.clone(), pause))));
        let receipts = Receipts::new(channel.clone(), self.telling.clone());
        Ok(deliveries(Consuming { consumer, channel, receipts, _upkeep: upkeep }))
    }

    async fn channel(&self) -> Result<Channel, ConsumeError> {
        self.consuming.create_channel().await.map_err(refused)
    }

    /// The shared queue of a service: durable and classic. One that somebody made otherwise is used as it is.
    async fn declare_shared(&self, service: &str) -> Result<Declared, ConsumeError> {
        let name = self.environment.names.shared_queue(service);
        let queue = short(&name).map_err(ConsumeError::Invalid)?;
        let channel = self.channel().await?;
        let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
        match channel.queue_declare(queue.clone(), durable, classic()).await {
            Ok(_) => return Ok((channel, queue, None)),
            Err(error) if is_precondition_failed(&error) => {
                tracing::warn!(queue = name, %error, "the queue exists with other arguments: used as it is");
            }
            Err(error) => return Err(refused(error)),
        }
        let channel = self.channel().await?;
        let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        channel.queue_declare(queue.clone(), passive, FieldTable::default()).await.map_err(refused)?;
        Ok((channel, queue, None))
    }

    /// A peer's own queue: exclusive, gone with the connection, bound to both exchanges of its service.
    async fn declare_peer(&self, service: &str, name: &str) -> Result<Declared, ConsumeError> {
        let environment = &self.environment;
        let generation = environment.next_generation();
        let queue = environment.names.peer_queue(service, name, environment.instance, generation);
        let queue = short(&queue).map_err(ConsumeError::Invalid)?;
        let key = short(name).map_err(ConsumeError::Invalid)?;
        let [peer, everyone] = environment.names.exchanges(service).map_err(ConsumeError::Invalid)?;
        let from = [(peer, key), (everyone, ShortString::default())];
        let bindings = Bindings { queue: queue.clone(), from };
        let channel = self.channel().await?;
        let exclusive =
            QueueDeclareOptions { exclusive: true, auto_delete: true, ..QueueDeclareOptions::default() };
        channel.queue_declare(queue.clone(), exclusive, classic()).await.map_err(refused)?;
        bindings.make(&channel).await.map_err(refused)?;
        Ok((channel, queue, Some(bindings)))
    }
}

/// A queue, the channel it was declared on, and what leads to it.
type Declared = (Channel, ShortString, Option<Bindings>);

/// What leads to a peer's queue.
struct Bindings {
    queue: ShortString,
    from: [(Exchange, ShortString); 2],
}

impl Bindings {
    /// Without effect where all of it exists.
    async fn make(&self, channel: &Channel) -> lapin::Result<()> {
        for (exchange, key) in &self.from {
            exchange.declare(channel).await?;
            let (queue, name, key) = (self.queue.clone(), exchange.name.clone(), key.clone());
            channel.queue_bind(queue, name, key, QueueBindOptions::default(), FieldTable::default()).await?;
        }
        Ok(())
    }

    /// Makes them again and again: with an exchange that somebody deletes its bindings go, and nobody is told.
    async fn keep(self, channel: Channel, pause: Duration) {
        loop {
            sleep(pause).await;
            // A refusal costs the channel, and with it the consumer, which is made again.
            if let Err(error) = self.make(&channel).await {
                tracing::debug!(queue = self.queue.as_str(), %error, "a queue could not be bound again");
                return;
            }
        }
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
fn deliveries(consuming: Consuming) -> Deliveries {
    Box::pin(stream::unfold(consuming, |mut consuming| async move {
        match consuming.consumer.next().await? {
            Ok(delivery) => Some((received(delivery, &consuming.receipts), consuming)),
            Err(error) => {
                tracing::debug!(%error, "a consumer was lost");
                None
            }
        }
    }))
}

/// A consumer, and what ends with it.
struct Consuming {
    consumer: lapin::Consumer,
    channel: Channel,
    receipts: Arc<Receipts>,
    _upkeep: Option<AbortOnDropHandle<()>>,
}

impl Drop for Consuming {
    fn drop(&mut self) {
        // Ends by itself, at the latest with the connection.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(hand_back(self.consumer.clone(), self.channel.clone()));
        }
    }
}

/// Stops a consumer. What it had fetched and not given out goes back at once: else it would wait for the handlers that
/// keep the channel open.
async fn hand_back(mut consumer: lapin::Consumer, channel: Channel) {
    if channel.basic_cancel(consumer.tag(), BasicCancelOptions::default()).await.is_err() {
        return;
    }
    while let Some(Ok(delivery)) = consumer.next().await {
        if delivery.acker.nack(requeue()).await.is_err() {
            return;
        }
    }
}

fn received(delivery: lapin::message::Delivery, receipts: &Arc<Receipts>) -> Delivery {
    Delivery {
        receipt: receipts.of(&delivery),
        message: wire::read(&delivery.properties, delivery.data),
        redelivered: delivery.redelivered,
        received: Instant::now(),
    }
}
