//! `/v1/configs`: what the fleet should serve.

use super::problem::ApiError;
use crate::{controller::Controller, store::StoredConfig};
use axum::{
    Json,
    body::Bytes,
    extract::{Path, Query, State, rejection::BytesRejection},
    http::{
        HeaderMap, StatusCode,
        header::{CONTENT_TYPE, LOCATION},
    },
    response::{IntoResponse, Response},
};
use bellwether_ingress::{ConfigName, Digest, IngressConfig, RawConfig, TimeSpan};
use bellwether_proto::http::{ConfigDetail, ConfigView, RolloutView};
use serde::Deserialize;
use std::{sync::Arc, time::Duration};

/// What a push may be told to wait at most.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(10 * 60);
const SHORTEST_TIMEOUT: Duration = Duration::from_millis(10);

/// Who sends a document.
const AUTHOR: &str = "x-bellwether-author";
const LONGEST_AUTHOR: usize = 128;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Options {
    timeout: Option<TimeSpan>,
}

/// `GET /v1/configs`
pub(super) async fn list(
    State(controller): State<Arc<Controller>>,
) -> Result<Json<Vec<ConfigView>>, ApiError> {
    let snapshot = controller.store.snapshot().await?;
    Ok(Json(snapshot.configs.iter().map(|stored| view(stored)).collect()))
}

/// `GET /v1/configs/{name}`
pub(super) async fn show(
    State(controller): State<Arc<Controller>>,
    Path(name): Path<String>,
) -> Result<Json<ConfigDetail>, ApiError> {
    let name: ConfigName = name.parse().map_err(|_| missing())?;
    let snapshot = controller.store.snapshot().await?;
    let stored = snapshot.get(&name).ok_or_else(missing)?;
    Ok(Json(ConfigDetail { record: view(stored), config: stored.config.clone() }))
}

/// `PUT /v1/configs/{name}?timeout=5s`
pub(super) async fn put(
    State(controller): State<Arc<Controller>>,
    Path(name): Path<String>,
    Query(options): Query<Options>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    let timeout = timeout(&options, &controller)?;
    let body = body.map_err(|rejection| ApiError::new(rejection.status(), rejection.body_text()))?;
    let config = read(&headers, &body)?;
    if config.name().as_str() != name {
        let message = format!("{:?} is not the name in the path", config.name().as_str());
        return Err(ApiError::field("metadata.name", message));
    }
    let rollout = controller.push(config, &author(&headers), timeout).await?;
    Ok(accepted(rollout))
}

/// `DELETE /v1/configs/{name}?timeout=5s`
pub(super) async fn delete(
    State(controller): State<Arc<Controller>>,
    Path(name): Path<String>,
    Query(options): Query<Options>,
) -> Result<Response, ApiError> {
    let timeout = timeout(&options, &controller)?;
    let name: ConfigName = name.parse().map_err(|_| missing())?;
    let rollout = controller.delete(&name, timeout).await?;
    Ok(accepted(rollout))
}

fn missing() -> ApiError {
    ApiError::not_found("there is no config of this name")
}

fn view(stored: &StoredConfig) -> ConfigView {
    ConfigView {
        name: stored.config.name().clone(),
        revision: stored.revision,
        digest: Digest::of_document(&stored.config),
        author: stored.author.clone(),
        updated_at: stored.updated_at.clone(),
    }
}

fn timeout(options: &Options, controller: &Controller) -> Result<Duration, ApiError> {
    let timeout = options.timeout.map_or(controller.settings.push_timeout, TimeSpan::as_duration);
    if (SHORTEST_TIMEOUT..=LONGEST_TIMEOUT).contains(&timeout) {
        Ok(timeout)
    } else {
        Err(ApiError::bad_request("timeout is from 10ms to 10m"))
    }
}

/// Reads the document as what it says it is.
fn read(headers: &HeaderMap, body: &[u8]) -> Result<IngressConfig, ApiError> {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("application/yaml");
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let raw = match kind {
        "application/json" => RawConfig::from_json(body),
        "application/yaml" | "application/x-yaml" | "text/yaml" => {
            let text =
                std::str::from_utf8(body).map_err(|_| ApiError::bad_request("the body is not UTF-8"))?;
            RawConfig::from_yaml(text)
        }
        _ => {
            return Err(ApiError::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "a document is application/yaml or application/json",
            ));
        }
    };
    Ok(raw.map_err(ApiError::unreadable)?.try_into()?)
}

fn author(headers: &HeaderMap) -> String {
    let said =
        headers.get(AUTHOR).map(|author| String::from_utf8_lossy(author.as_bytes())).unwrap_or_default();
    let author: String = said.chars().filter(|c| !c.is_control()).take(LONGEST_AUTHOR).collect();
    if author.is_empty() { "unknown".to_owned() } else { author }
}

fn accepted(rollout: RolloutView) -> Response {
    let location = format!("/v1/rollouts/{}", rollout.rollout);
    (StatusCode::ACCEPTED, [(LOCATION, location)], Json(rollout)).into_response()
}
