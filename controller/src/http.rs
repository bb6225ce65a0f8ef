//! The HTTP API: its route table.

mod access;
mod adopt;
mod agents;
mod configs;
mod count;
mod health;
mod load;
mod metrics;
mod problem;
mod rollouts;
mod status;

use crate::controller::Controller;
use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::StatusCode,
    middleware::{from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use problem::ApiError;
use std::{sync::Arc, time::Duration};
use tokio::sync::Semaphore;
use tower_http::{
    catch_panic::CatchPanicLayer,
    timeout::{RequestBodyTimeoutLayer, TimeoutLayer},
};

/// A request's body: one document.
const BODY_BYTES: usize = bellwether_ingress::limits::MAX_DOCUMENT_BYTES;

/// How long any request may take: longer than the longest wait for a rollout.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(90);

/// How long a client may pause within a request's body.
const BODY_PAUSE: Duration = Duration::from_secs(10);

/// Requests that may be in flight, most of them waiting for rollouts; further ones are refused.
const IN_FLIGHT: usize = 512;

/// The same for those that ask how this replica is: they are answered whatever the others do.
const HEALTH_IN_FLIGHT: usize = 64;

/// The routes, all of them.
pub(crate) fn router(controller: Arc<Controller>) -> Router {
    let open = Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .method_not_allowed_fallback(no_such_method)
        .layer(from_fn_with_state(places(HEALTH_IN_FLIGHT), load::shed));
    let by_key = Router::new()
        .route("/v1/configs", get(configs::list))
        .route("/v1/configs/{name}", get(configs::show).put(configs::put).delete(configs::delete))
        .route("/v1/agents", get(agents::list))
        .route("/v1/agents/{name}", get(agents::show).delete(agents::forget))
        .route("/v1/rollouts", get(rollouts::list))
        .route("/v1/rollouts/{id}", get(rollouts::show))
        .route("/v1/status", get(status::show))
        .route("/v1/adopt", post(adopt::adopt))
        .route("/metrics", get(metrics::show))
        .fallback(no_such_page)
        .method_not_allowed_fallback(no_such_method)
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .layer(RequestBodyTimeoutLayer::new(BODY_PAUSE))
        .layer(from_fn_with_state(places(IN_FLIGHT), load::shed))
        .layer(from_fn_with_state(controller.clone(), access::require_key));
    by_key
        .merge(open)
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, REQUEST_TIMEOUT))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn(count::count))
        .with_state(controller)
}

fn places(requests: usize) -> Arc<Semaphore> {
    Arc::new(Semaphore::new(requests))
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
