//! A thousand agents that beat, one way, as agents of the product do.

use anyhow::Context;
use bellwether_proto::{Known, controller::Beat};
use bellwether_rpc::Instance;
use lapin::{
    BasicProperties, Channel, Connection, ConnectionProperties,
    options::{BasicPublishOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable, ShortString},
};
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval};
use uuid::Uuid;

const AGENTS: usize = 1_000;
/// Each agent beats once a second; a tenth of them at each tick.
const TICKS_A_SECOND: usize = 10;

pub(super) struct Load {
    channel: Channel,
    beats: Vec<(ShortString, Vec<u8>)>,
    _connection: Connection,
}

impl Load {
    pub(super) async fn start(url: &str, known: Known) -> anyhow::Result<Self> {
        let connection = Connection::connect(url, ConnectionProperties::default()).await?;
        let channel = connection.create_channel().await?;
        let beats = (0..AGENTS).map(|n| beat(n, &known)).collect::<anyhow::Result<_>>()?;
        Ok(Self { channel, beats, _connection: connection })
    }

    /// A queue as the controllers' is.
    pub(super) async fn declare(&self, queue: &str) -> anyhow::Result<()> {
        let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
        self.channel.queue_declare(queue.into(), durable, FieldTable::default()).await?;
        Ok(())
    }

    /// Has all agents beat to `queue` for this long, and says how many beats that were.
    pub(super) async fn beat_for(&self, queue: &str, window: Duration) -> anyhow::Result<usize> {
        let mut tick = interval(Duration::from_secs(1) / u32::try_from(TICKS_A_SECOND)?);
        tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let (end, mut sent) = (Instant::now() + window, 0);
        for some in self.beats.chunks(AGENTS / TICKS_A_SECOND).cycle() {
            tick.tick().await;
            if Instant::now() >= end {
                break;
            }
            for (instance, body) in some {
                let (exchange, options) = (ShortString::default(), BasicPublishOptions::default());
                let properties = properties(instance);
                self.channel.basic_publish(exchange, queue.into(), options, body, properties).await?;
            }
            sent += some.len();
        }
        Ok(sent)
    }
}

fn beat(n: usize, known: &Known) -> anyhow::Result<(ShortString, Vec<u8>)> {
    let instance = Instance::new();
    let beat = Beat {
        name: format!("node-{n}").parse().context("a name")?,
        instance,
        generation: 1,
        version: "0.1.0".into(),
        labels: serde_json::from_str(r#"{"zone": "eu"}"#)?,
        known: known.clone(),
        last_error: None,
    };
    Ok((instance.to_string().into(), serde_json::to_vec(&beat)?))
}

fn properties(instance: &ShortString) -> BasicProperties {
    let mut headers = FieldTable::default();
    headers.insert("bw-protocol".into(), AMQPValue::LongInt(1));
    headers.insert("bw-deadline-ms".into(), AMQPValue::LongLongInt(1_000));
    BasicProperties::default()
        .with_type("OnlineAgent".into())
        .with_content_type("application/json".into())
        .with_message_id(Uuid::now_v7().to_string().into())
        .with_app_id(instance.clone())
        .with_expiration("1000".into())
        .with_headers(headers)
}
