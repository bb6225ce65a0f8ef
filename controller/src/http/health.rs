//! `/healthz` and `/readyz`: whether the process lives, and whether it can do its work.

use crate::{controller::Controller, readiness::readiness};
use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use std::sync::Arc;

/// `GET /healthz`: the process lives.
pub(super) async fn alive() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: 200 when everything that it needs is there, else 503; the reasons either way.
pub(super) async fn ready(State(controller): State<Arc<Controller>>) -> Response {
    let readiness = readiness(&controller).await;
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(readiness)).into_response()
}
