//! Calls to a shared queue over RabbitMQ, beside a bare lapin loop without confirms: the floor.

mod bare;
mod ours;

use crate::{
    report::{Goal, Row},
    rounds::{Rounds, percentile},
};
use bare::Bare;
use bellwether_tests::RabbitMq;
use futures_util::future::try_join_all;
use ours::Ours;
use std::time::{Duration, Instant};

/// Calls of one measurement, over all callers.
const CALLS: usize = 2_000;

/// The payload of request and reply, in bytes of JSON.
const PAYLOAD: usize = 200;

/// One way of calling.
trait Caller {
    /// Calls once, and waits for the answer.
    async fn call(&self, payload: &str) -> anyhow::Result<()>;
}

/// What one measurement showed.
struct Measured {
    calls_per_second: f64,
    p50_ms: f64,
    p99_ms: f64,
}

pub(crate) async fn measure(url: Option<String>, rounds: usize) -> anyhow::Result<Vec<Row>> {
    let broker = match url {
        Some(_) => None,
        None => Some(RabbitMq::start().await),
    };
    let url = url.or_else(|| broker.as_ref().map(RabbitMq::url)).unwrap_or_default();
    let (ours, bare) = (Ours::start(&url).await?, Bare::start(&url).await?);
    let mut rows = Vec::new();
    for callers in [1, 32, 256] {
        eprintln!("{callers} callers: {rounds} rounds");
        let (mut rate, mut p50, mut p99) = (Rounds::default(), Rounds::default(), Rounds::default());
        for round in 0..=rounds {
            let (product, baseline) = (run(&ours, callers).await?, run(&bare, callers).await?);
            // The first round warms up.
            if round > 0 {
                rate.add(product.calls_per_second, baseline.calls_per_second);
                p50.add(product.p50_ms, baseline.p50_ms);
                p99.add(product.p99_ms, baseline.p99_ms);
            }
        }
        rows.push(Row::new(format!("{callers} callers, rate"), "calls/s", &rate, Goal::AtLeast(0.95)));
        rows.push(Row::new(format!("{callers} callers, p50"), "ms", &p50, Goal::AtMost(1.15)));
        rows.push(Row::new(format!("{callers} callers, p99"), "ms", &p99, Goal::AtMost(1.15)));
    }
    ours.stop().await;
    Ok(rows)
}

async fn run(caller: &impl Caller, callers: usize) -> anyhow::Result<Measured> {
    let payload = "x".repeat(PAYLOAD - 2);
    let each = CALLS / callers;
    let started = Instant::now();
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
    let took = started.elapsed();
    let mut times: Vec<Duration> = times.into_iter().flatten().collect();
    Ok(Measured {
        calls_per_second: times.len() as f64 / took.as_secs_f64(),
        p50_ms: percentile(&mut times, 0.5),
        p99_ms: percentile(&mut times, 0.99),
    })
}
