//! A real HTTP server that plays a controller.

use axum::{
    Router,
    body::Bytes,
    extract::Request,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::{net::TcpListener, runtime::Runtime};

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// `PUT /v1/configs/shop?timeout=5s`.
    pub(crate) line: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// A controller that listens while this lives.
pub(crate) struct Controller {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    _runtime: Runtime,
}

impl Controller {
    /// Answers each request with what `answer` says.
    pub(crate) fn answering(answer: impl Fn(&Asked) -> (u16, Value) + Send + Sync + 'static) -> Self {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = asked.clone();
        let answer = Arc::new(answer);
        let handle = move |request: Request| {
            let (log, answer) = (log.clone(), answer.clone());
            async move {
                let asked = read(request).await;
                log.lock().unwrap_or_else(PoisonError::into_inner).push(asked.clone());
                // On a thread where it may block: a test may hold an answer back.
                let (status, body) = tokio::task::spawn_blocking(move || answer(&asked)).await.unwrap();
                response(status, &body)
            }
        };
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(axum::serve(listener, Router::new().fallback(handle)).into_future());
        Self { address, asked, _runtime: runtime }
    }

    /// Plays a fleet: the rollout of each document ends with these verdicts. Others are refused as clashes.
    pub(crate) fn with_verdicts<const N: usize>(ends: [(&str, Value); N]) -> Self {
        let ends: BTreeMap<String, Value> =
            ends.into_iter().map(|(name, end)| (name.to_owned(), end)).collect();
        Self::answering(move |asked| {
            let (_, resource) = asked.line.split_once(" /v1/").unwrap();
            let (resource, _) = resource.split_once('?').unwrap_or((resource, ""));
            if let Some(name) = resource.strip_prefix("configs/") {
                return match ends.get(name) {
                    Some(end) => (202, running(end.clone())),
                    None => problem(409, "host shop.example.com belongs to blog"),
                };
            }
            let id = resource.strip_prefix("rollouts/").unwrap();
            let end = ends.values().find(|end| end.get("rollout").and_then(Value::as_str) == Some(id));
            end.map_or_else(|| problem(404, "no such rollout"), |end| (200, end.clone()))
        })
    }

    /// Answers everything alike.
    pub(crate) fn always(status: u16, body: Value) -> Self {
        Self::answering(move |_| (status, body.clone()))
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What was asked, as `PUT /v1/configs/shop?timeout=5s`.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.line).collect()
    }
}

async fn read(request: Request) -> Asked {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    Asked { line: format!("{} {}", parts.method, parts.uri), headers: parts.headers, body }
}

fn response(status: u16, body: &Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap();
    let content_type = if status.is_success() { "application/json" } else { "application/problem+json" };
    (status, [(header::CONTENT_TYPE, content_type)], body.to_string()).into_response()
}

/// An error of the API.
pub(crate) fn problem(status: u16, detail: &str) -> (u16, Value) {
    (status, json!({"status": status, "title": "Problem", "detail": detail}))
}

/// A rollout that is done: three targets applied or failed, and who is absent.
pub(crate) fn rollout(config: &str, applied: usize, rejected: usize, absent: &[&str]) -> Value {
    let failures: Vec<_> = (1..=rejected)
        .map(|number| json!({"agent": format!("node-{number}"), "verdict": "rejected", "reason": "port taken"}))
        .collect();
    let mut verdicts = json!({"applied": applied, "rejected": rejected});
    verdicts.as_object_mut().unwrap().retain(|_, count| *count != 0);
    let id: String = config.bytes().map(|byte| format!("{byte:02x}")).collect();
    json!({
        "rollout": format!("01920b6e-7f3c-7a51-9c1e-{id:0>12.12}"),
        "config": config,
        "revision": 42,
        "digest": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "state": "done",
        "targets": applied + rejected,
        "verdicts": verdicts,
        "failures": failures,
        "absent": absent,
        "elapsed_ms": 12,
    })
}

/// The same before any verdict came.
pub(crate) fn running(mut rollout: Value) -> Value {
    let fields = rollout.as_object_mut().unwrap();
    if fields.get("targets").is_some_and(|targets| *targets != 0) {
        fields.insert("state".into(), "running".into());
        fields.insert("verdicts".into(), json!({}));
        fields.insert("failures".into(), json!([]));
    }
    rollout
}
