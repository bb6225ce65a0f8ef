//! What a connection and a client cost in resident memory, in a process of their own.

use super::{Broker, SERVICE, ours::WallClient};
use crate::{
    report::{Goal, Row},
    rounds::Rounds,
};
use anyhow::Context;
use bellwether_rpc::{
    Address, Connection, Deadline,
    transport::amqp::{Amqp, AmqpSettings},
};
use bellwether_tests::{Launch, Resident};
use std::{process::ExitCode, time::Duration};

/// The subcommand that makes of this program such a process.
pub(crate) const COMMAND: &str = "footprint";

/// Clients of a process, each of another peer.
const CLIENTS: usize = 10_000;

/// What is allowed: for the whole process with one connection, and for each further client.
const PROCESS_MIB: f64 = 12.0;
const CLIENT_BYTES: f64 = 1_024.0;

const BOUND: Duration = Duration::from_secs(60);

pub(super) async fn measure(broker: &Broker, rounds: usize) -> anyhow::Result<[Row; 2]> {
    eprintln!("footprint: {rounds} rounds");
    let program = std::env::current_exe().context("this program")?;
    let (mut process, mut client) = (Rounds::new(), Rounds::new());
    for _ in 0..rounds {
        let child = Launch::program(&program).args([COMMAND, &broker.url]).run_to_end(BOUND).await;
        let [connected, crowded]: [f64; 2] = serde_json::from_str(&child.stdout)
            .with_context(|| format!("{}{}", child.stdout, child.stderr))?;
        process.add(connected / 1_024.0, PROCESS_MIB);
        client.add((crowded - connected) * 1_024.0 / CLIENTS as f64, CLIENT_BYTES);
    }
    Ok([
        Row::new("a process with one connection, resident", "MiB", &process, Goal::AtMost(1.0)),
        Row::new("each further client, resident", "B", &client, Goal::AtMost(1.0)),
    ])
}

/// Prints what this process has resident with one connection, and with all clients beside it.
pub(crate) async fn print(url: &str) -> anyhow::Result<ExitCode> {
    let settings = AmqpSettings::new([url.parse()?], "bench".into(), "bench-footprint".into());
    let connection = Connection::new(Amqp::start(settings));
    connection.wait_for_link(Deadline::after(BOUND)).await?;
    let connected = resident()?;
    let peers = (0..CLIENTS).map(|n| Address::peer(SERVICE, format!("peer-{n}")));
    let clients: Vec<_> = peers.map(|peer| WallClient::new(connection.clone(), peer)).collect();
    println!("{}", serde_json::to_string(&[connected, resident()?])?);
    drop(clients);
    connection.close().await;
    Ok(ExitCode::SUCCESS)
}

/// In KiB.
fn resident() -> anyhow::Result<u64> {
    Ok(Resident::of(std::process::id()).context("no memory in /proc")?.now)
}
