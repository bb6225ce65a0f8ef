//! Which step of applying a set failed, in what words, and whose fault it is.

use bellwether_ingress::ConfigName;
use std::{fmt, io};

/// One step of applying a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// The set is written in the proxy's language.
    Render,
    /// What was written is put on disk, beside what serves.
    Stage,
    /// The proxy's own checker judges it.
    Check,
    /// It takes the place of the set before.
    Swap,
    /// The proxy loads it.
    Reload,
    /// It is seen to serve.
    Verify,
}

impl Step {
    /// Its name, as metrics have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Render => "render",
            Self::Stage => "stage",
            Self::Check => "check",
            Self::Swap => "swap",
            Self::Reload => "reload",
            Self::Verify => "verify",
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Whose fault a failure is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Blame {
    /// These documents'; without them the others can be tried again.
    Documents(Vec<Refused>),
    /// The set's; which of its documents is at fault is not known.
    Set,
    /// The proxy's: it is dead, or does not answer, whatever the set.
    Proxy,
    /// The node's: its disk, say. The set was not judged.
    Node,
}

/// A document that is refused by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The document.
    pub document: ConfigName,
    /// Why.
    pub words: String,
}

/// Why a step failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What happened, in the proxy's own words where it has any.
    pub words: String,
    /// Whose fault it is.
    pub blame: Blame,
}

impl Failure {
    /// The set's fault.
    pub fn of_set(words: impl Into<String>) -> Self {
        Self { words: words.into(), blame: Blame::Set }
    }

    /// The proxy's fault.
    pub fn of_proxy(words: impl Into<String>) -> Self {
        Self { words: words.into(), blame: Blame::Proxy }
    }

    /// The fault of documents that are known by name; the words name each.
    #[must_use]
    pub fn of_documents(refused: Vec<Refused>) -> Self {
        let words: Vec<_> = refused.iter().map(|it| format!("{}: {}", it.document, it.words)).collect();
        Self { words: words.join("; "), blame: Blame::Documents(refused) }
    }

    /// The step that failed by it.
    #[must_use]
    pub fn at(self, step: Step) -> ApplyError {
        ApplyError { step, words: self.words, blame: self.blame }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self { words: error.to_string(), blame: Blame::Node }
    }
}

/// A set that does not serve: which step failed, why, and whose fault it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{step}: {words}")]
pub struct ApplyError {
    /// The step.
    pub step: Step,
    /// What happened.
    pub words: String,
    /// Whose fault it is.
    pub blame: Blame,
}

impl ApplyError {
    /// Whether the set, or a part of it, was judged and refused.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(self.blame, Blame::Documents(_) | Blame::Set)
    }

    /// The same of one document alone.
    #[must_use]
    pub fn about(&self, refused: &Refused) -> Self {
        Self { step: self.step, words: refused.words.clone(), blame: Blame::Documents(vec![refused.clone()]) }
    }
}
