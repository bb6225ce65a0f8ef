//! Answers over HTTP whether the agent lives and can do its work, and what it has measured. Whoever reaches it may ask,
//! so nothing in it is secret.

use crate::{AgentError, apply::Served, settings::Settings};
use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::get,
};
use bellwether_program::{http::serve, metrics, metrics::Metrics};
use bellwether_proto::http::{Check, Readiness};
use bellwether_rpc::{Generation, Instance, Link};
use std::{collections::BTreeMap, sync::Arc};
use tokio::{net::TcpListener, sync::watch};
use tokio_util::sync::CancellationToken;

/// What the pages show.
pub(crate) struct Health {
    pub(crate) instance: Instance,
    pub(crate) link: watch::Receiver<Link>,
    pub(crate) bound: watch::Receiver<Option<Generation>>,
    pub(crate) served: watch::Receiver<Served>,
}

/// The pages, before anybody looks at them.
pub(crate) struct HealthServer {
    listener: TcpListener,
    metrics: Option<Metrics>,
}

impl HealthServer {
    /// Listens where the settings say, if they say so.
    pub(crate) async fn bind(settings: &Settings) -> Result<Option<Self>, AgentError> {
        let Some(address) = settings.health_listen else { return Ok(None) };
        let listener = TcpListener::bind(address).await;
        let listener = listener.map_err(|error| AgentError::Health { address, error })?;
        Ok(Some(Self { listener, metrics: settings.metrics.clone() }))
    }

    /// Shows `health` until `stop`.
    pub(crate) async fn run(self, health: Health, stop: CancellationToken) {
        let metrics = self.metrics;
        let router = Router::new()
            .route("/readyz", get(ready))
            .with_state(Arc::new(health))
            .route("/healthz", get(|| async { "ok\n" }))
            .route("/metrics", get(|| async move { show(metrics.as_ref()) }));
        serve(self.listener, router, stop).await;
    }
}

/// 200 when the agent can do its work, else 503; the reasons either way.
async fn ready(State(health): State<Arc<Health>>) -> Response {
    let (link, bound) = (health.link.borrow().clone(), *health.bound.borrow());
    let readiness = readiness(health.instance, &link, bound, &health.served.borrow());
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(readiness)).into_response()
}

fn show(metrics: Option<&Metrics>) -> Response {
    match metrics {
        Some(metrics) => ([(CONTENT_TYPE, metrics::CONTENT_TYPE)], metrics.render()).into_response(),
        None => (StatusCode::NOT_FOUND, "this process keeps no metrics\n").into_response(),
    }
}

/// Ready is who can be reached by a push, and serves what it was last told to. What the driver said of it may show parts
/// of a config: it is in the log, and in what the agent beats.
fn readiness(instance: Instance, link: &Link, bound: Option<Generation>, served: &Served) -> Readiness {
    let broker = match bound {
        Some(_) => check(true, "the agent's queue is bound"),
        None if link.generation().is_some() => {
            check(false, "connected, but the agent's queue is not bound: the log says why")
        }
        None => check(false, &link.to_string()),
    };
    let set = match served {
        Served { is_ready: false, .. } => check(false, "what is remembered has not been applied yet"),
        Served { last_error: Some(_), .. } => {
            check(false, "something that should serve does not: `bellwether agents` and the log say why")
        }
        _ => check(true, "serves what it was last told to"),
    };
    let checks = BTreeMap::from([("broker".to_owned(), broker), ("set".to_owned(), set)]);
    Readiness { ready: checks.values().all(|check| check.ok), instance, checks }
}

fn check(ok: bool, detail: &str) -> Check {
    Check { ok, detail: detail.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::set::ConfigSet;

    fn served(is_ready: bool, last_error: Option<&str>) -> Served {
        let set = Arc::new(ConfigSet::default());
        let last_error = last_error.map(str::to_owned);
        Served { known: set.known(), set, last_error, retry_at: None, is_ready }
    }

    #[test]
    fn an_agent_is_ready_when_it_can_be_reached_and_serves_what_it_was_told_to() {
        let ready =
            |bound, served| readiness(Instance::new(), &Link::Up { generation: 1 }, bound, &served).ready;
        assert!(ready(Some(1), served(true, None)));
        assert!(!ready(None, served(true, None)));
        assert!(!ready(Some(1), served(false, None)));
        assert!(!ready(Some(1), served(true, Some("check: sesame"))));
    }

    #[test]
    fn what_a_check_said_is_not_shown() {
        let readiness = readiness(Instance::new(), &Link::Closed, None, &served(true, Some("check: sesame")));
        assert!(!format!("{readiness:?}").contains("sesame"));
    }
}
