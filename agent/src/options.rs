//! The settings of the program: flag, then environment, then file, then default.

mod label;

use bellwether_agent::{
    Settings,
    driver::{Hook, file::FileOptions},
};
use bellwether_ingress::{Labels, TimeSpan};
use bellwether_proto::{AgentName, Fleet, namespace};
use bellwether_rpc::transport::amqp::{AmqpSettings, AmqpUrl};
use clap::{Args, Parser, ValueEnum};
use label::Label;
use serde::{Deserialize, Deserializer};
use std::{fs, path::PathBuf, time::Duration};
use tracing_subscriber::EnvFilter;

const DEFAULT_URL: &str = "amqp://127.0.0.1:5672/%2f";
const DEFAULT_STATE_DIR: &str = "/var/lib/bellwether-agent";
const DEFAULT_TIME_LIMIT: Duration = Duration::from_secs(10);

const AFTER_HELP: &str = "\
Each setting is taken from its flag, else from its environment variable, else from the file of --config, else it is \
the default. The keys of that file are the names of the flags; labels stand in a table [labels].

Examples:
  # See what a set looks like: ./node-7/current/ingress.json
  bellwether-agent --name node-7 --label zone=eu --state-dir ./node-7

  # Render nginx.conf, have nginx check it, and reload nginx
  bellwether-agent --template ./nginx.conf \\
    --check 'nginx -t -c \"$BELLWETHER_DIR/nginx.conf\"' --reload 'nginx -s reload'

  # The same settings from a file
  bellwether-agent --config /etc/bellwether/agent.toml

Exit status: 0 after SIGTERM or SIGINT, 2 when a setting is wrong, 1 for any other error.";

/// The agent on a node: it takes ingress configs from a Bellwether controller and has a local proxy serve them.
#[derive(Parser)]
#[command(name = "bellwether-agent", version, after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// A TOML file with settings.
    #[arg(long, env = "BELLWETHER_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    given: Given,
}

/// What one source of settings gives.
#[derive(Args, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
struct Given {
    // Text, and not a URL, so that no error repeats the password.
    /// The broker: amqp://USER:PASSWORD@HOST:PORT/VHOST, or amqps. [default: amqp://127.0.0.1:5672/%2f]
    #[arg(long, env = "BELLWETHER_AMQP_URL", value_name = "URL", hide_env_values = true)]
    amqp_url: Option<String>,
    /// The fleet that this agent belongs to. [default: default]
    #[arg(long, env = "BELLWETHER_FLEET")]
    fleet: Option<Fleet>,
    /// The agent's name, unique within the fleet. [default: the host name]
    #[arg(long, env = "BELLWETHER_NAME")]
    name: Option<AgentName>,
    /// A label that selectors can choose by; may be given several times, and is comma separated in the environment.
    #[arg(long = "label", env = "BELLWETHER_LABELS", value_name = "KEY=VALUE", value_delimiter = ',')]
    #[serde(deserialize_with = "label_table")]
    labels: Option<Vec<Label>>,
    /// What makes the proxy serve. [default: file]
    #[arg(long, env = "BELLWETHER_DRIVER", value_enum)]
    driver: Option<DriverName>,
    /// Where the agent remembers what it serves; one agent a folder. [default: /var/lib/bellwether-agent]
    #[arg(long, env = "BELLWETHER_STATE_DIR", value_name = "DIR")]
    state_dir: Option<PathBuf>,
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
    /// How long --check may take, such as 500ms, 10s or 1m. [default: 10s]
    #[arg(long, env = "BELLWETHER_CHECK_TIMEOUT", value_name = "TIME")]
    check_timeout: Option<TimeSpan>,
    /// How long --reload may take. [default: 10s]
    #[arg(long, env = "BELLWETHER_RELOAD_TIMEOUT", value_name = "TIME")]
    reload_timeout: Option<TimeSpan>,
    /// How often to beat, until a controller assigns something else. [default: 1s]
    #[arg(long, env = "BELLWETHER_INTERVAL", value_name = "TIME")]
    interval: Option<TimeSpan>,
    /// What to log to stderr: a level, or directives such as info,bellwether_agent=debug. [default: info]
    #[arg(long, env = "BELLWETHER_LOG", value_name = "FILTER")]
    log: Option<String>,
}

/// The drivers there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DriverName {
    /// Writes each set to a folder, and runs commands.
    File,
}

/// What the program is to do.
pub(crate) struct Options {
    pub(crate) settings: Settings,
    pub(crate) amqp: AmqpSettings,
    pub(crate) state_dir: PathBuf,
    pub(crate) driver: DriverName,
    pub(crate) file: FileOptions,
    pub(crate) log: EnvFilter,
}

impl Arguments {
    /// The settings from all sources; an error is one of usage.
    pub(crate) fn options(self) -> Result<Options, String> {
        let file = self.config.map(read_file).transpose()?.unwrap_or_default();
        self.given.or(file).options()
    }
}

fn read_file(path: PathBuf) -> Result<Given, String> {
    let shown = path.display();
    let text = fs::read_to_string(&path).map_err(|error| format!("--config {shown}: {error}"))?;
    parse_file(&text).map_err(|error| format!("--config {shown}: {error}"))
}

/// Reads a file of settings. Its keys may be written with `_` for `-`. No error repeats the text, which may hold a password.
fn parse_file(text: &str) -> Result<Given, String> {
    let table: toml::Table = toml::from_str(text).map_err(|error| error.message().to_owned())?;
    let keys = table.into_iter().map(|(key, value)| (key.replace('_', "-"), value));
    keys.collect::<toml::Table>().try_into().map_err(|error: toml::de::Error| error.message().to_owned())
}

fn label_table<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<Label>>, D::Error> {
    let labels = Labels::deserialize(deserializer)?;
    Ok(Some(labels.iter().map(|(key, value)| Label(key.clone(), value.clone())).collect()))
}

impl Given {
    /// What is given here, else what is given there.
    fn or(self, other: Self) -> Self {
        Self {
            amqp_url: self.amqp_url.or(other.amqp_url),
            fleet: self.fleet.or(other.fleet),
            name: self.name.or(other.name),
            labels: self.labels.or(other.labels),
            driver: self.driver.or(other.driver),
            state_dir: self.state_dir.or(other.state_dir),
            template: self.template.or(other.template),
            check: self.check.or(other.check),
            reload: self.reload.or(other.reload),
            check_timeout: self.check_timeout.or(other.check_timeout),
            reload_timeout: self.reload_timeout.or(other.reload_timeout),
            interval: self.interval.or(other.interval),
            log: self.log.or(other.log),
        }
    }

    fn options(self) -> Result<Options, String> {
        let url = self.amqp_url.as_deref().unwrap_or(DEFAULT_URL);
        let url: AmqpUrl = url.parse().map_err(|error| format!("--amqp-url: {error}"))?;
        let fleet = self.fleet.unwrap_or_default();
        let mut settings = Settings::new(self.name.map_or_else(host_name, Ok)?);
        settings.labels = label::distinct(self.labels.unwrap_or_default())?;
        settings.interval = self.interval.map_or(settings.interval, TimeSpan::into);
        let hook = |command: Option<String>, limit: Option<TimeSpan>| {
            command
                .map(|command| Hook { command, time_limit: limit.map_or(DEFAULT_TIME_LIMIT, TimeSpan::into) })
        };
        Ok(Options {
            amqp: AmqpSettings::new(url, namespace(&fleet), format!("bellwether-agent {}", settings.name)),
            settings,
            state_dir: self.state_dir.unwrap_or_else(|| DEFAULT_STATE_DIR.into()),
            driver: self.driver.unwrap_or(DriverName::File),
            file: FileOptions {
                template: self.template,
                check: hook(self.check, self.check_timeout),
                reload: hook(self.reload, self.reload_timeout),
            },
            log: log_filter(self.log.as_deref().unwrap_or("info"))?,
        })
    }
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

/// What to log, and never the bodies of messages.
fn log_filter(directives: &str) -> Result<EnvFilter, String> {
    let filter = EnvFilter::try_new(directives).map_err(|error| format!("--log: {error}"))?;
    let never = bellwether_rpc::transport::amqp::LOG_FILTER.parse();
    Ok(filter.add_directive(never.map_err(|error| format!("--log: {error}"))?))
}

#[cfg(test)]
mod tests;
