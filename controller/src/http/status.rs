//! `/v1/status`: how the fleet as a whole stands.

use super::{agents::milliseconds, problem::ApiError};
use crate::{
    behind::Behind,
    controller::Controller,
    desired::Desired,
    registry::{AgentEntry, Presence, Replica},
    store::{Snapshot, StoredConfig},
};
use axum::{Json, extract::State};
use bellwether_proto::http::{AgentCounts, ConfigStatus, ControllerView, StatusView};
use std::sync::Arc;
use tokio::time::Instant;

/// `GET /v1/status`
pub(super) async fn show(State(controller): State<Arc<Controller>>) -> Result<Json<StatusView>, ApiError> {
    let agents = controller.registry.list().await?;
    let snapshot = controller.store.snapshot().await?;
    let replicas = controller.registry.replicas().await?;
    let agents = Judged::all(agents, snapshot.clone());
    let behind = Behind::of(&snapshot.head, agents.iter().map(|agent| &agent.entry));
    let there = agents.iter().filter(|agent| agent.entry.presence != Presence::Offline);
    Ok(Json(StatusView {
        fleet: controller.settings.fleet.clone(),
        store_id: snapshot.head.store_id,
        revision: snapshot.head.revision,
        store_behind_fleet: behind.is_some(),
        reason: behind.as_ref().map(ToString::to_string),
        highest_reported_revision: behind.map(|behind| behind.highest),
        agents: counts(&agents),
        converged: agents.iter().filter(|agent| agent.converged).count(),
        beat_interval_ms: milliseconds(controller.pace.interval()),
        time_to_live_ms: milliseconds(controller.pace.time_to_live(Instant::now())),
        oldest_beat_age_ms: there.map(|agent| milliseconds(agent.entry.last_seen_age)).max(),
        configs: configs(&snapshot, &agents),
        controllers: replicas.into_iter().map(controller_view).collect(),
    }))
}

/// An agent, and whether it serves what it should.
struct Judged {
    entry: AgentEntry,
    converged: bool,
}

impl Judged {
    fn all(agents: Vec<AgentEntry>, snapshot: Arc<Snapshot>) -> Vec<Self> {
        let mut desired = Desired::new(snapshot);
        let judge = |entry: AgentEntry| {
            let converged = desired.is_converged(&entry.record.labels, &entry.record.known);
            Self { entry, converged }
        };
        agents.into_iter().map(judge).collect()
    }
}

fn counts(agents: &[Judged]) -> AgentCounts {
    let mut counts = AgentCounts::default();
    for agent in agents {
        match agent.entry.presence {
            Presence::Online => counts.online += 1,
            Presence::Silent => counts.unknown += 1,
            Presence::Offline => counts.offline += 1,
        }
    }
    counts
}

fn configs(snapshot: &Snapshot, agents: &[Judged]) -> Vec<ConfigStatus> {
    snapshot.configs.iter().map(|stored| config(stored, agents)).collect()
}

fn config(stored: &StoredConfig, agents: &[Judged]) -> ConfigStatus {
    let selector = stored.config.selector();
    let mut status = ConfigStatus {
        name: stored.config.name().clone(),
        revision: stored.revision,
        converged: 0,
        agents: 0,
    };
    for agent in agents.iter().filter(|agent| selector.matches(&agent.entry.record.labels)) {
        status.agents += 1;
        status.converged += usize::from(agent.converged);
    }
    status
}

fn controller_view(replica: Replica) -> ControllerView {
    let Replica { instance, version, listening_since } = replica;
    ControllerView { instance, version, listening_since: listening_since.and_then(rfc_3339) }
}

fn rfc_3339(milliseconds_since_1970: u64) -> Option<String> {
    let milliseconds = i64::try_from(milliseconds_since_1970).ok()?;
    jiff::Timestamp::from_millisecond(milliseconds).ok().map(|moment| format!("{moment:.3}"))
}
