//! A call to 1,000 peers, beside one bare publish to a fanout exchange and the collecting of 1,000 replies. The peers
//! are the same for both.

use super::{
    Broker,
    bare::{self, connect, properties},
};
use crate::{
    report::{Goal, Row},
    rounds::Rounds,
};
use anyhow::Context;
use bellwether_rpc::{
    Connection, Deadline, Instance, Method, Peer,
    transport::amqp::{Amqp, AmqpSettings},
};
use futures_util::StreamExt;
use lapin::{
    Channel, Consumer, ExchangeKind,
    options::{
        BasicConsumeOptions, BasicPublishOptions, ExchangeDeclareOptions, QueueBindOptions,
        QueueDeclareOptions,
    },
    types::{FieldTable, ShortString},
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use uuid::Uuid;

const PEERS: usize = 1_000;
/// The peers share connections, as many as keep none of them busy.
const PEERS_A_CONNECTION: usize = 100;
const EXCHANGE: &str = "bench.lamp.all";

/// What every peer is told; it answers `{}`.
struct Shine;

impl Method for Shine {
    const NAME: &'static str = "Shine";
    type Request = String;
    type Reply = bellwether_rpc::Empty;
}

pub(super) async fn measure(broker: &Broker, rounds: usize) -> anyhow::Result<Vec<Row>> {
    let settings = AmqpSettings::new([broker.url.parse()?], "bench".into(), "bench-everyone".into());
    let ours = Connection::new(Amqp::start(settings.for_controller()));
    ours.wait_for_link(Deadline::after(Duration::from_secs(10))).await?;
    let (peers, _connections) = start_peers(&broker.url).await?;
    let mut bare = BareCaller::start(&broker.url).await?;
    let mut rows = Vec::new();
    for (bytes, name) in [(1024, "1 KiB"), (64 * 1024, "64 KiB")] {
        eprintln!("everyone, {PEERS} peers, {name}: {rounds} rounds");
        let (text, mut took) = ("x".repeat(bytes - 2), Rounds::new());
        for round in 0..=rounds {
            let started = Instant::now();
            call_everyone(&ours, &peers, &text).await?;
            let of_ours = started.elapsed();
            let started = Instant::now();
            bare.call_everyone(&text).await?;
            if round > 0 {
                took.add(of_ours.as_secs_f64() * 1e3, started.elapsed().as_secs_f64() * 1e3);
            }
        }
        let what = format!("everyone, {PEERS} peers, {name}");
        rows.push(Row::new(what, "ms", &took, Goal::AtMost(1.10)));
    }
    ours.close().await;
    Ok(rows)
}

async fn call_everyone(ours: &Connection, peers: &[Peer], text: &String) -> anyhow::Result<()> {
    let (service, deadline) = (Arc::from("lamp"), Deadline::after(Duration::from_secs(60)));
    let mut outcomes = ours.call_everyone::<Shine>(&service, text, peers.iter().cloned(), deadline).await?;
    let mut answered = 0;
    while let Some((_, outcome)) = outcomes.next().await {
        outcome?;
        answered += 1;
    }
    anyhow::ensure!(answered == PEERS, "{answered} answers");
    Ok(())
}

async fn start_peers(url: &str) -> anyhow::Result<(Vec<Peer>, Vec<lapin::Connection>)> {
    let (mut peers, mut connections) = (Vec::new(), Vec::new());
    for _ in 0..PEERS / PEERS_A_CONNECTION {
        let connection = connect(url).await?;
        for _ in 0..PEERS_A_CONNECTION {
            let peer = Peer::new(format!("lamp-{}", peers.len()), Instance::new());
            let channel = connection.create_channel().await?;
            tokio::spawn(shine(listen(&channel).await?, channel, peer.instance.to_string().into()));
            peers.push(peer);
        }
        connections.push(connection);
    }
    Ok((peers, connections))
}

/// A queue of its own, bound to the exchange that reaches everyone.
async fn listen(channel: &Channel) -> anyhow::Result<Consumer> {
    let durable = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
    channel.exchange_declare(EXCHANGE.into(), ExchangeKind::Fanout, durable, FieldTable::default()).await?;
    let exclusive =
        QueueDeclareOptions { exclusive: true, auto_delete: true, ..QueueDeclareOptions::default() };
    let queue = channel.queue_declare(ShortString::default(), exclusive, FieldTable::default()).await?;
    let (name, key, bind) = (queue.name().clone(), ShortString::default(), QueueBindOptions::default());
    channel.queue_bind(name.clone(), EXCHANGE.into(), key, bind, FieldTable::default()).await?;
    let no_ack = BasicConsumeOptions { no_ack: true, ..BasicConsumeOptions::default() };
    Ok(channel.basic_consume(name, ShortString::default(), no_ack, FieldTable::default()).await?)
}

/// Answers each request with `{}`.
async fn shine(mut requests: Consumer, channel: Channel, app_id: ShortString) {
    while let Some(Ok(request)) = requests.next().await {
        let about = &request.properties;
        let (Some(to), Some(id)) = (about.reply_to().clone(), about.correlation_id().clone()) else {
            continue;
        };
        let properties = properties("reply", id.as_str(), &app_id);
        let options = BasicPublishOptions::default();
        let _ = channel.basic_publish(ShortString::default(), to, options, b"{}", properties).await;
    }
}

/// The least that a call to everyone needs.
struct BareCaller {
    channel: Channel,
    replies: Consumer,
    reply_queue: ShortString,
    app_id: ShortString,
    _connections: [lapin::Connection; 2],
}

impl BareCaller {
    async fn start(url: &str) -> anyhow::Result<Self> {
        let connections = [connect(url).await?, connect(url).await?];
        let incoming = connections[1].create_channel().await?;
        let (reply_queue, replies) = bare::own_queue(&incoming).await?;
        let channel = connections[0].create_channel().await?;
        let app_id = Uuid::now_v7().to_string().into();
        Ok(Self { channel, replies, reply_queue, app_id, _connections: connections })
    }

    async fn call_everyone(&mut self, text: &String) -> anyhow::Result<()> {
        let id = Uuid::now_v7().to_string();
        let properties = properties(Shine::NAME, &id, &self.app_id)
            .with_reply_to(self.reply_queue.clone())
            .with_expiration("60000".into());
        let body = serde_json::to_vec(text)?;
        let options = BasicPublishOptions { mandatory: true, immediate: false };
        let publish =
            self.channel.basic_publish(EXCHANGE.into(), ShortString::default(), options, &body, properties);
        drop(publish.await?.await);
        let mut answered = 0;
        while answered < PEERS {
            let reply = self.replies.next().await.context("no more replies")??;
            let ours = reply.properties.correlation_id().as_ref().is_some_and(|it| it.as_str() == id);
            let _: bellwether_rpc::Empty = serde_json::from_slice(&reply.data)?;
            answered += usize::from(ours);
        }
        Ok(())
    }
}
