//! The settings of the program, and what they amount to.

use bellwether_agent::{
    Label, Settings,
    driver::{Hook, file::FileOptions, haproxy::HaproxyOptions},
};
use bellwether_ingress::{ListenerAddress, TimeSpan};
use bellwether_program::{AmqpFiles, unrepeated};
use bellwether_proto::{AgentName, Fleet, namespace};
use bellwether_rpc::transport::amqp::{AmqpSettings, AmqpUrl, Tls};
use clap::{CommandFactory, Parser, Subcommand, ValueEnum, error::ErrorKind};
use std::{fs, net::SocketAddr, path::PathBuf};

const AFTER_HELP: &str = "\
Each setting is taken from its flag, else from its environment variable, else from the file of --config, else it is \
the default. The keys of that file are the names of the flags: state-dir = \"/srv/agent\", label = [\"zone=eu\"].

Examples:
  # See what a set looks like: ./node-7/current/ingress.json
  bellwether-agent --name node-7 --label zone=eu --state-dir ./node-7

  # Render nginx.conf, have nginx check it, and reload nginx
  bellwether-agent --template ./nginx.conf \\
    --check 'nginx -t -c \"$BELLWETHER_DIR/nginx.conf\"' --reload 'nginx -s reload'

  # Run HAProxy and have it serve, with the certificates of a folder: shop-cert is /etc/certs/shop-cert.pem
  bellwether-agent --driver haproxy --cert-dir /etc/certs

  # The same with the HAProxy that systemd runs: haproxy -Ws -S /run/haproxy-master.sock \
  #   -f /var/lib/bellwether-agent/current/haproxy.cfg
  bellwether-agent --driver haproxy --haproxy-master-socket /run/haproxy-master.sock

  # The same settings from a file
  bellwether-agent --config /etc/bellwether/agent.toml

  # In a container: say how it is, and ask for it
  bellwether-agent --health-listen 127.0.0.1:7410
  bellwether-agent healthcheck --health-listen 127.0.0.1:7410

Exit status: 0 after SIGTERM or SIGINT, 2 when a setting is wrong, 1 for any other error.";

/// The agent on a node: it takes ingress configs from a Bellwether controller and has a local proxy serve them.
#[derive(Parser)]
#[command(name = "bellwether-agent", version, after_help = AFTER_HELP)]
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
    /// The fleet that this agent belongs to
    #[arg(long, env = "BELLWETHER_FLEET", default_value_t)]
    fleet: Fleet,
    /// The agent's name, unique within the fleet [default: the host name]
    #[arg(long, env = "BELLWETHER_NAME")]
    name: Option<AgentName>,
    /// A label that selectors can choose by; may be given several times, or with commas
    #[arg(long, env = "BELLWETHER_LABEL", value_name = "KEY=VALUE", value_delimiter = ',')]
    label: Vec<Label>,
    /// What makes the proxy serve
    #[arg(long, env = "BELLWETHER_DRIVER", value_enum, default_value = "file")]
    driver: DriverName,
    /// Where the agent remembers what it serves; one agent a folder
    #[arg(
        long,
        env = "BELLWETHER_STATE_DIR",
        value_name = "DIR",
        default_value = "/var/lib/bellwether-agent"
    )]
    state_dir: PathBuf,
    /// A Jinja template, rendered under its own name beside ingress.json. It sees what stands there: `digest`,
    /// `revision`, `store_id`, `configs`. It is read once, at the start; what is undefined is an error; it may take 50
    /// million steps.
    #[arg(long, env = "BELLWETHER_TEMPLATE", value_name = "FILE")]
    template: Option<PathBuf>,
    /// Run by `sh -c` before a set serves, with BELLWETHER_DIR (the staged folder) and BELLWETHER_DIGEST; refuses the
    /// set by ending with anything but 0.
    #[arg(long, env = "BELLWETHER_CHECK", value_name = "COMMAND")]
    check: Option<String>,
    /// Run the same way once <state-dir>/current points to the set; when it fails the set before is put back, and
    /// this is run for it.
    #[arg(long, env = "BELLWETHER_RELOAD", value_name = "COMMAND")]
    reload: Option<String>,
    /// How long --check may take, such as 500ms, 10s or 1m
    #[arg(long, env = "BELLWETHER_CHECK_TIMEOUT", value_name = "TIME", default_value = "10s")]
    check_timeout: TimeSpan,
    /// How long --reload may take
    #[arg(long, env = "BELLWETHER_RELOAD_TIMEOUT", value_name = "TIME", default_value = "10s")]
    reload_timeout: TimeSpan,
    /// Where the haproxy driver finds certificates: <name>.pem, the chain and the key in one file; a set has copies
    #[arg(long, env = "BELLWETHER_CERT_DIR", value_name = "DIR")]
    cert_dir: Option<PathBuf>,
    /// Where every listener listens, instead of at its own address: for several agents on one machine
    #[arg(long, env = "BELLWETHER_BIND", value_name = "ADDRESS")]
    bind: Option<ListenerAddress>,
    /// The HAProxy that the agent runs by itself: 2.6 or later
    #[arg(long, env = "BELLWETHER_HAPROXY", value_name = "FILE", default_value = "haproxy")]
    haproxy: PathBuf,
    /// Uses the HAProxy behind this master socket, run by somebody else on <state-dir>/current/haproxy.cfg, instead of
    /// running one
    #[arg(long, env = "BELLWETHER_HAPROXY_MASTER_SOCKET", value_name = "FILE")]
    haproxy_master_socket: Option<PathBuf>,
    /// How long connections that were made before a reload may go on after it
    #[arg(long, env = "BELLWETHER_HARD_STOP_AFTER", value_name = "TIME", default_value = "30s")]
    hard_stop_after: TimeSpan,
    /// Takes the HAProxy that the agent runs down with it: otherwise it serves on, and the next agent takes it over
    #[arg(long, env = "BELLWETHER_STOP_PROXY")]
    stop_proxy: bool,
    /// How often to beat, until a controller assigns something else
    #[arg(long, env = "BELLWETHER_INTERVAL", value_name = "TIME", default_value = "1s")]
    interval: TimeSpan,
    /// Where to answer /healthz, /readyz and /metrics over HTTP, without a key: nothing in them is secret [default: off]
    #[arg(long, global = true, env = "BELLWETHER_HEALTH_LISTEN", value_name = "ADDRESS")]
    pub(crate) health_listen: Option<SocketAddr>,
    /// What to log to stderr: error, warn, info, debug or trace, or directives such as info,bellwether_agent=debug
    #[arg(long, env = "BELLWETHER_LOG", value_name = "FILTER", default_value = "info")]
    log: String,
}

/// What else the program can do.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Asks the agent that listens on --health-listen whether it is ready: exit 0 when it is, else 1
    Healthcheck,
}

/// The drivers there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DriverName {
    /// Writes each set to a folder, and runs commands.
    File,
    /// Renders each set for HAProxy, and sees it serve.
    Haproxy,
}

/// What the program is to do.
pub(crate) struct Options {
    pub(crate) settings: Settings,
    pub(crate) amqp: AmqpSettings,
    pub(crate) state_dir: PathBuf,
    pub(crate) driver: DriverName,
    pub(crate) file: FileOptions,
    pub(crate) haproxy: HaproxyOptions,
    pub(crate) log: String,
}

impl Flags {
    /// Where `healthcheck` asks; an error is one of usage.
    pub(crate) fn health_address(&self) -> Result<SocketAddr, clap::Error> {
        let why = "healthcheck: give --health-listen, the address that the agent was given";
        self.health_listen.ok_or_else(|| usage(why.to_owned()))
    }

    /// What the flags amount to; an error is one of usage.
    pub(crate) fn options(self) -> Result<Options, clap::Error> {
        let name = self.name.map_or_else(host_name, Ok).map_err(usage)?;
        let mut settings = Settings::new(name);
        settings.labels = Label::all(self.label).map_err(usage)?;
        settings.interval = self.interval.into();
        settings.health_listen = self.health_listen;
        let hook = |command: Option<String>, limit: TimeSpan| {
            command.map(|command| Hook { command, time_limit: limit.into() })
        };
        let encrypted = self.amqp_url.iter().all(AmqpUrl::is_encrypted);
        let tls = self
            .amqp_files
            .read(encrypted, Tls::default(), Tls::with_ca_file, Tls::with_identity_files)
            .map_err(usage)?;
        let amqp = AmqpSettings::new(
            self.amqp_url,
            namespace(&self.fleet),
            format!("bellwether-agent {}", settings.name),
        );
        Ok(Options {
            amqp: AmqpSettings { tls, ..amqp },
            settings,
            state_dir: self.state_dir,
            driver: self.driver,
            file: FileOptions {
                template: self.template,
                check: hook(self.check, self.check_timeout),
                reload: hook(self.reload, self.reload_timeout),
            },
            haproxy: HaproxyOptions {
                program: self.haproxy,
                cert_dir: self.cert_dir,
                bind: self.bind,
                master_socket: self.haproxy_master_socket,
                hard_stop_after: self.hard_stop_after.into(),
                stop_proxy: self.stop_proxy,
                ..HaproxyOptions::default()
            },
            log: self.log,
        })
    }
}

fn usage(message: String) -> clap::Error {
    clap::Error::raw(ErrorKind::ValueValidation, format!("{message}\n")).with_cmd(&Flags::command())
}

/// The host name, as far as it can be an agent's.
fn host_name() -> Result<AgentName, String> {
    let name = fs::read_to_string("/proc/sys/kernel/hostname")
        .map_err(|error| format!("the host name is not known ({error}): give --name"))?;
    name.trim()
        .to_lowercase()
        .parse()
        .map_err(|error| format!("the host name will not do: {error}: give --name"))
}

#[cfg(test)]
mod tests;
