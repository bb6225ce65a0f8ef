//! Lets in whoever has a key, where keys are asked for.

use super::problem::ApiError;
use crate::{Access, controller::Controller};
use axum::{
    extract::{Request, State},
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{AUTHORIZATION, WWW_AUTHENTICATE},
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::sync::Arc;

/// Answers 401 to whoever has no key, before anything of the request is looked at.
pub(super) async fn require_key(
    State(controller): State<Arc<Controller>>,
    request: Request,
    next: Next,
) -> Response {
    let Access::Keys(keys) = &controller.settings.access else { return next.run(request).await };
    match bearer(request.headers()) {
        Some(key) if keys.admit(key) => next.run(request).await,
        Some(_) => refused("this API key is none of those that open this controller"),
        None => refused("an API key is needed, in the header Authorization: Bearer KEY"),
    }
}

/// The key of the request; the scheme's name is in whatever case (RFC 9110, 11.1).
fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let value = headers.get(AUTHORIZATION)?.as_bytes();
    let (scheme, key) = value.split_at_checked("Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then(|| key.trim_ascii())
}

fn refused(detail: &str) -> Response {
    let mut response = ApiError::new(StatusCode::UNAUTHORIZED, detail).into_response();
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"bellwether\""));
    response
}
