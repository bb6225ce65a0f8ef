//! `/v1/agents`: who is there, and what they serve.

use super::problem::ApiError;
use crate::{
    controller::Controller,
    desired::Desired,
    registry::{AgentEntry, Presence},
};
use axum::{Json, extract::State};
use bellwether_proto::http::{AgentState, AgentView};
use std::sync::Arc;

/// `GET /v1/agents`
pub(super) async fn list(
    State(controller): State<Arc<Controller>>,
) -> Result<Json<Vec<AgentView>>, ApiError> {
    let agents = controller.registry.list().await?;
    let mut desired = Desired::new(controller.store.snapshot().await?);
    Ok(Json(agents.into_iter().map(|agent| view(agent, &mut desired)).collect()))
}

fn view(agent: AgentEntry, desired: &mut Desired) -> AgentView {
    let AgentEntry { record, presence, last_seen_age, conflict } = agent;
    AgentView {
        converged: desired.is_converged(&record.labels, &record.known),
        name: record.name,
        state: match presence {
            Presence::Online => AgentState::Online,
            Presence::Silent => AgentState::Unknown,
            Presence::Offline => AgentState::Offline,
        },
        conflict,
        instance: record.instance,
        version: record.version,
        labels: record.labels,
        last_seen_age_ms: u64::try_from(last_seen_age.as_millis()).unwrap_or(u64::MAX),
        revision: record.known.revision,
        digest: record.known.digest,
        last_error: record.last_error,
    }
}
