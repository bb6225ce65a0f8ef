//! The baseline: the same files in another folder, `haproxy -c` on them, and a reload until they serve.

use super::{
    haproxy::{self, HAPROXY},
    ours::Ours,
};
use anyhow::Context;
use bellwether_ingress::Digest;
use bellwether_tests::{Program, folder};
use std::{
    fs,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio::process::Command;

pub(super) struct Bare {
    address: Ipv4Addr,
    digest: Digest,
    haproxy: Option<Program>,
    root: TempDir,
}

impl Bare {
    /// Serves what `ours` serves, at another address.
    pub(super) async fn start(ours: &Ours) -> anyhow::Result<Self> {
        let (root, address) = (folder("bare"), haproxy::own_address());
        let mut this = Self { address, digest: ours.digest(), haproxy: None, root };
        this.take(ours)?;
        this.haproxy = Some(haproxy::start(this.root.path()));
        haproxy::serves(this.root.path(), this.digest).await?;
        Ok(this)
    }

    /// Takes over the files of the set that `ours` serves, and which of its servers were down.
    pub(super) fn take(&mut self, ours: &Ours) -> anyhow::Result<()> {
        let (from, to) = (fs::canonicalize(ours.root().join("current"))?, self.current());
        let _ = fs::remove_dir_all(&to);
        fs::create_dir(&to)?;
        let moved = |text: &str| self.moved(text, ours, &from);
        for entry in fs::read_dir(&from)? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).context("a file's name")?;
            fs::write(to.join(moved(name)), moved(&fs::read_to_string(&path)?))?;
        }
        let servers = |root: &Path| root.join("servers.state");
        if servers(ours.root()).exists() {
            fs::copy(servers(ours.root()), servers(self.root.path()))?;
        }
        self.digest = ours.digest();
        Ok(())
    }

    /// A text with our own folders and address in the place of the product's.
    fn moved(&self, text: &str, ours: &Ours, set: &Path) -> String {
        let text = text.replace(&path(set), &path(&self.current()));
        let text = text.replace(&path(ours.root()), &path(self.root.path()));
        text.replace(&ours.address().to_string(), &self.address.to_string())
    }

    /// How long `haproxy -c` takes.
    pub(super) async fn check(&self) -> anyhow::Result<Duration> {
        let began = Instant::now();
        let mut checking = Command::new(HAPROXY);
        checking.arg("-c").arg("-f").arg(self.current().join("haproxy.cfg"));
        let status = checking
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .status()
            .await
            .context(HAPROXY)?;
        anyhow::ensure!(status.success(), "{HAPROXY} -c: {status}");
        Ok(began.elapsed())
    }

    /// How long it takes from a reload until the files serve.
    pub(super) async fn reload(&self) -> anyhow::Result<Duration> {
        let began = Instant::now();
        // HAProxy 2.6 cuts the connection instead of an answer.
        let _ = haproxy::ask(&haproxy::master_socket(self.root.path()), "reload").await;
        haproxy::serves(self.root.path(), self.digest).await?;
        Ok(began.elapsed())
    }

    fn current(&self) -> PathBuf {
        self.root.path().join("current")
    }
}

fn path(path: &Path) -> String {
    path.display().to_string()
}
