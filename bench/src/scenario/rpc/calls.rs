//! One call after the other by 1, 32 and 256 callers: how many, how fast, for how much CPU.

use super::{Broker, Place, bare::Bare, ours::Ours};
use crate::{
    cpu,
    report::{Goal, Row},
    rounds::{Rounds, percentile},
};
use futures_util::future::try_join_all;
use std::time::{Duration, Instant};

/// Calls of one measurement, over all callers.
const CALLS: usize = 2_000;

/// The payload of request and reply, in bytes of JSON.
const PAYLOAD: usize = 200;

/// One way of calling.
pub(super) trait Caller {
    /// Calls once, and waits for the answer.
    async fn call(&self, payload: &str) -> anyhow::Result<()>;
}

/// What one measurement showed.
struct Measured {
    calls_per_second: f64,
    p99_ms: f64,
    /// Of server and client together.
    cpu_us: f64,
    broker_cpu_us: f64,
}

pub(super) async fn measure(broker: &Broker, place: Place, rounds: usize) -> anyhow::Result<Vec<Row>> {
    let (ours, bare) = (Ours::start(&broker.url, place).await?, Bare::start(&broker.url, place).await?);
    let mut rows = Vec::new();
    for callers in [1, 32, 256] {
        let what = format!("{}, {callers} callers", place.name());
        eprintln!("{what}: {rounds} rounds");
        let mut of = [const { Rounds::new() }; 4];
        for round in 0..=rounds {
            let (ours, bare) = (run(&ours, callers, broker).await?, run(&bare, callers, broker).await?);
            // The first round warms up.
            if round > 0 {
                of[0].add(ours.calls_per_second, bare.calls_per_second);
                of[1].add(ours.p99_ms, bare.p99_ms);
                of[2].add(ours.cpu_us, bare.cpu_us);
                of[3].add(ours.broker_cpu_us, bare.broker_cpu_us);
            }
        }
        rows.push(Row::new(format!("{what}: rate"), "calls/s", &of[0], Goal::AtLeast(0.95)));
        if place == Place::Shared {
            rows.push(Row::new(format!("{what}: p99"), "ms", &of[1], Goal::AtMost(1.15)));
            rows.push(Row::new(format!("{what}: CPU a call"), "µs", &of[2], Goal::AtMost(1.25)));
            if broker.pid.is_some() {
                rows.push(Row::new(format!("{what}: broker's CPU"), "µs", &of[3], Goal::AtMost(1.05)));
            }
        }
    }
    ours.stop().await;
    Ok(rows)
}

impl Place {
    fn name(self) -> &'static str {
        match self {
            Self::Shared => "shared queue",
            Self::Peer => "one peer",
        }
    }
}

async fn run(caller: &impl Caller, callers: usize, broker: &Broker) -> anyhow::Result<Measured> {
    let payload = "x".repeat(PAYLOAD - 2);
    let each = CALLS / callers;
    let used = || (cpu::of_this_process(), broker.pid.map(cpu::of).unwrap_or_default());
    let (started, (cpu_before, broker_before)) = (Instant::now(), used());
    let times = try_join_all((0..callers).map(|_| async {
        let mut times = Vec::with_capacity(each);
        for _ in 0..each {
            let called = Instant::now();
            caller.call(&payload).await?;
            times.push(called.elapsed());
        }
        anyhow::Ok(times)
    }))
    .await?;
    let (took, (cpu_after, broker_after)) = (started.elapsed(), used());
    let mut times: Vec<Duration> = times.into_iter().flatten().collect();
    let calls = times.len() as f64;
    let a_call = |after: Duration, before: Duration| (after - before).as_secs_f64() * 1e6 / calls;
    Ok(Measured {
        calls_per_second: calls / took.as_secs_f64(),
        p99_ms: percentile(&mut times, 0.99),
        cpu_us: a_call(cpu_after, cpu_before),
        broker_cpu_us: a_call(broker_after, broker_before),
    })
}
