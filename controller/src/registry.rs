//! Who is online: the record that all controllers of a fleet share.

mod event_id;
pub mod memory;
pub mod redis;
mod timed;

pub(crate) use timed::TimedRegistry;

use async_trait::async_trait;
use bellwether_ingress::Labels;
use bellwether_proto::{AgentName, Known, controller::Beat};
use bellwether_rpc::{Generation, Instance};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// For how long late beats of a process that said goodbye are ignored.
pub const GONE_FOR: Duration = Duration::from_secs(10);

/// How far clocks may differ: an instance that was made further ahead of the registry's clock counts as older than any
/// that was not. Else a process with a wrong clock, or a hostile one, would keep its name from every later process.
pub const CLOCKS_DIFFER: Duration = Duration::from_secs(5 * 60);

/// How many events are kept, about.
pub const EVENTS_KEPT: usize = 10_000;

/// What is known of an agent from its last beat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentRecord {
    /// Its name.
    pub name: AgentName,
    /// Its process.
    pub instance: Instance,
    /// Which connection of that process.
    pub generation: Generation,
    /// Its version.
    pub version: String,
    /// Its labels.
    #[serde(default)]
    pub labels: Labels,
    /// What it has taken and serves.
    #[serde(flatten)]
    pub known: Known,
    /// Why it does not serve what it should, if it said so.
    #[serde(default)]
    pub last_error: Option<String>,
}

impl From<Beat> for AgentRecord {
    fn from(beat: Beat) -> Self {
        let Beat { name, instance, generation, version, labels, known, last_error } = beat;
        Self { name, instance, generation, version, labels, known, last_error }
    }
}

/// Whether an agent is there, as the shared record has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// A beat was recorded within the time to live.
    Online,
    /// Its last beat has outlived the time to live, and nobody has called it offline yet.
    Silent,
    /// It said goodbye, or was called offline.
    Offline,
}

/// One agent of the listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentEntry {
    /// Its last record.
    pub record: AgentRecord,
    /// Whether it is there.
    pub presence: Presence,
    /// How long ago its last beat was recorded.
    pub last_seen_age: Duration,
    /// Whether an older process of the same name beats too.
    pub conflict: bool,
}

/// What became of a beat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// The agent is online until the time to live has passed.
    Online,
    /// A newer process of the same name beats: the record stays as it is, and shows the conflict.
    Conflict,
    /// This process has said goodbye: the beat is late, and ignored.
    Gone,
}

/// What became of forgetting an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forgetting {
    /// It was offline, and is known no more.
    Done,
    /// It is not offline, but this: it stays.
    StillThere(Presence),
    /// Nobody of this name is known.
    Unknown,
}

/// The event of an agent that came online.
pub const ONLINE: &str = "agent.online";
/// The event of an agent that went offline.
pub const OFFLINE: &str = "agent.offline";

/// What happened to an agent: an entry in the fleet's bounded list of events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// `<milliseconds>-<sequence>`: later ones are greater.
    pub id: String,
    /// `agent.online`, `agent.offline`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The agent.
    pub agent: AgentName,
    /// Its process.
    pub instance: Instance,
    /// When, in milliseconds since 1970, by the registry's clock.
    pub at: u64,
}

/// A controller that listens to beats.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replica {
    /// Its process.
    pub instance: Instance,
    /// Its version.
    pub version: String,
    /// Since when it has heard beats without a gap, in milliseconds since 1970; none while it is blind.
    pub listening_since: Option<u64>,
}

/// Why the registry did not answer. The text has host and cause, and no secrets.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the registry: {0}")]
pub struct RegistryError(pub String);

/// The record of who is online. No operation costs a round trip for each agent: beats and verdicts go in one, a
/// listing takes one for some hundreds. An operation that failed may have been carried out all the same.
#[async_trait]
pub trait Registry: Send + Sync + 'static {
    /// Records beats, in order, atomically for each: online for `ttl` from now. One verdict a beat. Of two processes of
    /// one name the newer counts, where one from the future ([`CLOCKS_DIFFER`]) is older than any other.
    async fn record(&self, beats: &[AgentRecord], ttl: Duration) -> Result<Vec<Recorded>, RegistryError>;

    /// The agent stops on purpose: offline at once, with its event, if `instance` is the one on record; late beats of
    /// that instance are ignored for ten seconds. Says whether it went offline by this.
    async fn goodbye(&self, name: &AgentName, instance: Instance) -> Result<bool, RegistryError>;

    /// Every agent that is known, by name, offline ones too.
    async fn list(&self) -> Result<Vec<AgentEntry>, RegistryError>;

    /// How many agents nobody has called offline: cheap, asked every second.
    async fn count_there(&self) -> Result<usize, RegistryError>;

    /// Some hundreds of the agents that are known, as the listing has them: the first with the cursor 0, the next with
    /// the cursor that came with them, the last when that is 0. Whoever is known throughout is among them.
    async fn list_some(&self, cursor: u64) -> Result<(Vec<AgentEntry>, u64), RegistryError>;

    /// The agent of this name, as the listing has it; none if it is not known.
    async fn find(&self, name: &AgentName) -> Result<Option<AgentEntry>, RegistryError>;

    /// Forgets an agent, if it is offline; no beat of it races that. On its next beat it is known again.
    async fn forget(&self, name: &AgentName) -> Result<Forgetting, RegistryError>;

    /// Agents whose last beat has outlived its time to live, that nobody has called offline, and that are no replica's
    /// suspects: at most `limit`, the longest silent first.
    async fn silent(&self, limit: usize) -> Result<Vec<AgentName>, RegistryError>;

    /// Makes suspects of those that are silent: for this long they are the caller's alone to ask. Returns them.
    async fn suspect(&self, names: &[AgentName], hold: Duration) -> Result<Vec<AgentName>, RegistryError>;

    /// These processes have answered without a beat. Those that are silent are online for `ttl` from now, by their last
    /// beat's record; returns them. A process that has never beaten is not known by its answer.
    async fn vouch(
        &self,
        answered: &[(AgentName, Instance)],
        ttl: Duration,
    ) -> Result<Vec<AgentName>, RegistryError>;

    /// Calls these agents offline, each only if no beat of it is alive; returns those that this very call took offline.
    /// Over all replicas each is returned at most once, and gets exactly one event: if the answer is lost on its way, the
    /// event tells.
    async fn take_offline(&self, names: &[AgentName]) -> Result<Vec<AgentName>, RegistryError>;

    /// Forgets agents that have been offline for longer than `after`; returns how many.
    async fn forget_offline(&self, after: Duration) -> Result<usize, RegistryError>;

    /// Says that this controller is there, for `ttl`.
    async fn announce(&self, replica: &Replica, ttl: Duration) -> Result<(), RegistryError>;

    /// This controller stops on purpose: it is there no more.
    async fn withdraw(&self, instance: Instance) -> Result<(), RegistryError>;

    /// The controllers that are there.
    async fn replicas(&self) -> Result<Vec<Replica>, RegistryError>;

    /// Events after `after` (an id; all that are kept when none), oldest first, at most `limit`.
    async fn events(&self, after: Option<&str>, limit: usize) -> Result<Vec<Event>, RegistryError>;

    /// Names the registry's own life: when it changes, the registry was restarted, and silence proves nothing.
    async fn epoch(&self) -> Result<String, RegistryError>;
}
