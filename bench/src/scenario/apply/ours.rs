//! The product: its driver on a state folder, and the HAProxy that it has load each set.

use super::{
    haproxy::{self, HAPROXY},
    steps::Steps,
};
use bellwether_agent::driver::{
    Driver as _, EffectiveSet, Step,
    haproxy::{HaproxyDriver, HaproxyOptions},
};
use bellwether_ingress::{Digest, IngressConfig, Revision};
use bellwether_program::metrics::Metrics;
use bellwether_proto::StoreId;
use bellwether_tests::{Program, folder};
use std::{
    net::Ipv4Addr,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};
use tempfile::TempDir;

pub(super) struct Ours {
    driver: HaproxyDriver,
    set: EffectiveSet,
    metrics: Metrics,
    address: Ipv4Addr,
    _haproxy: Program,
    root: TempDir,
}

impl Ours {
    /// Serves documents at `address`.
    pub(super) async fn start(
        documents: Vec<IngressConfig>,
        address: Ipv4Addr,
        metrics: Metrics,
    ) -> anyhow::Result<Self> {
        let root = folder("ours");
        let options = HaproxyOptions {
            program: HAPROXY.into(),
            bind: Some(address.to_string().parse()?),
            // Somebody else runs it, so that it ends with this process, however that ends.
            master_socket: Some(haproxy::master_socket(root.path())),
            ..HaproxyOptions::default()
        };
        let mut driver = HaproxyDriver::new(root.path(), options)?;
        let set = first(documents);
        // That nobody runs yet leaves a set to start on.
        match driver.apply(&set).await {
            Err(error) if error.step == Step::Reload => {}
            other => anyhow::bail!("there is no HAProxy yet: {other:?}"),
        }
        let haproxy = haproxy::start(root.path());
        haproxy::serves(root.path(), set.digest).await?;
        Ok(Self { driver, set, metrics, address, _haproxy: haproxy, root })
    }

    /// Applies the documents once more, one of them at a new revision: how long all of it took, and each step.
    pub(super) async fn apply(&mut self) -> anyhow::Result<(Duration, Steps)> {
        revise(&mut self.set);
        let before = Steps::read(&self.metrics.render());
        let began = Instant::now();
        self.driver.apply(&self.set).await?;
        let took = began.elapsed();
        Ok((took, Steps::read(&self.metrics.render()).since(&before)))
    }

    /// The state folder.
    pub(super) fn root(&self) -> &Path {
        self.root.path()
    }

    /// Where it listens.
    pub(super) fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// What identifies the set that serves.
    pub(super) fn digest(&self) -> Digest {
        self.set.digest
    }
}

/// A set of these documents, each at a revision of its own.
fn first(documents: Vec<IngressConfig>) -> EffectiveSet {
    let revisions =
        documents.iter().zip(1..).map(|(document, revision)| (document.name().clone(), revision.into()));
    let mut set = EffectiveSet {
        digest: Digest::empty_set(),
        revision: Revision::default(),
        store_id: StoreId::new(),
        revisions: revisions.collect(),
        documents: documents.into_iter().map(Arc::new).collect(),
    };
    set.documents.sort_by(|one, other| one.name().cmp(other.name()));
    revise(&mut set);
    set
}

/// Gives the first document a new revision.
fn revise(set: &mut EffectiveSet) {
    let newest = set.revisions.values().map(|revision| revision.get()).max().unwrap_or_default();
    set.revision = (newest + 1).into();
    if let Some(mut first) = set.revisions.first_entry() {
        first.insert(set.revision);
    }
    set.digest = Digest::of_set(set.revisions.iter().map(|(name, revision)| (name, *revision)));
}
