//! The program `bellwether-agent`: reads settings, connects, and runs one agent.

mod options;

use anyhow::Context;
use bellwether_agent::{
    StateDir,
    driver::{Driver, file::FileDriver},
};
use bellwether_rpc::{Connection, transport::amqp::Amqp};
use clap::Parser;
use options::{Arguments, DriverName, Options};
use std::{
    io::{self, IsTerminal},
    process::ExitCode,
    time::Duration,
};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

/// How long closing the connection may take.
const CLOSE: Duration = Duration::from_secs(1);

/// The exit status after a second signal, as a shell reports SIGINT.
const IMPATIENT: i32 = 130;

fn main() -> ExitCode {
    let options = match Arguments::parse().options() {
        Ok(options) => options,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(2);
        }
    };
    match serve(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn serve(options: Options) -> anyhow::Result<()> {
    let ansi = io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(options.log).with_writer(io::stderr).with_ansi(ansi).init();
    let shutdown = shutdown_on_signals().context("signals cannot be handled")?;
    let state = StateDir::open(options.state_dir)?;
    let driver: Box<dyn Driver> = match options.driver {
        DriverName::File => Box::new(FileDriver::new(state.path(), options.file)?),
    };
    let connection = Connection::new(Amqp::start(options.amqp));
    let ended = bellwether_agent::run(options.settings, connection.clone(), driver, state, shutdown).await;
    let _ = timeout(CLOSE, connection.close()).await;
    Ok(ended?)
}

/// Cancelled by the first SIGTERM or SIGINT; the second ends the program at once.
fn shutdown_on_signals() -> io::Result<CancellationToken> {
    let shutdown = CancellationToken::new();
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let told = shutdown.clone();
    tokio::spawn(async move {
        next(&mut terminate, &mut interrupt).await;
        told.cancel();
        next(&mut terminate, &mut interrupt).await;
        std::process::exit(IMPATIENT);
    });
    Ok(shutdown)
}

async fn next(terminate: &mut Signal, interrupt: &mut Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
