//! What an agent makes a proxy serve, and the ways in which that can fail.

mod command;
pub mod file;

pub use command::Hook;

use async_trait::async_trait;
use bellwether_ingress::{Digest, IngressConfig, Revision};
use bellwether_proto::StoreId;
use std::{fmt, sync::Arc};

/// Makes one proxy serve a set of documents. One task owns it, so it is never called twice at a time.
#[async_trait]
pub trait Driver: Send + 'static {
    /// Makes the proxy serve `set`, and returns once it is seen to.
    ///
    /// It renders the set, stages the result beside what serves, has it checked, swaps it in, has it loaded and
    /// verifies that it serves. The same set may be given again: after a restart nothing is known of the proxy.
    ///
    /// # Errors
    /// Which of these steps failed. Whatever failed, the set before it serves again, or the error says that it could
    /// not be brought back. A future that is dropped leaves no program behind.
    async fn apply(&mut self, set: &EffectiveSet) -> Result<(), ApplyError>;
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
}

impl fmt::Debug for EffectiveSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EffectiveSet")
            .field("digest", &self.digest)
            .field("revision", &self.revision)
            .field("store_id", &self.store_id)
            .field("documents", &self.documents.len())
            .finish()
    }
}

/// Which step of applying a set failed, and in what words. All but [`ApplyError::Failed`] are refusals of the set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError {
    /// The set cannot be written in the proxy's language.
    #[error("render: {0}")]
    Render(String),
    /// What was written cannot be staged.
    #[error("stage: {0}")]
    Stage(String),
    /// The proxy's checker refuses it.
    #[error("check: {0}")]
    Check(String),
    /// It cannot be put in the place of the set before.
    #[error("swap: {0}")]
    Swap(String),
    /// The proxy does not load it.
    #[error("reload: {0}")]
    Reload(String),
    /// The proxy says that it has loaded it, and does not serve it.
    #[error("verify: {0}")]
    Verify(String),
    /// Trouble of our own, such as a full disk, that says nothing about the set.
    #[error("failed: {0}")]
    Failed(String),
}

impl ApplyError {
    /// Whether the set was refused, rather than never judged.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        !matches!(self, Self::Failed(_))
    }

    /// The failed step's name, as metrics have it.
    #[must_use]
    pub fn step(&self) -> &'static str {
        match self {
            Self::Render(_) => "render",
            Self::Stage(_) => "stage",
            Self::Check(_) => "check",
            Self::Swap(_) => "swap",
            Self::Reload(_) => "reload",
            Self::Verify(_) => "verify",
            Self::Failed(_) => "failed",
        }
    }
}
