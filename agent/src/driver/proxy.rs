//! What has to be known of one kind of proxy to have it serve a set.

use super::{EffectiveSet, Failure, Listening, Staged, StagedFile};
use async_trait::async_trait;
use bellwether_ingress::ConfigName;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    time::Duration,
};
use tokio::sync::watch;

/// How one kind of proxy does each step. [`super::ProxyDriver`] calls them in order, each within its limit.
#[async_trait]
pub trait Proxy: Send + Sync + 'static {
    /// How long each step may take.
    fn limits(&self) -> Limits;

    /// The files of a set, as they will stand in `folder`. It is called beside the runtime, so it may read files.
    ///
    /// # Errors
    /// Which documents cannot be written.
    fn render(
        &self,
        set: &EffectiveSet,
        folder: &Path,
        serving: Option<&Staged>,
    ) -> Result<Rendered, Failure>;

    /// Has the proxy's own checker judge a staged set, and whatever else would keep it from serving.
    ///
    /// # Errors
    /// What is wrong with it.
    async fn check(&self, staged: &Staged, serving: Option<&Staged>) -> Result<(), Failure>;

    /// Has the proxy load what `current` points to.
    ///
    /// # Errors
    /// When it says no, or nothing.
    async fn reload(&self, staged: &Staged) -> Result<(), Failure>;

    /// Sees the set serve.
    ///
    /// # Errors
    /// What is seen instead.
    async fn verify(&self, staged: &Staged) -> Result<(), Failure>;

    /// Whether the set is seen to serve without anything being done for it.
    async fn serves(&self, staged: &Staged) -> bool;

    /// Brings a set to serve by whatever means there are, when a reload did not.
    ///
    /// # Errors
    /// Why it does not serve.
    async fn revive(&self, staged: &Staged) -> Result<(), Failure>;

    /// What is wrong with the proxy while nothing is applied.
    fn trouble(&self) -> Option<watch::Receiver<Option<String>>> {
        None
    }

    /// There is no set to serve any more.
    async fn unload(&self) {}

    /// The agent ends.
    async fn close(&self) {}
}

/// What rendering a set brings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rendered {
    /// Its files.
    pub files: Vec<StagedFile>,
    /// Where it listens, and for which documents.
    pub listeners: Vec<Listening>,
    /// The files that documents need for themselves, such as certificates.
    pub needs: BTreeMap<ConfigName, BTreeSet<String>>,
}

/// How long each step may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// To write the set in the proxy's language.
    pub render: Duration,
    /// To put it on disk.
    pub stage: Duration,
    /// To check it.
    pub check: Duration,
    /// To put it in the place of the set before.
    pub swap: Duration,
    /// To load it.
    pub reload: Duration,
    /// To see it serve.
    pub verify: Duration,
}

impl Default for Limits {
    /// 30 s to check and to reload; 10 s for every other step.
    fn default() -> Self {
        let (long, short) = (Duration::from_secs(30), Duration::from_secs(10));
        Self { render: short, stage: short, check: long, swap: short, reload: long, verify: short }
    }
}
