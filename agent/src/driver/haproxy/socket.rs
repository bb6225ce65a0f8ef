//! Asks one of HAProxy's Unix sockets one thing.

use std::{io, path::Path, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
    time::timeout,
};

/// What one answer may take; a proxy that is alive needs milliseconds.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);

/// The longest answer that is read: servers' states are some hundred bytes each.
const LONGEST: u64 = 64 << 20;

/// Sends one command, and reads the answer to its end.
pub(super) async fn ask(path: &Path, command: &str) -> io::Result<String> {
    ask_within(PATIENCE, path, command).await
}

/// The same, with other patience.
pub(super) async fn ask_within(patience: Duration, path: &Path, command: &str) -> io::Result<String> {
    let asking = async {
        let mut stream = UnixStream::connect(path).await?;
        stream.write_all(command.as_bytes()).await?;
        stream.write_all(b"\n").await?;
        stream.shutdown().await?;
        let mut answer = Vec::new();
        stream.take(LONGEST).read_to_end(&mut answer).await?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    };
    timeout(patience, asking).await.unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut)))
}

/// The process behind a socket, whether or not it still answers.
pub(super) async fn peer(path: &Path) -> io::Result<i32> {
    let connected = timeout(PATIENCE, UnixStream::connect(path)).await;
    let stream = connected.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    stream.peer_cred()?.pid().ok_or_else(|| io::Error::other("nobody is behind it"))
}
