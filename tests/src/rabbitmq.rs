//! A private RabbitMQ: a node of its own, in a folder of its own, known to an epmd of its own.

use std::ffi::OsString;
use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::Signal;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::guardian::Spec;
use crate::installed::installed;
use crate::server::{Server, StartError, started};
use crate::{Certificate, CertificateAuthority, Launch, Port, eventually, folder};

/// Here and not in /usr/sbin, where Debian's wrapper changes the user and the settings.
const SCRIPTS: &str = "/usr/lib/rabbitmq/bin";
/// What a `rabbitmqctl` may take; alone it takes less than 1 s.
const CTL: Duration = Duration::from_secs(60);

/// A RabbitMQ of one's own; ended with the value, or with this process.
#[derive(Debug)]
pub struct RabbitMq {
    // Ended in this order: the node, the epmd that knows it, the folder that both live in.
    node: Server,
    _epmd: Server,
    settings: Settings,
}

impl RabbitMq {
    /// Starts one, which takes about 5 s.
    ///
    /// # Panics
    /// When it does not come up; the message holds the end of its log.
    pub async fn start() -> Self {
        started(async || Self::try_start(Settings::new()).await).await
    }

    /// One that speaks TLS as well, on a port of its own: only with who shows a certificate of this authority, which
    /// is taken as a login of its common name where that is asked for.
    ///
    /// # Panics
    /// When it does not come up.
    pub async fn start_with_tls(authority: &CertificateAuthority) -> Self {
        started(async || Self::try_start(Settings::with_tls(authority)).await).await
    }

    /// The one that this process's tests share, each under a fleet name of its own. Not to be stopped.
    pub async fn shared() -> &'static Self {
        static SHARED: OnceCell<RabbitMq> = OnceCell::const_new();
        SHARED.get_or_init(Self::start).await
    }

    /// `amqp://127.0.0.1:PORT/%2f`
    pub fn url(&self) -> String {
        format!("amqp://{}/%2f", self.settings.amqp.address())
    }

    /// `127.0.0.1:PORT`, where it speaks TLS.
    ///
    /// # Panics
    /// When it does not.
    pub fn tls_address(&self) -> String {
        self.settings.amqps.as_ref().expect("started with TLS").address()
    }

    /// The AMQP port, the same after `start_again`.
    pub fn port(&self) -> u16 {
        self.settings.amqp.number()
    }

    /// Its process, while it is up.
    pub fn pid(&self) -> Option<u32> {
        self.node.pid()
    }

    /// Shuts it down in order, which takes about 1 s.
    pub async fn stop(&self) {
        self.node.stop().await;
    }

    /// Ends it by SIGKILL.
    pub async fn kill(&self) {
        self.node.kill().await;
    }

    /// Starts it where it was: same port, same data.
    pub async fn start_again(&self) {
        self.node.start_again(async || speaks_amqp(self.port()).await).await;
    }

    /// Stops it in its tracks; connections stay open and nothing answers.
    pub fn pause(&self) {
        self.node.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub fn resume(&self) {
        self.node.signal(Signal::CONT);
    }

    /// What `rabbitmqctl` answers, without headers and chatter: `ctl(&["list_queues", "name", "messages"])`.
    ///
    /// # Panics
    /// When it fails.
    pub async fn ctl(&self, args: &[&str]) -> String {
        let ctl = Launch::program(installed("rabbitmqctl", SCRIPTS))
            .arg("--silent")
            .args(args)
            .envs(self.settings.env());
        // The broker takes connections a moment before it takes commands.
        let output = eventually("the broker takes commands", async || {
            let output = ctl.clone().run_to_end(CTL).await;
            let starting = output.stderr.contains("requires the 'rabbit' app to be running");
            if starting { Err(output.stderr) } else { Ok(output) }
        })
        .await;
        assert_eq!(output.code, 0, "rabbitmqctl {args:?}: {}{}", output.stdout, output.stderr);
        output.stdout
    }

    /// Raises or ends its memory alarm: while it lasts, nobody may publish.
    pub async fn alarm(&self, raised: bool) {
        let mark = if raised { "0.0000001" } else { "0.4" };
        self.ctl(&["set_vm_memory_high_watermark", mark]).await;
    }

    async fn try_start(settings: Settings) -> Result<Self, StartError> {
        let epmd = Server::new(settings.epmd());
        epmd.start(async || listens(settings.epmd.number()).await).await?;
        let node = Server::new(settings.node());
        node.start(async || speaks_amqp(settings.amqp.number()).await).await?;
        Ok(Self { node, _epmd: epmd, settings })
    }
}

/// Where a node lives, for itself and for `rabbitmqctl`.
#[derive(Debug)]
struct Settings {
    name: String,
    amqp: Port,
    amqps: Option<Port>,
    distribution: Port,
    epmd: Port,
    folder: TempDir,
}

impl Settings {
    fn new() -> Self {
        let settings = Self {
            name: format!("bellwether-{}@localhost", Uuid::new_v4().simple()),
            amqp: Port::claim(),
            amqps: None,
            distribution: Port::claim(),
            epmd: Port::claim(),
            folder: folder("rabbitmq"),
        };
        settings.write_files();
        settings
    }

    fn with_tls(authority: &CertificateAuthority) -> Self {
        let port = Port::claim();
        let settings = Self::new();
        let Certificate { certificate, key } = authority.issue("broker");
        let lines = [
            format!("listeners.ssl.1 = {}", port.address()),
            format!("ssl_options.cacertfile = {}", authority.file().display()),
            format!("ssl_options.certfile = {}", certificate.display()),
            format!("ssl_options.keyfile = {}", key.display()),
            "ssl_options.verify = verify_peer".to_owned(),
            "ssl_options.fail_if_no_peer_cert = true".to_owned(),
            "auth_mechanisms.1 = PLAIN".to_owned(),
            "auth_mechanisms.2 = EXTERNAL".to_owned(),
            "ssl_cert_login_from = common_name\n".to_owned(),
        ];
        write(&settings.path("rabbitmq.conf"), &lines.join("\n"));
        write(&settings.path("enabled_plugins"), "[rabbitmq_auth_mechanism_ssl].\n");
        Self { amqps: Some(port), ..settings }
    }

    fn write_files(&self) {
        write(&self.path("enabled_plugins"), "[].\n");
        // Instead of the machine's own in /etc/rabbitmq.
        write(&self.path("env.conf"), "");
        // No resolver: the name means one thing, and no inet_gethost processes are started.
        write(&self.path("inetrc"), "{lookup, [file]}.\n{host, {127,0,0,1}, [\"localhost\"]}.\n");
        let cookie = self.path(".erlang.cookie");
        write(&cookie, &Uuid::new_v4().simple().to_string());
        let owner_only = std::fs::Permissions::from_mode(0o400);
        std::fs::set_permissions(&cookie, owner_only).expect("our own file");
    }

    fn epmd(&self) -> Spec {
        let port = self.epmd.number().to_string();
        let args = ["-address", "127.0.0.1", "-port", &port];
        self.spec(installed("epmd", "/usr/bin"), &args, "epmd.log")
    }

    fn node(&self) -> Spec {
        self.spec(installed("rabbitmq-server", SCRIPTS), &[], "log")
    }

    fn spec(&self, program: PathBuf, args: &[&str], log: &str) -> Spec {
        Spec {
            program,
            args: args.iter().map(Into::into).collect(),
            env: self.env(),
            working_folder: self.folder.path().to_owned(),
            stdin: "/dev/null".into(),
            stdout: self.path(log),
            stderr: self.path(log),
        }
    }

    fn env(&self) -> Vec<(OsString, OsString)> {
        let fixed = [
            ("ERL_EPMD_ADDRESS", "127.0.0.1"),
            ("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1"),
            // To standard output, which is the log.
            ("RABBITMQ_LOGS", "-"),
            // The script becomes the node instead of its parent, so the pid is the node's.
            ("RUNNING_UNDER_SYSTEMD", "true"),
            (
                "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
                "+S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}",
            ),
            ("RABBITMQ_CTL_ERL_ARGS", "+S 1:1 +sbwt none"),
            // Any free one, instead of the first of eleven.
            ("RABBITMQ_CTL_DIST_PORT_MIN", "0"),
            ("RABBITMQ_CTL_DIST_PORT_MAX", "0"),
        ];
        let ports = [
            ("RABBITMQ_NODE_PORT", &self.amqp),
            ("RABBITMQ_DIST_PORT", &self.distribution),
            ("ERL_EPMD_PORT", &self.epmd),
        ];
        let paths = [
            ("HOME", ""),
            ("ERL_INETRC", "inetrc"),
            ("ERL_CRASH_DUMP", "erl_crash.dump"),
            ("RABBITMQ_MNESIA_BASE", "mnesia"),
            ("RABBITMQ_LOG_BASE", "log.d"),
            ("RABBITMQ_PID_FILE", "pid"),
            ("RABBITMQ_CONF_ENV_FILE", "env.conf"),
            ("RABBITMQ_CONFIG_FILE", "rabbitmq"),
            ("RABBITMQ_ADVANCED_CONFIG_FILE", "advanced"),
            ("RABBITMQ_GENERATED_CONFIG_DIR", "config"),
            ("RABBITMQ_SCHEMA_DIR", "schema"),
            ("RABBITMQ_ENABLED_PLUGINS_FILE", "enabled_plugins"),
        ];
        let fixed = fixed.into_iter().map(|(key, value)| (key.into(), value.into()));
        let ports = ports.into_iter().map(|(key, port)| (key.into(), port.number().to_string().into()));
        let paths = paths.into_iter().map(|(key, name)| (key.into(), self.path(name).into()));
        let name = [("RABBITMQ_NODENAME".into(), self.name.clone().into())];
        fixed.chain(ports).chain(paths).chain(name).collect()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

fn write(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

async fn listens(port: u16) -> bool {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_ok()
}

/// Whether an AMQP header is answered with `Connection.Start`; the port alone opens earlier.
async fn speaks_amqp(port: u16) -> bool {
    let start = connection_start(port).await;
    // A method frame (1) on channel 0; after its length, class 10 and method 10.
    start.is_ok_and(|frame| frame[..3] == [1, 0, 0] && frame[7..] == [0, 10, 0, 10])
}

async fn connection_start(port: u16) -> std::io::Result<[u8; 11]> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    stream.write_all(b"AMQP\x00\x00\x09\x01").await?;
    let mut frame = [0; 11];
    stream.read_exact(&mut frame).await?;
    Ok(frame)
}
