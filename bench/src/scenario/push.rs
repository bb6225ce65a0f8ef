//! All verdicts of a push, beside a bare lapin loop that publishes directly with confirms and collects the replies.

mod agents;
mod bare;

use crate::{
    report::{Goal, Row},
    rounds::{Rounds, percentile},
};
use agents::Agents;
use bare::Bare;
use bellwether_proto::http::{RolloutState, RolloutView, Verdict};
use bellwether_tests::{Fleet, RabbitMq, Redis};
use std::time::{Duration, Instant};

/// Pushes of one measurement.
const PUSHES: usize = 20;

/// About what a document has, in bytes of JSON.
const DOCUMENT: usize = 1_024;

/// The rollout's own times are whole milliseconds, cut: on average half of one is missing.
const CUT: Duration = Duration::from_micros(500);

/// How long all pushes of one measurement took, each.
#[derive(Default)]
struct Times {
    /// From the first send to the last verdict.
    verdicts: Vec<Duration>,
    /// From the request over HTTP to its last verdict.
    whole: Vec<Duration>,
}

pub(crate) async fn measure(rounds: usize) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for count in [10, 100] {
        eprintln!("{count} agents: {rounds} rounds");
        let (rabbitmq, redis) = (RabbitMq::start().await, Redis::start().await);
        let fleet = Fleet::on(&rabbitmq, &redis).controllers(2).log("warn").start().await;
        let agents = Agents::start(&rabbitmq.url(), fleet.name(), count)?;
        agents.wait_until_online(&fleet).await;
        let bare = Bare::start(&rabbitmq.url(), count).await?;
        let mut figures: [Rounds; 4] = Default::default();
        for round in 0..=rounds {
            let (mut ours, mut floor) = (push(&fleet, count).await?, bare.push(PUSHES, DOCUMENT).await?);
            // The first round warms up.
            if round > 0 {
                let (p50, p99) = (percentile(&mut floor, 0.5), percentile(&mut floor, 0.99));
                figures[0].add(percentile(&mut ours.verdicts, 0.5), p50);
                figures[1].add(percentile(&mut ours.verdicts, 0.99), p99);
                figures[2].add(percentile(&mut ours.whole, 0.5), p50);
                figures[3].add(percentile(&mut ours.whole, 0.99), p99);
            }
        }
        let [p50, p99, whole_p50, whole_p99] = &figures;
        for (name, figure) in [("p50", p50), ("p99", p99)] {
            let name = format!("{count} agents, all verdicts, {name}");
            rows.push(Row::new(name, "ms", figure, Goal::AtMost(1.5)));
        }
        // HTTP and the store are in them, and not in the baseline: they have no goal.
        for (name, figure) in [("p50", whole_p50), ("p99", whole_p99)] {
            rows.push(Row::share(format!("{count} agents, whole command, {name}"), "ms", figure));
        }
        agents.stop().await;
    }
    Ok(rows)
}

/// Pushes of the product, to each controller in turn.
async fn push(fleet: &Fleet, count: usize) -> anyhow::Result<Times> {
    let mut times = Times::default();
    for n in 0..PUSHES {
        let controller = fleet.controller(n % fleet.controllers().len());
        let began = Instant::now();
        let pushed = controller.begin_push("shop", &document(n), "").await.map_err(anyhow::Error::msg)?;
        let done: RolloutView =
            controller.rollout(pushed.rollout, "?wait=10s").await.map_err(anyhow::Error::msg)?;
        times.whole.push(began.elapsed());
        let applied = done.count(Verdict::Applied);
        anyhow::ensure!(done.state == RolloutState::Done && applied == count, "not all applied: {done:?}");
        times.verdicts.push(Duration::from_millis(done.elapsed_ms) + CUT);
    }
    Ok(times)
}

/// A document of about 1 KiB.
fn document(n: usize) -> String {
    let listeners: String = (0..10)
        .map(|at| {
            format!(
                "    - {{name: listener-{at}, address: 10.0.0.1, port: {}, protocol: HTTP}}\n",
                2_000 + at + 100 * n
            )
        })
        .collect();
    format!(
        "apiVersion: bellwether/v1\nkind: IngressConfig\nmetadata: {{name: shop}}\nspec:\n  listeners:\n{listeners}"
    )
}
