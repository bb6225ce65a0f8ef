//! The JSON bodies of the HTTP API, which the command prints as they are: stable, snake_case.

mod status;

pub use status::{AdoptionView, AgentCounts, ConfigStatus, ControllerView, StatusView};

use crate::{AgentName, RolloutId, StoreId};
use bellwether_ingress::{ConfigName, Digest, IngressConfig, Labels, Revision};
use bellwether_rpc::{Generation, Instance};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt};

/// Whether an agent is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentState {
    /// It beats.
    Online,
    /// It said goodbye, or fell silent while somebody listened.
    Offline,
    /// It is silent, and nobody can say why yet.
    Unknown,
}

impl fmt::Display for AgentState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Online => "online",
            Self::Offline => "offline",
            Self::Unknown => "unknown",
        })
    }
}

/// One agent, as `GET /v1/agents` lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentView {
    /// Its name.
    pub name: AgentName,
    /// Whether it is there.
    pub state: AgentState,
    /// Whether an older process of the same name beats too.
    pub conflict: bool,
    /// Its process.
    pub instance: Instance,
    /// Its version.
    pub version: String,
    /// Its labels.
    pub labels: Labels,
    /// How long ago its last beat was recorded, in milliseconds.
    pub last_seen_age_ms: u64,
    /// The highest revision that it has taken.
    pub revision: Revision,
    /// The digest of the set that it serves.
    pub digest: Digest,
    /// Whether that is what it should serve.
    pub converged: bool,
    /// Why it does not serve what it should, if it said so.
    pub last_error: Option<String>,
}

/// One agent with all that is known of it, as `GET /v1/agents/{name}` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentDetail {
    /// As in the list.
    #[serde(flatten)]
    pub agent: AgentView,
    /// Which connection of its process.
    pub generation: Generation,
    /// The store that it follows; none before its first set.
    pub store_id: Option<StoreId>,
    /// The digest of the set that it should serve.
    pub desired_digest: Digest,
    /// The documents of that set, by name.
    pub desired: Vec<ConfigAt>,
}

/// A document's name at a revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigAt {
    /// The document.
    pub name: ConfigName,
    /// The revision at which the store took it.
    pub revision: Revision,
}

/// An agent that was forgotten, as the answer to `DELETE /v1/agents/{name}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forgotten {
    /// Its name.
    pub forgotten: AgentName,
}

/// One document, as `GET /v1/configs` lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigView {
    /// Its name.
    pub name: ConfigName,
    /// The revision at which the store took it.
    pub revision: Revision,
    /// SHA-256 of its canonical JSON.
    pub digest: Digest,
    /// Who sent it.
    pub author: String,
    /// When, in RFC 3339.
    pub updated_at: String,
}

/// One document with its record, as `GET /v1/configs/{name}` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigDetail {
    /// As in the list.
    #[serde(flatten)]
    pub record: ConfigView,
    /// The document, in its canonical form.
    pub config: IngressConfig,
}

/// How one target of a rollout ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It serves the document.
    Applied,
    /// It refused the document; the last good set serves.
    Rejected,
    /// Something newer has taken the document's place.
    Superseded,
    /// It could not deal with it.
    Failed,
    /// Nobody was at its address.
    Unroutable,
    /// It did not answer in time; it may still apply it.
    TimedOut,
    /// The connection was lost before its answer; it may have applied it.
    Lost,
    /// It went offline during the push.
    Offline,
}

impl Verdict {
    /// Every verdict, in the order in which tables show them.
    pub const ALL: [Self; 8] = [
        Self::Applied,
        Self::Rejected,
        Self::Superseded,
        Self::Failed,
        Self::Unroutable,
        Self::TimedOut,
        Self::Lost,
        Self::Offline,
    ];

    /// The name, as in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Rejected => "rejected",
            Self::Superseded => "superseded",
            Self::Failed => "failed",
            Self::Unroutable => "unroutable",
            Self::TimedOut => "timed_out",
            Self::Lost => "lost",
            Self::Offline => "offline",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether a rollout still waits for verdicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RolloutState {
    /// Some targets have no verdict yet.
    Running,
    /// Every target has its verdict.
    Done,
}

/// One push or delete: who was meant, and what became of each. `failures` is left out of lists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RolloutView {
    /// Its id.
    pub rollout: RolloutId,
    /// The document.
    pub config: ConfigName,
    /// The revision that the store gave it.
    pub revision: Revision,
    /// The digest of the document; none for a delete.
    pub digest: Option<Digest>,
    /// Whether it still waits for verdicts.
    pub state: RolloutState,
    /// How many agents were meant.
    pub targets: usize,
    /// How many ended how; once it is done they add up to `targets`.
    pub verdicts: BTreeMap<Verdict, usize>,
    /// Every target that does not serve it, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failures: Option<Vec<Failure>>,
    /// Agents that were chosen and known to be offline: they take it on return.
    pub absent: Vec<AgentName>,
    /// How long it took so far, in milliseconds.
    pub elapsed_ms: u64,
}

impl RolloutView {
    /// How many ended this way.
    #[must_use]
    pub fn count(&self, verdict: Verdict) -> usize {
        self.verdicts.get(&verdict).copied().unwrap_or_default()
    }
}

/// A target that does not serve what was pushed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The agent.
    pub agent: AgentName,
    /// How it ended.
    pub verdict: Verdict,
    /// Why, in its own words where it had any.
    pub reason: String,
}

/// An error, as `application/problem+json` (RFC 9457).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The HTTP status.
    pub status: u16,
    /// What kind of error, in a few words.
    pub title: String,
    /// What went wrong here, and what to do.
    #[serde(default)]
    pub detail: String,
    /// The fields of the document that are at fault, when it is one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}

/// A field that is at fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// Where: `spec.rules[0].host`.
    pub path: String,
    /// The line in the document, from 1, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The column in that line, from 1, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
    /// What is wrong.
    pub message: String,
}

/// Whether a controller is ready, as `/readyz` says it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Readiness {
    /// Whether it is: everything below is.
    pub ready: bool,
    /// The controller's process.
    pub instance: Instance,
    /// Each thing it needs, with the reason where it is not there.
    pub checks: BTreeMap<String, Check>,
}

/// One thing that a controller needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Whether it is there.
    pub ok: bool,
    /// How it stands, with host and cause.
    pub detail: String,
}
