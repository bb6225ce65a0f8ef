//! `bellwether-controller`: reads its settings, opens its backends, runs.

use anyhow::Context;
use bellwether_controller::{
    Backends, RedisUrl, Settings, registry::redis::RedisRegistry, run, store::redis::RedisStore,
};
use bellwether_ingress::TimeSpan;
use bellwether_program::{log, settings, signals, unrepeated};
use bellwether_proto::{Fleet, namespace};
use bellwether_rpc::{
    Connection,
    transport::amqp::{Amqp, AmqpSettings, AmqpUrl, LOG_FILTER},
};
use clap::Parser;
use std::{net::SocketAddr, process::ExitCode, sync::Arc};
use tokio::net::TcpListener;

/// The replicated controller of a Bellwether fleet.
///
/// It takes beats and answers agents over RabbitMQ, keeps who is online and what they should serve in Redis, and
/// answers `bellwether push` over HTTP. Run two or more: they share the work, and any of them answers for all.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "\
Examples:
  bellwether-controller
  bellwether-controller --amqp-url amqp://user:password@rabbit:5672/%2f --redis-url redis://redis:6379/
  BELLWETHER_FLEET=edge bellwether-controller --listen 127.0.0.1:7401"
)]
struct Flags {
    /// RabbitMQ: amqp:// or amqps://, user and password included; repeat it for a cluster's other nodes
    #[arg(
        long,
        env = "BELLWETHER_AMQP_URL",
        default_value = "amqp://127.0.0.1:5672/%2f",
        hide_env_values = true,
        value_delimiter = ',',
        value_parser = unrepeated::<AmqpUrl>()
    )]
    amqp_url: Vec<AmqpUrl>,
    /// Redis, password included
    #[arg(
        long,
        env = "BELLWETHER_REDIS_URL",
        default_value = "redis://127.0.0.1:6379/",
        hide_env_values = true,
        value_parser = unrepeated::<RedisUrl>()
    )]
    redis_url: RedisUrl,
    /// Where to answer HTTP
    #[arg(long, env = "BELLWETHER_LISTEN", default_value = "127.0.0.1:7400")]
    listen: SocketAddr,
    /// The fleet: controllers and agents of one fleet find each other by it
    #[arg(long, env = "BELLWETHER_FLEET", default_value_t)]
    fleet: Fleet,
    /// How long an offline agent is remembered: a whole number and ms, s or m
    #[arg(long, env = "BELLWETHER_FORGET_AFTER", default_value = "1440m")]
    forget_after: TimeSpan,
    /// What to log: error, warn, info, debug or trace, or directives such as info,bellwether_rpc=debug
    #[arg(long, env = "BELLWETHER_LOG", default_value = "info")]
    log: String,
}

fn main() -> ExitCode {
    let flags: Flags = settings::parse();
    match start(flags) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn start(flags: Flags) -> anyhow::Result<()> {
    log::open(&flags.log, &[LOG_FILTER]).context("--log")?;
    let shutdown = signals::shutdown().context("cannot listen to signals")?;
    let listener = TcpListener::bind(flags.listen).await.with_context(|| {
        format!("cannot listen on {}: choose another address with --listen", flags.listen)
    })?;
    let connection = Connection::new(Amqp::start(amqp_settings(&flags)));
    let backends = Backends {
        connection: connection.clone(),
        registry: Arc::new(RedisRegistry::new(&flags.redis_url, &flags.fleet)?),
        store: Arc::new(RedisStore::new(&flags.redis_url, &flags.fleet)?),
    };
    let settings =
        Settings { forget_after: flags.forget_after.as_duration(), ..Settings::new(flags.fleet.clone()) };
    tracing::info!(instance = %connection.instance(), fleet = %flags.fleet, listen = %listener.local_addr()?,
        redis = %flags.redis_url, "starting");
    let ended = run(settings, backends, listener, shutdown).await;
    connection.close().await;
    Ok(ended?)
}

fn amqp_settings(flags: &Flags) -> AmqpSettings {
    let urls = flags.amqp_url.clone();
    AmqpSettings::new(urls, namespace(&flags.fleet), "bellwether-controller".into()).for_controller()
}
