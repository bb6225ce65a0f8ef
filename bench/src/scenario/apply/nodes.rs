//! From a push to three nodes that serve it: real agents, each with an HAProxy of its own.

use super::{
    haproxy::own_address,
    steps::{STEPS, Steps},
};
use crate::{
    report::Row,
    rounds::{Rounds, Spread, percentile},
};
use bellwether_proto::http::{RolloutState, RolloutView, Verdict};
use bellwether_tests::{Answer, Fleet, Port, RabbitMq, Redis};
use std::{
    net::{Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

const NODES: usize = 3;

/// Pushes of one round.
const PUSHES: usize = 20;

/// Where every node listens.
const LISTENER: u16 = 8080;

/// An agent's own address, and where it shows its metrics.
struct Node {
    address: Ipv4Addr,
    health: Port,
}

/// What is pushed to, and how often it was.
struct Nodes {
    fleet: Fleet,
    nodes: Vec<Node>,
    pushes: usize,
}

pub(super) async fn measure(rounds: usize) -> anyhow::Result<Vec<Row>> {
    eprintln!("{NODES} nodes: {rounds} rounds");
    let (rabbitmq, redis) = (RabbitMq::start().await, Redis::start().await);
    let mut nodes = Nodes::start(&rabbitmq, &redis).await;
    let (mut p50s, mut p99s) = (Vec::new(), Vec::new());
    let mut shares = [const { Rounds::new() }; STEPS.len()];
    for round in 0..=rounds {
        let before = nodes.steps().await?;
        let mut times = nodes.push_often().await?;
        let steps = nodes.steps().await?.since(&before);
        // The first round warms up.
        if round > 0 {
            let p50 = percentile(&mut times, 0.5);
            p50s.push(p50);
            p99s.push(percentile(&mut times, 0.99));
            for (share, step) in shares.iter_mut().zip(STEPS) {
                share.add(steps.ms(step) / (PUSHES * NODES) as f64, p50);
            }
        }
    }
    let figure = |name: &str, values: Vec<f64>| {
        let name = format!("{NODES} nodes: push → serving, {name}");
        Row::alone(name, "ms", rounds, Spread::of(values.into_iter()))
    };
    let shares = STEPS
        .iter()
        .zip(&shares)
        .map(|(step, share)| Row::share(format!("{NODES} nodes: {step}, mean, of the p50"), "ms", share));
    Ok([figure("p50", p50s), figure("p99", p99s)].into_iter().chain(shares).collect())
}

impl Nodes {
    async fn start(rabbitmq: &RabbitMq, redis: &Redis) -> Self {
        let nodes: Vec<_> =
            (0..NODES).map(|_| Node { address: own_address(), health: Port::claim() }).collect();
        let mut fleet = Fleet::on(rabbitmq, redis).controllers(1).log("warn");
        for (n, node) in nodes.iter().enumerate() {
            let (bind, health) = (node.address.to_string(), node.health.address());
            let arguments =
                ["--driver", "haproxy", "--bind", &bind, "--health-listen", &health, "--stop-proxy"];
            fleet = fleet.agent(&format!("node-{n}"), &arguments);
        }
        Self { fleet: fleet.start().await, nodes, pushes: 0 }
    }

    /// How long the steps took so far, on all nodes together.
    async fn steps(&self) -> anyhow::Result<Steps> {
        let mut pages = String::new();
        for node in &self.nodes {
            let page = Answer::to_get(&format!("http://{}/metrics", node.health.address())).await;
            pages += page.map_err(anyhow::Error::msg)?.body.as_str().unwrap_or_default();
        }
        Ok(Steps::read(&pages))
    }

    /// One push after the other: how long each took until every node served it.
    async fn push_often(&mut self) -> anyhow::Result<Vec<Duration>> {
        let mut times = Vec::with_capacity(PUSHES);
        for _ in 0..PUSHES {
            times.push(self.push().await?);
        }
        Ok(times)
    }

    async fn push(&mut self) -> anyhow::Result<Duration> {
        self.pushes += 1;
        let (controller, path) = (self.fleet.controller(0), format!("/push-{}", self.pushes));
        let began = Instant::now();
        let pushed = controller.begin_push("shop", &document(&path), "").await.map_err(anyhow::Error::msg)?;
        let done: RolloutView =
            controller.rollout(pushed.rollout, "?wait=30s").await.map_err(anyhow::Error::msg)?;
        let applied = done.count(Verdict::Applied);
        anyhow::ensure!(done.state == RolloutState::Done && applied == NODES, "not all applied: {done:?}");
        for node in &self.nodes {
            self.sees(node, &path).await?;
        }
        Ok(began.elapsed())
    }

    /// A client sees what was pushed: its path leads to a backend that has no endpoints, and any other one nowhere.
    async fn sees(&self, node: &Node, path: &str) -> anyhow::Result<()> {
        let at = SocketAddr::new(node.address.into(), LISTENER);
        let answer = Answer::to_get(&format!("http://{at}{path}")).await.map_err(anyhow::Error::msg)?;
        anyhow::ensure!(answer.status == 503, "{at} does not serve {path}: {answer:?}");
        Ok(())
    }
}

fn document(path: &str) -> String {
    format!(
        "\
apiVersion: bellwether/v1
kind: IngressConfig
metadata: {{name: shop}}
spec:
  listeners: [{{name: web, port: {LISTENER}, protocol: HTTP}}]
  rules: [{{http: {{paths: [{{pathType: Exact, path: {path}, backend: {{name: nobody}}}}]}}}}]
  backends: [{{name: nobody, endpoints: []}}]
"
    )
}
