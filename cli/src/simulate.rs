//! `bellwether simulate`: as many agents as one likes, on a few connections, against a real broker.

mod agents;
mod proxy;
mod tally;

use crate::{
    console,
    exit::Exit,
    report::{self, Style},
};
use agents::{Agents, Plan};
use anyhow::Context;
use bellwether_agent::Label;
use bellwether_ingress::TimeSpan;
use bellwether_program::{AmqpFiles, log, signals, unrepeated};
use bellwether_proto::{Fleet, namespace};
use bellwether_rpc::transport::amqp::{AmqpSettings, AmqpUrl, LOG_FILTER, LOG_UNTRACED, Tls};
use clap::Args;
use proxy::{Conduct, Share};
use serde::Serialize;
use std::{io::Write, time::Duration};
use tally::{Figures, Tally};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

/// Agents of one connection, where nothing else is asked for: each needs a channel.
const AGENTS_A_CONNECTION: u32 = 1_000;

/// What RabbitMQ lets a connection have, but for those that every connection needs for itself.
const CHANNELS_A_CONNECTION: u32 = 2_000;

/// How often the figures are shown.
const LOOK: Duration = Duration::from_secs(1);

const HELP: &str = "\
Examples:
  bellwether simulate --agents 1000                 a fleet of 1,000, until Ctrl-C
  bellwether push shop.yaml                         in another terminal: what 1,000 verdicts look like
  bellwether simulate --agents 10000 --duration 2m -o json
  bellwether simulate --agents 500 --label zone=eu --prefix eu --apply-latency 300ms
  bellwether simulate --agents 10000 --reject 0.01 --stall 0.01 --churn 20

Agents are real in all but their proxy, and remember nothing: each start is the first. Of --reject, --stall and --fail
the agents with the lowest numbers are meant, in this order: of 100 agents with --reject 0.01 that is sim-1.

Exit codes: 0 at the end of --duration or after Ctrl-C, 1 when an agent cannot run, 2 wrong usage.";

/// Runs a fleet of simulated agents: to see how a deployment bears one, and what an operator would see.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct SimulateArgs {
    /// How many agents.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    agents: u32,
    /// What their names begin with: `<prefix>-1`, `<prefix>-2`, …
    #[arg(long, value_name = "NAME", default_value = "sim")]
    prefix: String,
    /// A label of all of them; may be given several times, or with commas.
    #[arg(long, value_name = "KEY=VALUE", value_delimiter = ',')]
    label: Vec<Label>,
    /// RabbitMQ: amqp:// or amqps://, user and password included; repeat it for a cluster's other nodes.
    #[arg(
        long,
        env = "BELLWETHER_AMQP_URL",
        value_name = "URL",
        default_value = "amqp://127.0.0.1:5672/%2f",
        hide_env_values = true,
        value_delimiter = ',',
        value_parser = unrepeated::<AmqpUrl>()
    )]
    amqp_url: Vec<AmqpUrl>,
    #[command(flatten)]
    amqp_files: AmqpFiles,
    /// The fleet that they belong to.
    #[arg(long, env = "BELLWETHER_FLEET", default_value_t)]
    fleet: Fleet,
    /// How many connections they share [default: one for every 1,000].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    connections: Option<u32>,
    /// How often they beat, until a controller assigns something else.
    #[arg(long, value_name = "TIME", default_value = "1s")]
    interval: TimeSpan,
    /// How long their proxies take to apply a set; no time at all unless given.
    #[arg(long, value_name = "TIME")]
    apply_latency: Option<TimeSpan>,
    /// The share of agents whose proxy refuses every set, from 0 to 1.
    #[arg(long, value_name = "SHARE", default_value = "0")]
    reject: Share,
    /// The share of agents whose proxy never comes to an end with a set.
    #[arg(long, value_name = "SHARE", default_value = "0")]
    stall: Share,
    /// The share of agents whose node cannot apply anything.
    #[arg(long, value_name = "SHARE", default_value = "0")]
    fail: Share,
    /// How many agents leave in each second; each is back a second later, as a new process.
    #[arg(long, value_name = "N", default_value_t = 0)]
    churn: u32,
    /// Ends after this time; otherwise with Ctrl-C.
    #[arg(long, value_name = "TIME")]
    duration: Option<TimeSpan>,
    /// What to log on standard error: error, warn, info, debug or trace, or directives.
    #[arg(long, default_value = "warn", value_name = "FILTER")]
    log: String,
}

/// What a simulation did.
#[derive(Debug, Serialize)]
pub(crate) struct Summary {
    pub(crate) agents: u32,
    pub(crate) connections: u32,
    pub(crate) elapsed_ms: u64,
    /// Agents that could be reached at the end.
    pub(crate) reachable: u64,
    pub(crate) beats: u64,
    pub(crate) applied: u64,
    pub(crate) rejected: u64,
    pub(crate) stalled: u64,
    pub(crate) failed: u64,
    /// Agents that left and came back.
    pub(crate) churned: u64,
}

pub(crate) async fn run(args: SimulateArgs, style: Style, out: &mut impl Write) -> anyhow::Result<Exit> {
    log::open(&args.log, &[LOG_FILTER], &[LOG_UNTRACED]).context("--log")?;
    let shutdown = signals::shutdown().context("cannot listen to signals")?;
    let (plan, tally) = (args.plan()?, Tally::default());
    let connections = plan.connections;
    let mut agents = Agents::start(plan, &tally)?;

    let started = Instant::now();
    let end = args.duration.map(|duration| started + duration.as_duration());
    let mut look = interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    look.tick().await;
    let mut before = tally.figures();
    loop {
        tokio::select! {
            () = shutdown.cancelled() => break,
            () = sleep_until(end.unwrap_or(started)), if end.is_some() => break,
            ended = agents.ended() => return Err(ended),
            _ = look.tick() => {
                agents.churn(args.churn);
                let now = tally.figures();
                console::complain(live(args.agents, &before, &now, started.elapsed()));
                before = now;
            }
        }
    }
    let summary = args.summary(connections, &tally.figures(), agents.churned(), started.elapsed());
    agents.stop().await;
    report::simulation(&summary, style, out)?;
    Ok(Exit::Ok)
}

impl SimulateArgs {
    fn plan(&self) -> anyhow::Result<Plan> {
        let connections = self.connections.unwrap_or(self.agents.div_ceil(AGENTS_A_CONNECTION));
        anyhow::ensure!(
            self.agents <= connections * CHANNELS_A_CONNECTION,
            "--connections {connections}: a connection bears {CHANNELS_A_CONNECTION} agents at most; give more of them"
        );
        let encrypted = self.amqp_url.iter().all(AmqpUrl::is_encrypted);
        let tls = self
            .amqp_files
            .read(encrypted, Tls::default(), Tls::with_ca_file, Tls::with_identity_files)
            .map_err(anyhow::Error::msg)?;
        let settings = AmqpSettings::new(self.amqp_url.clone(), namespace(&self.fleet), self.prefix.clone());
        Ok(Plan {
            agents: self.agents,
            prefix: self.prefix.clone(),
            labels: Label::all(self.label.clone()).map_err(anyhow::Error::msg)?,
            interval: self.interval.as_duration(),
            conduct: Conduct {
                latency: self.apply_latency.map_or(Duration::ZERO, TimeSpan::as_duration),
                rejects: self.reject.of(self.agents),
                stalls: self.stall.of(self.agents),
                fails: self.fail.of(self.agents),
            },
            connections,
            amqp: AmqpSettings { tls, ..settings },
        })
    }

    fn summary(&self, connections: u32, figures: &Figures, churned: u64, elapsed: Duration) -> Summary {
        let Figures { reachable, beats, applied, rejected, stalled, failed } = *figures;
        let elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        let agents = self.agents;
        Summary {
            agents,
            connections,
            elapsed_ms,
            reachable,
            beats,
            applied,
            rejected,
            stalled,
            failed,
            churned,
        }
    }
}

/// One line of what has happened since the last.
fn live(agents: u32, before: &Figures, now: &Figures, elapsed: Duration) -> String {
    let seconds = elapsed.as_secs();
    format!(
        "{:02}:{:02}  {} of {agents} agents reachable, {} beats/s, {} applied, {} rejected, {} stalled, {} failed",
        seconds / 60,
        seconds % 60,
        now.reachable,
        now.beats - before.beats,
        now.applied,
        now.rejected,
        now.stalled,
        now.failed
    )
}
