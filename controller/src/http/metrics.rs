//! `/metrics`: what this process has measured.

use super::problem::ApiError;
use crate::controller::Controller;
use axum::{
    extract::State,
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
};
use bellwether_program::metrics;
use std::sync::Arc;

/// `GET /metrics`, in Prometheus' text format.
pub(super) async fn show(State(controller): State<Arc<Controller>>) -> Result<Response, ApiError> {
    let kept = controller.settings.metrics.as_ref();
    let kept = kept.ok_or_else(|| ApiError::not_found("this process keeps no metrics"))?;
    Ok(([(CONTENT_TYPE, metrics::CONTENT_TYPE)], kept.render()).into_response())
}
