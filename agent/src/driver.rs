//! What an agent makes a proxy serve, and the steps by which that comes about.

mod command;
mod failure;
pub mod file;
mod folders;
pub mod haproxy;
mod proxy;
mod record;
mod steps;

pub use command::Hook;
pub use failure::{ApplyError, Blame, Failure, Refused, Step};
pub use folders::{Staged, StagedFile};
pub use proxy::{Limits, Proxy, Rendered};
pub use record::{Listening, Record};
pub use steps::ProxyDriver;

use async_trait::async_trait;
use bellwether_ingress::{ConfigName, Digest, IngressConfig, Revision};
use bellwether_proto::StoreId;
use std::{collections::BTreeMap, fmt, sync::Arc};
use tokio::sync::watch;

/// Makes one proxy serve a set of documents. One task owns it, so it is never called twice at a time.
///
/// [`ProxyDriver`] is the one there is: it takes the steps that all proxies have in common, and each [`Proxy`] says
/// how it does them.
#[async_trait]
pub trait Driver: Send + 'static {
    /// Brings the proxy to its last good set, before anything else is asked for: what an agent that was killed left
    /// half done is finished or taken back.
    ///
    /// # Errors
    /// When the last good set does not serve.
    async fn recover(&mut self) -> Result<(), ApplyError> {
        Ok(())
    }

    /// Makes the proxy serve `set`, and returns once it is seen to.
    ///
    /// It renders the set, stages the result beside what serves, has it checked, swaps it in, has it loaded and
    /// verifies that it serves. The same set may be given again: after a restart nothing is known of the proxy.
    ///
    /// # Errors
    /// Which of these steps failed. Whatever failed, the set before it serves again, or the error says that it could
    /// not be brought back. A future that is dropped leaves no program behind, but for the proxy.
    async fn apply(&mut self, set: &EffectiveSet) -> Result<(), ApplyError>;

    /// What is wrong with the proxy while nothing is applied, such as that it has died.
    fn trouble(&self) -> Option<watch::Receiver<Option<String>>> {
        None
    }

    /// The agent ends. The proxy does not, unless an operator wants it to.
    async fn close(&mut self) {}
}

/// All that a proxy should serve. Equal sets render to equal bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct EffectiveSet {
    /// What identifies the set.
    pub digest: Digest,
    /// The highest revision taken of the store.
    pub revision: Revision,
    /// The store that it comes from.
    pub store_id: StoreId,
    /// The documents, sorted by name.
    pub documents: Vec<Arc<IngressConfig>>,
    /// The revision of each document.
    pub revisions: BTreeMap<ConfigName, Revision>,
}

impl EffectiveSet {
    /// The documents, those that were there first before the others.
    pub fn by_age(&self) -> impl Iterator<Item = &IngressConfig> {
        let mut documents: Vec<_> = self.documents.iter().map(Arc::as_ref).collect();
        documents.sort_by_key(|document| self.revisions.get(document.name()));
        documents.into_iter()
    }
}

impl fmt::Debug for EffectiveSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EffectiveSet")
            .field("digest", &self.digest)
            .field("revision", &self.revision)
            .field("store_id", &self.store_id)
            .field("documents", &self.documents.len())
            .finish_non_exhaustive()
    }
}
