//! Errors as `application/problem+json` (RFC 9457).

use crate::{adoption::AdoptError, push::PushError, registry::RegistryError, store::StoreError};
use axum::{
    Json,
    http::{HeaderValue, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use bellwether_ingress::DocumentErrors;
use bellwether_program::log::Seldom;
use bellwether_proto::http::{FieldError, Problem};
use std::sync::{LazyLock, Mutex, PoisonError};
use tokio::time::Instant;

/// Refusals are told seldom, however often somebody asks: each is counted, and says why to who asked.
static REFUSALS: LazyLock<Mutex<Seldom>> = LazyLock::new(Mutex::default);

/// An error that a request is answered with.
#[derive(Debug)]
pub(super) struct ApiError {
    status: StatusCode,
    detail: String,
    errors: Vec<FieldError>,
}

impl ApiError {
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), errors: Vec::new() }
    }

    pub(super) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    pub(super) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    pub(super) fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, detail)
    }

    /// One field of the document is at fault.
    pub(super) fn field(path: &str, message: String) -> Self {
        let error = FieldError { path: path.to_owned(), line: None, column: None, message };
        Self {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            detail: format!("{}: {}", error.path, error.message),
            errors: vec![error],
        }
    }

    /// The text of the document cannot be read at all.
    pub(super) fn unreadable(errors: DocumentErrors) -> Self {
        Self { status: StatusCode::BAD_REQUEST, ..errors.into() }
    }

    fn unavailable(error: &dyn std::error::Error) -> Self {
        if let Some(held_back) = REFUSALS.lock().unwrap_or_else(PoisonError::into_inner).admit(Instant::now())
        {
            tracing::warn!(%error, held_back, "a request was refused");
        }
        Self::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
    }
}

impl From<DocumentErrors> for ApiError {
    /// Fields of the document are at fault.
    fn from(errors: DocumentErrors) -> Self {
        let fields = errors.iter().map(|error| FieldError {
            path: error.path.clone(),
            line: error.line,
            column: error.column,
            message: error.message.clone(),
        });
        let detail = match errors.errors() {
            [only] => only.to_string(),
            several => format!("{} things are wrong with the document", several.len() + errors.omitted()),
        };
        Self { status: StatusCode::UNPROCESSABLE_ENTITY, detail, errors: fields.collect() }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Clash(clash) => {
                let field = FieldError {
                    path: clash.field().to_owned(),
                    line: None,
                    column: None,
                    message: clash.to_string(),
                };
                Self { status: StatusCode::CONFLICT, detail: clash.to_string(), errors: vec![field] }
            }
            StoreError::NotFound(_) => Self::not_found(error.to_string()),
            StoreError::Unavailable(_) | StoreError::Corrupt(_) => Self::unavailable(&error),
        }
    }
}

impl From<RegistryError> for ApiError {
    fn from(error: RegistryError) -> Self {
        Self::unavailable(&error)
    }
}

impl From<PushError> for ApiError {
    fn from(error: PushError) -> Self {
        match error {
            PushError::Store(error) => error.into(),
            PushError::Registry(error) => error.into(),
            PushError::Broker(_) | PushError::Behind(_) | PushError::Stopping => Self::unavailable(&error),
        }
    }
}

impl From<AdoptError> for ApiError {
    fn from(error: AdoptError) -> Self {
        match error {
            AdoptError::Store(error) => error.into(),
            AdoptError::Registry(error) => error.into(),
            AdoptError::NotBehind => Self::conflict(error.to_string()),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let problem = Problem {
            status: self.status.as_u16(),
            title: self.status.canonical_reason().unwrap_or("Error").to_owned(),
            detail: self.detail,
            errors: self.errors,
        };
        let mut response = (self.status, Json(problem)).into_response();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        response
    }
}
