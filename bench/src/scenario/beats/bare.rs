//! The baseline, as a process of its own: it takes beats off a queue, records them by the product's own script, in one
//! round trip a batch, and acknowledges them by one frame.

use bellwether_proto::controller::Beat;
use futures_util::StreamExt;
use lapin::{
    Connection, ConnectionProperties,
    message::Delivery,
    options::{BasicAckOptions, BasicConsumeOptions, BasicQosOptions},
    types::{FieldTable, ShortString},
};
use redis::{Script, ScriptInvocation, aio::MultiplexedConnection};
use std::process::ExitCode;
use tokio::sync::mpsc;

/// Beats of a batch, and of one call of the script.
const BATCH: usize = 512;
const BEATS_A_CALL: usize = 128;

const RECORD: &str = concat!(
    include_str!("../../../../controller/src/registry/redis/prelude.lua"),
    include_str!("../../../../controller/src/registry/redis/record.lua")
);

/// Records what comes to `queue`, until this process is ended.
pub(crate) async fn record(amqp_url: &str, redis_url: &str, queue: &str) -> anyhow::Result<ExitCode> {
    let connection = Connection::connect(amqp_url, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    channel.basic_qos(1_024, BasicQosOptions::default()).await?;
    let (tag, options) = (ShortString::default(), BasicConsumeOptions::default());
    let mut consumer = channel.basic_consume(queue.into(), tag, options, FieldTable::default()).await?;
    let redis = redis::Client::open(redis_url)?.get_multiplexed_async_connection().await?;
    let (sender, mut beats) = mpsc::channel(16 * BATCH);
    let recording = async move {
        let (script, mut batch) = (Script::new(RECORD), Vec::with_capacity(BATCH));
        while beats.recv_many(&mut batch, BATCH).await > 0 {
            settle(&script, &redis, std::mem::take(&mut batch)).await?;
        }
        anyhow::Ok(())
    };
    let hearing = async move {
        while let Some(delivery) = consumer.next().await {
            let delivery = delivery?;
            let beat: Beat = serde_json::from_slice(&delivery.data)?;
            sender.send((beat, delivery)).await?;
        }
        anyhow::Ok(())
    };
    tokio::try_join!(recording, hearing)?;
    Ok(ExitCode::SUCCESS)
}

async fn settle(
    script: &Script,
    redis: &MultiplexedConnection,
    batch: Vec<(Beat, Delivery)>,
) -> anyhow::Result<()> {
    for some in batch.chunks(BEATS_A_CALL) {
        let _: Vec<u8> = call(script, some)?.invoke_async(&mut redis.clone()).await?;
    }
    if let Some((_, last)) = batch.last() {
        last.ack(BasicAckOptions { multiple: true }).await?;
    }
    Ok(())
}

fn call<'a>(script: &'a Script, beats: &[(Beat, Delivery)]) -> anyhow::Result<ScriptInvocation<'a>> {
    let mut call = script.prepare_invoke();
    for key in ["online", "known", "conflicts", "events"] {
        call.key(format!("bw:{{bare}}:{key}"));
    }
    call.arg(3_000).arg(10_000).arg(300_000);
    for (beat, _) in beats {
        call.key(format!("bw:{{bare}}:agent:{}", beat.name))
            .key(format!("bw:{{bare}}:gone:{}", beat.instance));
        call.arg(beat.name.to_string()).arg(beat.instance.to_string()).arg(serde_json::to_string(beat)?);
    }
    Ok(call)
}
