//! An HAProxy that this scenario runs by itself, whoever has it reload.

use anyhow::Context;
use bellwether_ingress::Digest;
use bellwether_tests::{Launch, Program};
use std::{
    net::Ipv4Addr,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
    time::{Instant, sleep},
};
use uuid::Uuid;

/// The program.
pub(super) const HAPROXY: &str = "/usr/sbin/haproxy";

/// How often a bare loop looks.
const LOOK: Duration = Duration::from_millis(1);

/// What a reload may take.
const LONGEST: Duration = Duration::from_secs(60);

/// Digits of a digest that a probe answers.
const PROBE_DIGITS: usize = 16;

/// An address of this machine that nobody else has: its ports are all free.
pub(super) fn own_address() -> Ipv4Addr {
    let [a, b, c, ..] = Uuid::new_v4().into_bytes();
    Ipv4Addr::new(127, 16 + a % 200, b, c.clamp(1, 254))
}

/// Where the master of an HAProxy on the sets of `root` is asked.
pub(super) fn master_socket(root: &Path) -> PathBuf {
    root.join("master.sock")
}

/// Starts HAProxy on the set that `<root>/current` holds.
pub(super) fn start(root: &Path) -> Program {
    let launch = Launch::program(HAPROXY).args(["-W", "-S"]).arg(master_socket(root));
    launch.arg("-f").arg(root.join("current/haproxy.cfg")).start()
}

/// Waits until the probe answers for the set of this digest.
pub(super) async fn serves(root: &Path, digest: Digest) -> anyhow::Result<()> {
    let (probe, expected) = (root.join("probe.sock"), digest.to_string());
    let (end, expected) = (Instant::now() + LONGEST, expected.get(..PROBE_DIGITS).unwrap_or_default());
    while !ask(&probe, "GET / HTTP/1.0\r\n\r").await.is_ok_and(|answer| answer.ends_with(expected)) {
        anyhow::ensure!(Instant::now() < end, "{expected} does not serve after {LONGEST:?}");
        sleep(LOOK).await;
    }
    Ok(())
}

/// Sends one command to one of HAProxy's sockets, and reads the answer to its end.
pub(super) async fn ask(socket: &Path, command: &str) -> anyhow::Result<String> {
    let asked = async {
        let mut stream = UnixStream::connect(socket).await?;
        stream.write_all(format!("{command}\n").as_bytes()).await?;
        stream.shutdown().await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.map(|_| answer)
    };
    asked.await.with_context(|| socket.display().to_string())
}
