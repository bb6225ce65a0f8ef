//! A driver with an HAProxy of its own, on an address of its own.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bellwether_agent::driver::haproxy::{HaproxyDriver, HaproxyOptions};
use bellwether_agent::driver::{ApplyError, Driver, EffectiveSet};
use bellwether_ingress::{Digest, IngressConfig, Revision};
use bellwether_proto::StoreId;
use bellwether_tests::folder;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;
use uuid::Uuid;

/// An address of this machine that no other test has: its ports are all free.
pub(crate) fn own_address() -> Ipv4Addr {
    let [a, b, c, ..] = Uuid::new_v4().into_bytes();
    Ipv4Addr::new(127, 16 + a % 200, b, c.clamp(1, 254))
}

/// A driver, its HAProxy, and where they are.
pub(crate) struct Proxy {
    pub(crate) driver: HaproxyDriver,
    pub(crate) folder: TempDir,
    pub(crate) address: Ipv4Addr,
    pub(crate) store: StoreId,
    /// The master, once it was asked for: it can be found when it no longer answers.
    pub(crate) master: Option<Pid>,
}

impl Proxy {
    /// A driver whose listeners are all on an address of its own.
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    /// The same, with other options.
    pub(crate) fn with(choose: impl FnOnce(&mut HaproxyOptions)) -> Self {
        let (folder, address) = (folder("hx"), own_address());
        std::fs::create_dir_all(folder.path().join("certs")).unwrap();
        let mut options = options(folder.path(), address);
        choose(&mut options);
        let driver = HaproxyDriver::new(folder.path(), options).unwrap();
        Self { driver, folder, address, store: StoreId::new(), master: None }
    }

    /// The agent is gone, however it went, and another begins with the same folder.
    pub(crate) fn restart(&mut self, choose: impl FnOnce(&mut HaproxyOptions)) {
        let mut options = options(self.folder.path(), self.address);
        choose(&mut options);
        self.driver = HaproxyDriver::new(self.folder.path(), options).unwrap();
    }

    pub(crate) fn certs(&self) -> PathBuf {
        self.folder.path().join("certs")
    }

    pub(crate) fn at(&self, port: u16) -> SocketAddr {
        SocketAddr::new(self.address.into(), port)
    }

    pub(crate) fn set(&self, documents: &[(&IngressConfig, u64)]) -> EffectiveSet {
        set(self.store, documents)
    }

    pub(crate) async fn apply(&mut self, documents: &[(&IngressConfig, u64)]) -> Result<Digest, ApplyError> {
        let set = self.set(documents);
        self.driver.apply(&set).await.map(|()| set.digest)
    }

    /// What the probe answers.
    pub(crate) fn probe(&self) -> Option<String> {
        let answer = ask(&self.folder.path().join("probe.sock"), "GET / HTTP/1.0\r\n\r")?;
        answer.rsplit("\r\n\r\n").next().map(str::to_owned)
    }

    /// The process ids that `show proc` gives to a kind.
    pub(crate) fn pids(&self, kind: &str) -> Vec<i32> {
        pids(self.folder.path(), kind)
    }

    pub(crate) fn note_master(&mut self) {
        self.master = self.pids("master").first().copied().and_then(Pid::from_raw);
    }

    pub(crate) fn signal(&self, kind: &str, signal: Signal) {
        for pid in self.pids(kind) {
            kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
        }
    }
}

fn options(root: &Path, address: Ipv4Addr) -> HaproxyOptions {
    HaproxyOptions {
        program: "/usr/sbin/haproxy".into(),
        cert_dir: Some(root.join("certs")),
        bind: address.to_string().parse().ok(),
        ..HaproxyOptions::default()
    }
}

pub(crate) fn pids(root: &Path, kind: &str) -> Vec<i32> {
    let answer = ask(&root.join("master.sock"), "show proc").unwrap_or_default();
    let of_kind = answer.lines().filter(|line| line.split_whitespace().nth(1) == Some(kind));
    of_kind.filter_map(|line| line.split_whitespace().next()?.parse().ok()).collect()
}

/// How often the master was reloaded, as `show proc` counts it.
pub(crate) fn reloads(root: &Path) -> u32 {
    let answer = ask(&root.join("master.sock"), "show proc").unwrap_or_default();
    let mut masters = answer.lines().filter(|line| line.split_whitespace().nth(1) == Some("master"));
    let count = masters.next().and_then(|line| line.split_whitespace().nth(2)?.parse().ok());
    count.unwrap_or_else(|| panic!("no master in {answer:?}"))
}

fn ask(socket: &Path, command: &str) -> Option<String> {
    let mut stream = UnixStream::connect(socket).ok()?;
    stream.set_read_timeout(Some(std::time::Duration::from_secs(2))).ok()?;
    stream.write_all(format!("{command}\n").as_bytes()).ok()?;
    stream.shutdown(Shutdown::Write).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if let Some(master) = self.master {
            let _ = kill_process(master, Signal::CONT);
        }
        for kind in ["worker", "master"] {
            for pid in self.pids(kind).into_iter().filter_map(Pid::from_raw) {
                let _ = kill_process(pid, Signal::KILL);
            }
        }
    }
}

pub(crate) fn set(store_id: StoreId, documents: &[(&IngressConfig, u64)]) -> EffectiveSet {
    let mut documents = documents.to_vec();
    documents.sort_by_key(|(document, _)| document.name());
    let revisions: BTreeMap<_, Revision> =
        documents.iter().map(|(document, revision)| (document.name().clone(), (*revision).into())).collect();
    EffectiveSet {
        digest: Digest::of_set(revisions.iter().map(|(name, revision)| (name, *revision))),
        revision: revisions.values().copied().max().unwrap_or_default(),
        store_id,
        documents: documents.iter().map(|(document, _)| Arc::new((*document).clone())).collect(),
        revisions,
    }
}

/// A document whose endpoints are all at `address`, as JSON has them at 127.0.0.1.
pub(crate) fn moved(mut document: Value, address: Ipv4Addr) -> IngressConfig {
    for backend in document["spec"]["backends"].as_array_mut().into_iter().flatten() {
        for endpoint in backend["endpoints"].as_array_mut().into_iter().flatten() {
            endpoint["address"] = address.to_string().into();
        }
    }
    let text = document.to_string();
    IngressConfig::from_json(text.as_bytes()).unwrap_or_else(|errors| panic!("{errors}\n{text}"))
}

/// Where the endpoints of a document are.
pub(crate) fn endpoints(document: &IngressConfig) -> Vec<SocketAddr> {
    let endpoints = document.spec().backends().iter().flat_map(|backend| backend.endpoints());
    let mut all: Vec<_> = endpoints.map(|it| SocketAddr::new(it.address().ip(), it.port())).collect();
    all.sort_unstable();
    all.dedup();
    all
}
