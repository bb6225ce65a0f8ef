//! A private Redis that forgets nothing it has acknowledged.

use std::net::Ipv4Addr;
use std::path::PathBuf;

use rustix::process::Signal;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::OnceCell;

use crate::guardian::Spec;
use crate::installed::installed;
use crate::server::{Server, StartError, started};
use crate::{Port, folder};

/// A Redis of one's own, append-only and synced at every write; ended with the value, or with this process.
#[derive(Debug)]
pub struct Redis {
    server: Server,
    port: Port,
    _folder: TempDir,
}

impl Redis {
    /// Starts one.
    ///
    /// # Panics
    /// When it does not come up; the message holds the end of its log.
    pub async fn start() -> Self {
        started(Self::try_start).await
    }

    /// The one that this process's tests share, each under a fleet name of its own. Not to be stopped.
    pub async fn shared() -> &'static Self {
        static SHARED: OnceCell<Redis> = OnceCell::const_new();
        SHARED.get_or_init(Self::start).await
    }

    /// `redis://127.0.0.1:PORT/`
    pub fn url(&self) -> String {
        format!("redis://{}/", self.port.address())
    }

    /// The port, the same after `start_again`.
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// Its process, while it is up.
    pub fn pid(&self) -> Option<u32> {
        self.server.pid()
    }

    /// Ends it by SIGKILL; what it acknowledged is on disk.
    pub async fn stop(&self) {
        self.server.kill().await;
    }

    /// Starts it where it was: same port, same data.
    pub async fn start_again(&self) {
        self.server.start_again(async || answers(self.port()).await).await;
    }

    /// Stops it in its tracks; connections stay open and nothing answers.
    pub fn pause(&self) {
        self.server.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub fn resume(&self) {
        self.server.signal(Signal::CONT);
    }

    async fn try_start() -> Result<Self, StartError> {
        let port = Port::claim();
        let folder = folder("redis");
        let server = Server::new(spec(port.number(), folder.path().to_owned()));
        server.start(async || answers(port.number()).await).await?;
        Ok(Self { server, port, _folder: folder })
    }
}

fn spec(port: u16, folder: PathBuf) -> Spec {
    let port = port.to_string();
    let args = [
        "--port",
        &port,
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--appendonly",
        "yes",
        "--appendfsync",
        "always",
    ];
    let log = folder.join("log");
    Spec {
        program: installed("redis-server", "/usr/bin"),
        args: args.map(Into::into).into(),
        env: Vec::new(),
        stdin: "/dev/null".into(),
        stdout: log.clone(),
        stderr: log,
        working_folder: folder,
    }
}

/// Whether it answers; while it still loads its data it answers an error.
async fn answers(port: u16) -> bool {
    ping(port).await.is_ok_and(|answer| &answer == b"+PONG\r\n")
}

async fn ping(port: u16) -> std::io::Result<[u8; 7]> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    stream.write_all(b"PING\r\n").await?;
    let mut answer = [0; 7];
    stream.read_exact(&mut answer).await?;
    Ok(answer)
}
