//! `/v1/agents`: who is there, and what they serve.

use super::problem::ApiError;
use crate::{
    behind::disbelief,
    controller::Controller,
    desired::Desired,
    registry::{AgentEntry, Forgetting, Presence},
};
use axum::{
    Json,
    extract::{Path, State},
};
use bellwether_proto::{
    AgentName,
    http::{AgentDetail, AgentState, AgentView, Forgotten},
};
use std::{sync::Arc, time::Duration};

/// `GET /v1/agents`
pub(super) async fn list(
    State(controller): State<Arc<Controller>>,
) -> Result<Json<Vec<AgentView>>, ApiError> {
    let agents = controller.registry.list().await?;
    let mut desired = Desired::new(controller.store.snapshot().await?);
    Ok(Json(agents.into_iter().map(|agent| view(agent, &mut desired)).collect()))
}

/// `GET /v1/agents/{name}`
pub(super) async fn show(
    State(controller): State<Arc<Controller>>,
    Path(name): Path<String>,
) -> Result<Json<AgentDetail>, ApiError> {
    let name: AgentName = name.parse().map_err(|_| unknown())?;
    let agent = controller.registry.find(&name).await?.ok_or_else(unknown)?;
    let mut desired = Desired::new(controller.store.snapshot().await?);
    Ok(Json(AgentDetail {
        generation: agent.record.generation,
        store_id: agent.record.known.store_id,
        desired_digest: desired.digest(&agent.record.labels),
        desired: desired.documents(&agent.record.labels),
        agent: view(agent, &mut desired),
    }))
}

/// `DELETE /v1/agents/{name}`
pub(super) async fn forget(
    State(controller): State<Arc<Controller>>,
    Path(name): Path<String>,
) -> Result<Json<Forgotten>, ApiError> {
    let name: AgentName = name.parse().map_err(|_| unknown())?;
    match controller.registry.forget(&name).await? {
        Forgetting::Done => {
            tracing::info!(agent = %name, "forgotten, because an operator said so");
            Ok(Json(Forgotten { forgotten: name }))
        }
        Forgetting::StillThere(presence) => {
            let state = state(presence);
            Err(ApiError::conflict(format!(
                "{name} is {state}: only an agent that is offline can be forgotten"
            )))
        }
        Forgetting::Unknown => Err(unknown()),
    }
}

fn unknown() -> ApiError {
    ApiError::not_found("there is no agent of this name")
}

fn view(agent: AgentEntry, desired: &mut Desired) -> AgentView {
    let AgentEntry { record, presence, last_seen_age, conflict } = agent;
    AgentView {
        converged: desired.is_converged(&record.labels, &record.known),
        last_error: disbelief(&record.known, desired.head()).or(record.last_error),
        name: record.name,
        state: state(presence),
        conflict,
        instance: record.instance,
        version: record.version,
        labels: record.labels,
        last_seen_age_ms: milliseconds(last_seen_age),
        revision: record.known.revision,
        digest: record.known.digest,
    }
}

fn state(presence: Presence) -> AgentState {
    match presence {
        Presence::Online => AgentState::Online,
        Presence::Silent => AgentState::Unknown,
        Presence::Offline => AgentState::Offline,
    }
}

pub(super) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
