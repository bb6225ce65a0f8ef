//! `bellwether-agent`: reads its settings, connects, runs one agent.

mod options;

use anyhow::Context;
use bellwether_agent::{
    StateDir,
    driver::{Driver, file::FileDriver},
};
use bellwether_program::{log, settings, signals};
use bellwether_rpc::{
    Connection,
    transport::amqp::{Amqp, LOG_FILTER},
};
use options::{DriverName, Flags, Options};
use std::{process::ExitCode, time::Duration};
use tokio::time::timeout;

/// How long closing the connection may take.
const CLOSE: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let options = settings::parse::<Flags>().options().unwrap_or_else(|error| error.exit());
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
    log::open(&options.log, &[LOG_FILTER]).context("--log")?;
    let shutdown = signals::shutdown().context("cannot listen to signals")?;
    let state = StateDir::open(options.state_dir)?;
    let driver: Box<dyn Driver> = match options.driver {
        DriverName::File => Box::new(FileDriver::new(state.path(), options.file)?),
    };
    let connection = Connection::new(Amqp::start(options.amqp));
    let ended = bellwether_agent::run(options.settings, connection.clone(), driver, state, shutdown).await;
    let _ = timeout(CLOSE, connection.close()).await;
    Ok(ended?)
}
