//! The settings of the program, and what they amount to.

use crate::key_file::KeyFile;
use anyhow::Context;
use bellwether_controller::{Access, RedisUrl, Settings};
use bellwether_ingress::TimeSpan;
use bellwether_program::{AmqpFiles, unrepeated};
use bellwether_proto::{Fleet, namespace};
use bellwether_rpc::transport::amqp::{AmqpSettings, AmqpUrl, Tls};
use clap::{CommandFactory, Parser, Subcommand, error::ErrorKind};
use std::{net::SocketAddr, path::PathBuf};

const AFTER_HELP: &str = "\
Examples:
  bellwether-controller
  bellwether-controller --amqp-url amqp://user:password@rabbit:5672/%2f --redis-url redis://redis:6379/
  BELLWETHER_FLEET=edge bellwether-controller --listen 127.0.0.1:7401
  bellwether-controller --listen 0.0.0.0:7400 --api-key-file /etc/bellwether/keys
  bellwether-controller healthcheck

Exit status: 0 after SIGTERM or SIGINT, 2 when a setting is wrong, 1 for any other error.";

/// The replicated controller of a Bellwether fleet.
///
/// It takes beats and answers agents over RabbitMQ, keeps who is online and what they should serve in Redis, and
/// answers `bellwether push` over HTTP. Run two or more: they share the work, and any of them answers for all.
#[derive(Debug, Parser)]
#[command(name = "bellwether-controller", version, after_help = AFTER_HELP)]
pub(crate) struct Flags {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    /// RabbitMQ: amqp:// or amqps://, user and password included; repeat it for a cluster's other nodes
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
    /// Redis, password included
    #[arg(
        long,
        env = "BELLWETHER_REDIS_URL",
        value_name = "URL",
        default_value = "redis://127.0.0.1:6379/",
        hide_env_values = true,
        value_parser = unrepeated::<RedisUrl>()
    )]
    redis_url: RedisUrl,
    /// Where to answer HTTP; anywhere but on loopback only with --api-key-file or --allow-anonymous
    #[arg(
        long,
        global = true,
        env = "BELLWETHER_LISTEN",
        value_name = "ADDRESS",
        default_value = "127.0.0.1:7400"
    )]
    pub(crate) listen: SocketAddr,
    /// A file of API keys, one a line: whoever has one may use the HTTP API, and nobody else. `#` begins a comment
    #[arg(long, env = "BELLWETHER_API_KEY_FILE", value_name = "FILE")]
    api_key_file: Option<PathBuf>,
    /// Let in whoever reaches --listen, without a key
    #[arg(long, env = "BELLWETHER_ALLOW_ANONYMOUS")]
    allow_anonymous: bool,
    /// The fleet: controllers and agents of one fleet find each other by it
    #[arg(long, env = "BELLWETHER_FLEET", default_value_t)]
    fleet: Fleet,
    /// How many beats a second the whole fleet may make: agents of a larger one beat more seldom than once a second, and
    /// it takes longer to miss one
    #[arg(long, env = "BELLWETHER_BEAT_BUDGET", value_name = "N", default_value = "10000", value_parser = clap::value_parser!(u32).range(1..))]
    beat_budget: u32,
    /// How long an offline agent is remembered: a whole number and ms, s or m
    #[arg(long, env = "BELLWETHER_FORGET_AFTER", value_name = "TIME", default_value = "1440m")]
    forget_after: TimeSpan,
    /// What to log: error, warn, info, debug or trace, or directives such as info,bellwether_rpc=debug
    #[arg(long, env = "BELLWETHER_LOG", value_name = "FILTER", default_value = "info")]
    log: String,
}

/// What else the program can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Asks the controller that listens on --listen whether it is ready: exit 0 when it is, else 1
    Healthcheck,
}

/// What the program is to do.
pub(crate) struct Options {
    pub(crate) settings: Settings,
    pub(crate) amqp: AmqpSettings,
    pub(crate) redis_url: RedisUrl,
    pub(crate) listen: SocketAddr,
    /// The file of API keys, if every user of this machine can read it.
    pub(crate) exposed_key_file: Option<PathBuf>,
    pub(crate) log: String,
}

impl Flags {
    /// What the flags amount to; an error is one of usage.
    pub(crate) fn options(self) -> Result<Options, clap::Error> {
        let key_file = self.api_key_file.as_deref().map(KeyFile::read).transpose().map_err(usage)?;
        let readable_by_others = key_file.as_ref().is_some_and(|file| file.readable_by_others);
        let access = access(key_file, self.allow_anonymous, self.listen).map_err(usage)?;
        let encrypted = self.amqp_url.iter().all(AmqpUrl::is_encrypted);
        let tls = self
            .amqp_files
            .read(encrypted, Tls::default(), Tls::with_ca_file, Tls::with_identity_files)
            .map_err(|error| usage(anyhow::Error::msg(error)))?;
        let amqp =
            AmqpSettings::new(self.amqp_url, namespace(&self.fleet), "bellwether-controller".to_owned());
        Ok(Options {
            settings: Settings {
                forget_after: self.forget_after.as_duration(),
                beat_budget: self.beat_budget,
                access,
                ..Settings::new(self.fleet)
            },
            amqp: AmqpSettings { tls, ..amqp.for_controller() },
            redis_url: self.redis_url,
            listen: self.listen,
            exposed_key_file: self.api_key_file.filter(|_| readable_by_others),
            log: self.log,
        })
    }
}

fn access(key_file: Option<KeyFile>, allow_anonymous: bool, listen: SocketAddr) -> anyhow::Result<Access> {
    let access = Access::asked_for(key_file.map(|file| file.keys), allow_anonymous)
        .context("--api-key-file and --allow-anonymous")?;
    access.may_be_served_at(listen).context(
        "--listen: give --api-key-file FILE, or --allow-anonymous to let in whoever reaches it, or listen on 127.0.0.1",
    )?;
    Ok(access)
}

fn usage(error: anyhow::Error) -> clap::Error {
    clap::Error::raw(ErrorKind::ValueValidation, format!("{error:#}\n")).with_cmd(&Flags::command())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flags_do_not_contradict_each_other() {
        Flags::command().debug_assert();
    }
}
