//! CPU of a controller that hears 1,000 beats a second, beside a bare lapin and Redis loop that records the same.

mod bare;
mod load;

pub(crate) use bare::record as record_bare;

use crate::{
    cpu,
    report::{Goal, Row},
    rounds::Rounds,
};
use anyhow::Context;
use bellwether_proto::Known;
use bellwether_tests::{Fleet, Launch, RabbitMq, Redis, eventually};
use load::Load;
use std::time::Duration;

/// How long one measurement lasts.
const WINDOW: Duration = Duration::from_secs(10);

/// The subcommand that makes of this program the bare loop.
pub(crate) const BARE: &str = "bare-beats";

pub(crate) async fn measure(rounds: usize) -> anyhow::Result<Vec<Row>> {
    let (rabbitmq, redis) = (RabbitMq::start().await, Redis::start().await);
    let fleet = Fleet::on(&rabbitmq, &redis).controllers(1).log("warn").start().await;
    let head = fleet.controller(0).get("/v1/status").await.map_err(anyhow::Error::msg)?;
    let status: bellwether_proto::http::StatusView = head.read().map_err(anyhow::Error::msg)?;
    // They serve what they should: else each would be told so.
    let known = Known { store_id: Some(status.store_id), ..Known::nothing() };
    let load = Load::start(&rabbitmq.url(), known).await?;

    let bare_queue = "bench.beats";
    load.declare(bare_queue).await?;
    let program = std::env::current_exe().context("this program")?;
    let bare = Launch::program(program).args([BARE, &rabbitmq.url(), &redis.url(), bare_queue]).start();
    let queue = format!("bellwether.{}.controller", fleet.name());
    let (ours, floor) = (fleet.controller(0).process().pid(), bare.pid());

    let mut used = Rounds::new();
    for round in 0..=rounds {
        eprintln!("round {round} of {rounds}");
        let (product, baseline) = (cost(&load, &queue, ours).await?, cost(&load, bare_queue, floor).await?);
        // In the first round the agents come.
        if round > 0 {
            used.add(product, baseline);
        }
    }
    all_were_recorded(&rabbitmq, &queue, bare_queue).await;
    bare.kill().await;
    let what = "1,000 beats/s: CPU of the whole controller beside a loop that only records";
    Ok(vec![Row::new(what, "µs a beat", &used, Goal::AtMost(1.3))])
}

/// CPU that a process takes for each beat.
async fn cost(load: &Load, queue: &str, pid: u32) -> anyhow::Result<f64> {
    let before = cpu::of(pid);
    let beats = load.beat_for(queue, WINDOW).await?;
    let used = cpu::of(pid).saturating_sub(before);
    anyhow::ensure!(used > Duration::ZERO, "process {pid} did nothing");
    Ok(used.as_secs_f64() * 1e6 / beats as f64)
}

async fn all_were_recorded(rabbitmq: &RabbitMq, ours: &str, bare: &str) {
    eventually("both queues are empty", async || {
        let listed = rabbitmq.ctl(&["list_queues", "name", "messages"]).await;
        [ours, bare].iter().all(|queue| listed.lines().any(|line| line == format!("{queue}\t0")))
    })
    .await;
}
