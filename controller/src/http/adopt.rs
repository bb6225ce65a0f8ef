//! `/v1/adopt`: an operator says that this store takes the place of the one that the fleet follows.

use super::problem::ApiError;
use crate::controller::Controller;
use axum::{Json, extract::State};
use bellwether_proto::http::AdoptionView;
use std::sync::Arc;

/// `POST /v1/adopt`
pub(super) async fn adopt(State(controller): State<Arc<Controller>>) -> Result<Json<AdoptionView>, ApiError> {
    Ok(Json(controller.adopt().await?))
}
