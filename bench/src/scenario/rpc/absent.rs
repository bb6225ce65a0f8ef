//! How soon it is known that nobody is there.

use super::{Broker, Place, bare::Bare, ours::Ours};
use crate::{
    report::{Goal, Row},
    rounds::{Rounds, percentile},
};
use std::time::Instant;

/// Calls of one measurement.
const CALLS: usize = 200;

/// What is allowed beside two round trips, in milliseconds.
const ALLOWED_MS: f64 = 1.0;

pub(super) async fn measure(broker: &Broker, rounds: usize) -> anyhow::Result<Row> {
    eprintln!("an absent peer: {rounds} rounds");
    let ours = Ours::start(&broker.url, Place::Peer).await?;
    let bare = Bare::start(&broker.url, Place::Peer).await?;
    let mut known = Rounds::new();
    for round in 0..=rounds {
        let (mut of_ours, mut of_bare) = (Vec::new(), Vec::new());
        for _ in 0..CALLS {
            let called = Instant::now();
            ours.call_nobody().await?;
            of_ours.push(called.elapsed());
            let called = Instant::now();
            bare.call_nobody().await?;
            of_bare.push(called.elapsed());
        }
        if round > 0 {
            // To the broker and back is one round trip, and what the bare loop needs.
            known.add(percentile(&mut of_ours, 0.5), 2.0 * percentile(&mut of_bare, 0.5) + ALLOWED_MS);
        }
    }
    ours.stop().await;
    Ok(Row::new("absent peer known, beside 2 round trips + 1 ms", "ms", &known, Goal::AtMost(1.0)))
}
