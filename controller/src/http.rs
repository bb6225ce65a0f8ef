//! The HTTP API: its route table.

mod agents;
mod configs;
mod health;
mod problem;
mod rollouts;

use crate::controller::Controller;
use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, put},
};
use problem::ApiError;
use std::{sync::Arc, time::Duration};
use tower_http::{catch_panic::CatchPanicLayer, timeout::TimeoutLayer};

/// A request's body: one document.
const BODY_BYTES: usize = bellwether_ingress::limits::MAX_DOCUMENT_BYTES;

/// How long any request may take: longer than the longest wait for a rollout.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(90);

/// The routes, all of them.
pub(crate) fn router(controller: Arc<Controller>) -> Router {
    Router::new()
        .route("/v1/configs", get(configs::list))
        .route("/v1/configs/{name}", put(configs::put).delete(configs::delete))
        .route("/v1/agents", get(agents::list))
        .route("/v1/rollouts", get(rollouts::list))
        .route("/v1/rollouts/{id}", get(rollouts::show))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .fallback(no_such_page)
        .method_not_allowed_fallback(no_such_method)
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, REQUEST_TIMEOUT))
        .layer(CatchPanicLayer::custom(panicked))
        .with_state(controller)
}

async fn no_such_page() -> ApiError {
    ApiError::not_found("there is nothing at this path; the API is under /v1/")
}

async fn no_such_method() -> ApiError {
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "this path does not know this method")
}

/// The panic's own message may hold anything, so it is not shown.
fn panicked(_panic: Box<dyn std::any::Any + Send>) -> Response {
    tracing::error!("a request's handler panicked");
    ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "a defect of the controller; its log has more")
        .into_response()
}
