//! `/v1/rollouts`: what became of each push.

use super::problem::ApiError;
use crate::controller::Controller;
use axum::{
    Json,
    extract::{Path, Query, State},
};
use bellwether_ingress::TimeSpan;
use bellwether_proto::{RolloutId, http::RolloutView};
use serde::Deserialize;
use std::{sync::Arc, time::Duration};

/// The longest wait of one request.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// How many rollouts a list shows.
const LISTED: usize = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Options {
    wait: Option<TimeSpan>,
}

/// `GET /v1/rollouts`: the newest first, without their failures.
pub(super) async fn list(
    State(controller): State<Arc<Controller>>,
) -> Result<Json<Vec<RolloutView>>, ApiError> {
    Ok(Json(controller.store.rollouts(LISTED).await?))
}

/// `GET /v1/rollouts/{id}?wait=10s`: as it stands once it is done, or after the wait.
pub(super) async fn show(
    State(controller): State<Arc<Controller>>,
    Path(id): Path<String>,
    Query(options): Query<Options>,
) -> Result<Json<RolloutView>, ApiError> {
    let id: RolloutId = id.parse().map_err(|_| ApiError::not_found("there is no rollout of this id"))?;
    let wait = options.wait.map_or(Duration::ZERO, TimeSpan::as_duration).min(LONGEST_WAIT);
    Ok(Json(controller.rollouts.wait(id, wait).await?))
}
