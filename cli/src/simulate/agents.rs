//! Starts simulated agents on connections that they share, and has some of them come and go.

use super::{proxy::Conduct, tally::Tally};
use anyhow::{Context, anyhow};
use bellwether_agent::{AgentError, Settings, State};
use bellwether_ingress::Labels;
use bellwether_proto::AgentName;
use bellwether_rpc::{
    Connection,
    transport::amqp::{Amqp, AmqpSettings},
};
use std::{collections::VecDeque, time::Duration};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// What fleet to simulate.
pub(crate) struct Plan {
    pub(crate) agents: u32,
    pub(crate) prefix: String,
    pub(crate) labels: Labels,
    pub(crate) interval: Duration,
    pub(crate) conduct: Conduct,
    pub(crate) connections: u32,
    pub(crate) amqp: AmqpSettings,
}

/// The agents that run, and those that are away.
pub(crate) struct Agents {
    plan: Plan,
    tally: Tally,
    connections: Vec<Connection>,
    running: JoinSet<Result<(), AgentError>>,
    /// By number, from 1, in the order in which they leave.
    here: VecDeque<(u32, CancellationToken)>,
    away: Vec<u32>,
    churned: u64,
}

impl Agents {
    pub(crate) fn start(plan: Plan, tally: &Tally) -> anyhow::Result<Self> {
        let connect = |_| Connection::new(tally.of(Amqp::start(plan.amqp.clone())));
        let connections = (0..plan.connections).map(connect).collect();
        let (count, tally) = (plan.agents, tally.clone());
        let (running, here, away) = (JoinSet::new(), VecDeque::new(), Vec::new());
        let mut agents = Self { plan, tally, connections, running, here, away, churned: 0 };
        for number in 1..=count {
            agents.enter(number)?;
        }
        Ok(agents)
    }

    /// Starts an agent, as a process that nobody has seen.
    fn enter(&mut self, number: u32) -> anyhow::Result<()> {
        let name: AgentName =
            format!("{}-{number}", self.plan.prefix).parse().context("--prefix makes no good name")?;
        let settings = Settings {
            labels: self.plan.labels.clone(),
            interval: self.plan.interval,
            ..Settings::new(name)
        };
        let connection = self.connections[number as usize % self.connections.len()].as_another_process();
        let (driver, stop) = (self.plan.conduct.proxy(number, self.tally.clone()), CancellationToken::new());
        self.running.spawn(bellwether_agent::run(settings, connection, driver, State::Nowhere, stop.clone()));
        self.here.push_back((number, stop));
        Ok(())
    }

    /// Those that left before come back, and so many others leave.
    pub(crate) fn churn(&mut self, count: u32) {
        for number in std::mem::take(&mut self.away) {
            // Its name was good before.
            let _ = self.enter(number);
            self.churned += 1;
        }
        for _ in 0..count {
            let Some((number, stop)) = self.here.pop_front() else { return };
            stop.cancel();
            self.away.push(number);
        }
    }

    /// How many have left and come back.
    pub(crate) fn churned(&self) -> u64 {
        self.churned
    }

    /// Waits for the end of an agent that nobody asked for.
    pub(crate) async fn ended(&mut self) -> anyhow::Error {
        loop {
            match self.running.join_next().await {
                Some(Ok(Ok(()))) => {}
                Some(Ok(Err(error))) => return error.into(),
                Some(Err(error)) => return anyhow!("an agent ended: {error}"),
                None => std::future::pending().await,
            }
        }
    }

    /// Stops all, each with its goodbye, and their connections.
    pub(crate) async fn stop(mut self) {
        self.here.iter().for_each(|(_, stop)| stop.cancel());
        while self.running.join_next().await.is_some() {}
        for connection in &self.connections {
            connection.close().await;
        }
    }
}
