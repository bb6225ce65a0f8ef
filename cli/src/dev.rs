//! `bellwether dev`: a whole fleet in one process, over shared in-memory parts and the programs' own `run`.

mod backends;
mod certificates;
mod fleet;

use crate::{
    client::{Access, Author, Client, ServerUrl},
    commands::{ChangeArgs, push},
    console,
    exit::Exit,
    report::{Output, Style},
};
use anyhow::Context;
use backends::Backends;
use bellwether_ingress::{IngressConfig, TimeSpan};
use bellwether_program::{log, signals};
use clap::Args;
use fleet::{Agents, DevDriver, Fleet};
use std::{
    io::Write,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// What is pushed: the document that shows everything a document can say.
const EXAMPLE: &str = include_str!("../../examples/shop.yaml");

/// What the example's proxies answer to.
const CURL: &str = "\nThree proxies serve it, on 127.0.0.2, 127.0.0.3 and 127.0.0.4:
  curl -H 'Host: shop.example.com' http://127.0.0.2:18080/api/
  curl -k --resolve shop.example.com:18443:127.0.0.3 https://shop.example.com:18443/";

const HELP: &str = "\
Examples:
  bellwether dev                            then, in a second terminal: bellwether agents
  bellwether dev --once                     push once, say who applied it, and end
  bellwether dev --once -o json             the same, with the push's JSON alone on standard output
  bellwether dev --driver haproxy           three real proxies on 127.0.0.2 to .4, and a curl line to try them
  bellwether dev --listen 127.0.0.1:7500 --dir ./fleet

Exit codes with --once: those of `bellwether push`.";

/// Runs a whole fleet in this process, with nothing to install: two controllers, three agents, one push.
///
/// The fleet keeps everything in memory, and its agents write what they serve to files. It stays up until Ctrl-C, so
/// that every other command can be tried on it.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct DevArgs {
    /// Where the first controller answers HTTP; the second takes a free port.
    #[arg(long, default_value = "127.0.0.1:7400", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// Lets in whoever reaches --listen: there are no keys here, so anywhere but on loopback this has to be said.
    #[arg(long)]
    allow_anonymous: bool,
    /// What the agents have serve. With `haproxy` each runs one, beside backends that answer and certificates of their
    /// own, and Ctrl-C takes all of it down.
    #[arg(long, value_enum, default_value = "file", value_name = "DRIVER")]
    driver: DevDriver,
    /// Where the agents keep their files; a temporary folder, removed at the end, unless given.
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
    /// Ends after the push, with its exit code.
    #[arg(long)]
    once: bool,
    /// How long the agents have to apply the push: a whole number and ms, s or m.
    #[arg(long, default_value = "5s", value_name = "TIME")]
    timeout: TimeSpan,
    /// What to log on standard error: error, warn, info, debug or trace, or directives.
    #[arg(long, default_value = "warn", value_name = "FILTER")]
    log: String,
}

pub(crate) async fn run(args: DevArgs, style: Style, out: &mut impl Write) -> anyhow::Result<Exit> {
    log::open(&args.log, &[], &[]).context("--log")?;
    let shutdown = signals::shutdown().context("cannot listen to signals")?;
    let access = access(&args)?;
    let first = listen(args.listen).await?;
    let second = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("no free port")?;
    let client = client_of(&first)?;
    let apis = [first.local_addr()?, second.local_addr()?];
    let folder = Folder::new(args.dir.clone())?;

    let example = IngressConfig::from_yaml(EXAMPLE).context("examples/shop.yaml")?;
    let _backends = match args.driver {
        DevDriver::File => None,
        DevDriver::Haproxy => {
            certificates::make(folder.path(), &example)?;
            Some(Backends::start(&example).await?)
        }
    };

    let mut fleet = Fleet::start([first, second], &access, folder.path(), args.driver)?;
    let agents = fleet.agents.clone();
    let exit = tokio::select! {
        exit = show(&args, &agents, apis, &client, style, out, &shutdown) => exit,
        ended = fleet.ended() => Err(ended),
    };
    // An idle connection of ours would hold the controllers up.
    drop(client);
    fleet.stop().await;
    exit
}

fn access(args: &DevArgs) -> anyhow::Result<bellwether_controller::Access> {
    let access = bellwether_controller::Access::asked_for(None, args.allow_anonymous)?;
    access
        .may_be_served_at(args.listen)
        .context("--listen: give --allow-anonymous to let in whoever reaches it, or listen on 127.0.0.1")?;
    Ok(access)
}

/// Shows the fleet at its work, and then for as long as is wanted.
async fn show(
    args: &DevArgs,
    agents: &Agents,
    apis: [SocketAddr; 2],
    client: &Client,
    style: Style,
    out: &mut impl Write,
    shutdown: &CancellationToken,
) -> anyhow::Result<Exit> {
    let mut say = Narrator { style, out };
    say.line(format_args!("2 controllers: http://{} and http://{}", apis[0], apis[1]))?;
    tokio::select! {
        online = agents.all_online() => online?,
        () = shutdown.cancelled() => return Ok(Exit::Interrupted),
    }
    say.line(format_args!("3 agents online: {}", agents.names().join(", ")))?;
    say.line("pushing examples/shop.yaml")?;
    let config = IngressConfig::from_yaml(EXAMPLE).context("examples/shop.yaml")?;
    let change = ChangeArgs { timeout: args.timeout, author: Author::default() };
    let exit = push::push(&[config], &change, client, style, say.out).await?;
    // With a temporary folder they would be gone when somebody looks.
    if !args.once || args.dir.is_some() {
        for file in agents.files() {
            say.line(format_args!("  {}", file.display()))?;
        }
    }
    if args.once || exit == Exit::Interrupted {
        return Ok(exit);
    }
    if args.driver == DevDriver::Haproxy {
        say.line(CURL)?;
    }
    let server =
        if args.listen.port() == 7400 { String::new() } else { format!(" --server http://{}", apis[0]) };
    say.line(format_args!(
        "\nThe fleet stays up until Ctrl-C. In a second terminal:\n  bellwether{server} agents\n  \
         bellwether{server} push examples/shop.yaml\n  bellwether{server} delete shop"
    ))?;
    shutdown.cancelled().await;
    Ok(Exit::Ok)
}

/// Tells the story beside the result: on standard output for people, on standard error when that is for JSON.
struct Narrator<'a, W> {
    style: Style,
    out: &'a mut W,
}

impl<W: Write> Narrator<'_, W> {
    fn line(&mut self, line: impl std::fmt::Display) -> std::io::Result<()> {
        match self.style.output {
            Output::Table => writeln!(self.out, "{line}")?,
            Output::Json => console::complain(line),
        }
        self.out.flush()
    }
}

async fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address}: choose another address with --listen"))
}

fn client_of(listener: &TcpListener) -> anyhow::Result<Client> {
    let server: ServerUrl =
        format!("http://{}", listener.local_addr()?).parse().context("our own address")?;
    Client::new(vec![server], Access::Open)
}

/// Where the agents keep their files.
enum Folder {
    Kept(PathBuf),
    Temporary(tempfile::TempDir),
}

impl Folder {
    fn new(wanted: Option<PathBuf>) -> anyhow::Result<Self> {
        match wanted {
            Some(folder) => Ok(Self::Kept(std::path::absolute(folder).context("--dir")?)),
            None => {
                let temporary = tempfile::Builder::new().prefix("bellwether-dev-").tempdir();
                Ok(Self::Temporary(
                    temporary.context("cannot make a temporary folder: choose one with --dir")?,
                ))
            }
        }
    }

    fn path(&self) -> &std::path::Path {
        match self {
            Self::Kept(path) => path,
            Self::Temporary(folder) => folder.path(),
        }
    }
}
