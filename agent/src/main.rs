//! `bellwether-agent`: reads its settings, connects, runs one agent.

mod options;

use anyhow::Context;
use bellwether_agent::{
    Settings, StateDir,
    driver::{Driver, file::FileDriver, haproxy::HaproxyDriver},
};
use bellwether_program::{healthcheck::healthcheck, log, metrics::Metrics, settings, signals};
use bellwether_rpc::{
    Connection,
    transport::amqp::{Amqp, LOG_FILTER, LOG_UNTRACED},
};
use options::{Command, DriverName, Flags, Options};
use rustix::process::Signal;
use std::{process::ExitCode, time::Duration};
use tokio::{
    signal::unix::{SignalKind, signal},
    time::timeout,
};
use tokio_util::task::AbortOnDropHandle;

/// How long closing the connection may take.
const CLOSE: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let flags: Flags = settings::parse();
    if let Some(Command::Healthcheck) = flags.command {
        return healthcheck(flags.health_address().unwrap_or_else(|error| error.exit()));
    }
    let options = flags.options().unwrap_or_else(|error| error.exit());
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
    log::open(&options.log, &[LOG_FILTER], &[LOG_UNTRACED]).context("--log")?;
    let shutdown = signals::shutdown().context("cannot listen to signals")?;
    // A file that grows beyond a limit of the system is an error like a full disk, and not the end.
    let _too_large =
        signal(SignalKind::from_raw(Signal::XFSZ.as_raw())).context("cannot listen to signals")?;
    let state = StateDir::open(options.state_dir)?;
    let driver: Box<dyn Driver> = match options.driver {
        DriverName::File => Box::new(FileDriver::new(state.path(), options.file)?),
        DriverName::Haproxy => Box::new(HaproxyDriver::new(state.path(), options.haproxy)?),
    };
    let mut settings = options.settings;
    // Without a page to show them on, nothing is kept.
    let upkeep = match settings.health_listen {
        Some(_) => Some(keep_metrics(&mut settings)?),
        None => None,
    };
    let connection = Connection::new(Amqp::start(options.amqp));
    let ended = bellwether_agent::run(settings, connection.clone(), driver, state, shutdown).await;
    let _ = timeout(CLOSE, connection.close()).await;
    drop(upkeep);
    Ok(ended?)
}

fn keep_metrics(settings: &mut Settings) -> anyhow::Result<AbortOnDropHandle<()>> {
    let (metrics, upkeep) = Metrics::install(env!("CARGO_PKG_VERSION")).context("metrics")?;
    bellwether_rpc::metrics::describe();
    bellwether_agent::metrics::describe();
    settings.metrics = Some(metrics);
    Ok(upkeep)
}
