//! Refuses requests while too many are in flight.

use super::problem::ApiError;
use axum::{
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header::RETRY_AFTER},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Answers 503 when every one of `places` is taken.
pub(super) async fn shed(State(places): State<Arc<Semaphore>>, request: Request, next: Next) -> Response {
    match places.try_acquire() {
        Ok(_place) => next.run(request).await,
        Err(_) => overloaded(),
    }
}

fn overloaded() -> Response {
    let detail = "too many requests are in flight; try again in a second";
    let mut response = ApiError::new(StatusCode::SERVICE_UNAVAILABLE, detail).into_response();
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{Router, body::Body, middleware::from_fn_with_state, routing::get};
    use tower::ServiceExt;

    #[tokio::test]
    async fn who_finds_no_place_is_told_when_to_come_back_and_a_place_is_free_after_its_request() {
        let places = Arc::new(Semaphore::new(1));
        let router =
            Router::new().route("/", get(|| async {})).layer(from_fn_with_state(places.clone(), shed));
        let ask = async || {
            let request = Request::new(Body::empty());
            router.clone().oneshot(request).await.unwrap_or_else(|never| match never {})
        };
        let taken = places.acquire().await.unwrap();
        let refused = ask().await;
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(refused.headers()[RETRY_AFTER], "1");
        drop(taken);
        for _ in 0..2 {
            assert_eq!(ask().await.status(), StatusCode::OK);
        }
    }
}
