//! Benchmarks: the product and a bare baseline, in turn, in the same run, as a ratio.

mod cpu;
mod machine;
mod report;
mod rounds;
mod scenario;

use anyhow::Context;
use clap::{Parser, ValueEnum};
use report::Report;
use std::{path::PathBuf, process::ExitCode};

/// Runs one scenario, prints a table with the goal beside each figure, and can write it as JSON.
///
/// The scenario starts private servers of its own, and ends them.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "\
Examples:
  cargo run --release -p bellwether-bench -- rpc
  cargo run --release -p bellwether-bench -- rpc --json rpc.json
  cargo run --release -p bellwether-bench -- push
  cargo run --release -p bellwether-bench -- beats
  cargo run --release -p bellwether-bench -- apply
  cargo run --release -p bellwether-bench -- rpc --amqp-url amqp://127.0.0.1:5672/%2f

Exit codes: 0 every goal holds, 3 some do not, 1 it could not be measured."
)]
struct Flags {
    /// What to measure.
    scenario: Scenario,
    /// Also writes the rows to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Measures with this broker instead of one of its own; the others always have their own.
    #[arg(long, value_name = "URL")]
    amqp_url: Option<String>,
    /// How many rounds: each measures the product and the baseline. 15 by default, 3 where one takes over 10 s.
    #[arg(long)]
    rounds: Option<usize>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Scenario {
    /// Calls over RabbitMQ to a shared queue, to one peer and to everyone, beside bare lapin loops.
    Rpc,
    /// All verdicts of a push to 10 and to 100 agents, beside a bare lapin loop of direct publishes and replies.
    Push,
    /// CPU of a controller at 1,000 beats a second, beside a bare lapin and Redis loop that records the same.
    Beats,
    /// An agent's whole apply of 10 to 10,000 hosts, beside a bare `haproxy -c` and reload; a push until 3 nodes serve.
    Apply,
}

/// Rounds of a scenario, and of one whose rounds take over 10 s.
const ROUNDS: usize = 15;
const FEW_ROUNDS: usize = 3;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let ended = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        // What scenarios start as processes of their own.
        [scenario::beats::BARE, amqp_url, redis_url, queue] => {
            run(scenario::beats::record_bare(amqp_url, redis_url, queue))
        }
        [scenario::rpc::footprint::COMMAND, amqp_url] => run(scenario::rpc::footprint::print(amqp_url)),
        _ => run(measure(Flags::parse())),
    };
    ended.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

#[tokio::main]
async fn run(task: impl Future<Output = anyhow::Result<ExitCode>>) -> anyhow::Result<ExitCode> {
    task.await
}

/// 0 where every goal holds, and 3 where some do not.
async fn measure(flags: Flags) -> anyhow::Result<ExitCode> {
    let rows = match flags.scenario {
        Scenario::Rpc => scenario::rpc::measure(flags.amqp_url, flags.rounds.unwrap_or(ROUNDS)).await?,
        Scenario::Push => scenario::push::measure(flags.rounds.unwrap_or(ROUNDS)).await?,
        Scenario::Beats => scenario::beats::measure(flags.rounds.unwrap_or(FEW_ROUNDS)).await?,
        Scenario::Apply => scenario::apply::measure(flags.rounds.unwrap_or(ROUNDS)).await?,
    };
    let report = Report::new(
        flags.scenario.to_possible_value().map_or_else(String::new, |v| v.get_name().into()),
        rows,
    );
    println!("{report}");
    if let Some(path) = flags.json {
        let json = serde_json::to_string_pretty(&report)?;
        std::fs::write(&path, json).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(if report.every_goal_holds() { ExitCode::SUCCESS } else { ExitCode::from(3) })
}
