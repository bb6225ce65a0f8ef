//! A soak: a small fleet of real programs under random pushes, deletes, kills and noise, which has to end as it began.

mod dice;
mod judge;
mod memory;
mod noise;
mod story;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use bellwether_tests::{Fleet, RabbitMq, Redis};
use clap::Parser;

use dice::Dice;
use memory::Memory;
use noise::Noise;
use story::Story;

/// Plays with a fleet of two controllers and five agents on private servers, and judges what is left.
///
/// Exit codes: 0 nothing leaked and the fleet has converged, 1 it did not.
#[derive(Debug, Parser)]
struct Flags {
    /// For how long to play.
    #[arg(long, default_value_t = 10)]
    minutes: u64,
    /// The seed of what is played; another one each time unless it is given.
    #[arg(long, default_value_t = std::process::id().into())]
    seed: u64,
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    let flags = Flags::parse();
    eprintln!("soak: {} minutes, --seed {}", flags.minutes, flags.seed);
    let (rabbitmq, redis) = (RabbitMq::start().await, Redis::start().await);
    let fleet = Fleet::on(&rabbitmq, &redis).controllers(2).agents(5).log("warn").start().await;
    let (story, memory) = play(&fleet, &rabbitmq, &flags).await;
    fleet.wait_until_converged().await;
    judge::broker(&fleet, &rabbitmq).await;
    let faults = [memory.faults(), judge::documents(&fleet).await].concat();
    println!("soak: seed {}, {story}", flags.seed);
    println!("{memory}");
    for fault in &faults {
        println!("FAULT: {fault}");
    }
    if faults.is_empty() {
        println!("converged, flat, and nothing is left over");
        return ExitCode::SUCCESS;
    }
    ExitCode::FAILURE
}

/// Plays until the time is over, then lets everybody run again.
async fn play(fleet: &Fleet, rabbitmq: &RabbitMq, flags: &Flags) -> (Story, Memory) {
    let mut noise = Noise::connect(rabbitmq, fleet.name()).await;
    let (mut dice, mut story) = (Dice::new(flags.seed), Story::default());
    let duration = Duration::from_secs(60 * flags.minutes);
    let (began, mut memory, mut told) = (Instant::now(), Memory::new(duration), Duration::ZERO);
    while began.elapsed() < duration {
        story.act(fleet, &mut noise, &mut dice).await;
        memory.look(fleet, began.elapsed());
        if began.elapsed() - told >= Duration::from_secs(30) {
            told = began.elapsed();
            eprintln!("{:>4} s: {story}", told.as_secs());
        }
        tokio::time::sleep(Duration::from_millis(dice.below(400))).await;
    }
    story.end(fleet);
    noise.close().await;
    (story, memory)
}
