//! A set from its documents to serving: an agent's whole apply, beside a bare `haproxy -c` and a bare reload until served.

mod bare;
mod documents;
mod haproxy;
mod nodes;
mod ours;
mod steps;

use crate::{
    report::{Goal, Row},
    rounds::Rounds,
};
use bare::Bare;
use bellwether_program::metrics::Metrics;
use haproxy::own_address;
use ours::Ours;
use std::time::Duration;
use steps::STEPS;

/// How many hosts are served.
const HOSTS: [usize; 3] = [10, 1_000, 10_000];

/// What an apply may take of what a bare check and reload take together.
const ADDED: Goal = Goal::AtMost(1.15);

pub(crate) async fn measure(rounds: usize) -> anyhow::Result<Vec<Row>> {
    let (metrics, _upkeep) = Metrics::install(env!("CARGO_PKG_VERSION"))?;
    let mut rows = Vec::new();
    for hosts in HOSTS {
        eprintln!("{hosts} hosts: {rounds} rounds");
        rows.extend(apply(hosts, &metrics, rounds).await?);
    }
    rows.extend(nodes::measure(rounds).await?);
    Ok(rows)
}

/// One set, loaded again and again, each time as another.
async fn apply(hosts: usize, metrics: &Metrics, rounds: usize) -> anyhow::Result<Vec<Row>> {
    let mut ours = Ours::start(documents::of(hosts)?, own_address(), metrics.clone()).await?;
    let mut bare = Bare::start(&ours).await?;
    let (mut whole, mut shares) = (Rounds::new(), [const { Rounds::new() }; STEPS.len()]);
    for round in 0..=rounds {
        let (took, steps) = ours.apply().await?;
        bare.take(&ours)?;
        let floor = bare.check().await? + bare.reload().await?;
        // The first round warms up.
        if round > 0 {
            whole.add(ms(took), ms(floor));
            for (share, step) in shares.iter_mut().zip(STEPS) {
                share.add(steps.ms(step), ms(took));
            }
        }
    }
    let what = format!("{hosts} hosts: apply, beside a bare check and reload");
    let shares = STEPS
        .iter()
        .zip(&shares)
        .map(|(step, share)| Row::share(format!("{hosts} hosts: {step}, of the apply"), "ms", share));
    Ok([Row::new(what, "ms", &whole, ADDED)].into_iter().chain(shares).collect())
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
