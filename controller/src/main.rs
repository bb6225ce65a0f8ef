//! `bellwether-controller`: reads its settings, opens its backends, runs.

mod key_file;
mod options;

use anyhow::Context;
use bellwether_controller::{
    Backends, Settings, registry::redis::RedisRegistry, run, store::redis::RedisStore,
};
use bellwether_program::{healthcheck::healthcheck, log, metrics::Metrics, settings, signals};
use bellwether_rpc::{
    Connection,
    transport::amqp::{Amqp, LOG_FILTER, LOG_UNTRACED},
};
use options::{Command, Flags, Options};
use std::{process::ExitCode, sync::Arc};
use tokio::net::TcpListener;

fn main() -> ExitCode {
    let flags: Flags = settings::parse();
    if let Some(Command::Healthcheck) = flags.command {
        return healthcheck(flags.listen);
    }
    let options = flags.options().unwrap_or_else(|error| error.exit());
    match start(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn start(options: Options) -> anyhow::Result<()> {
    log::open(&options.log, &[LOG_FILTER], &[LOG_UNTRACED]).context("--log")?;
    let shutdown = signals::shutdown().context("cannot listen to signals")?;
    if let Some(file) = &options.exposed_key_file {
        tracing::warn!(file = %file.display(), "every user of this machine can read the API keys");
    }
    let listener = TcpListener::bind(options.listen).await.with_context(|| {
        format!("cannot listen on {}: choose another address with --listen", options.listen)
    })?;
    let (metrics, upkeep) = Metrics::install(env!("CARGO_PKG_VERSION")).context("metrics")?;
    bellwether_rpc::metrics::describe();
    bellwether_controller::metrics::describe();
    let connection = Connection::new(Amqp::start(options.amqp));
    let fleet = &options.settings.fleet;
    let backends = Backends {
        connection: connection.clone(),
        registry: Arc::new(RedisRegistry::new(&options.redis_url, fleet)?),
        store: Arc::new(RedisStore::new(&options.redis_url, fleet)?),
    };
    tracing::info!(instance = %connection.instance(), %fleet, listen = %listener.local_addr()?,
        redis = %options.redis_url, "starting");
    let settings = Settings { metrics: Some(metrics), ..options.settings };
    let ended = run(settings, backends, listener, shutdown).await;
    connection.close().await;
    drop(upkeep);
    Ok(ended?)
}
