//! Servers behind the proxies of a fleet that is tried out: each says which it is, and what it was asked.

use anyhow::Context;
use axum::{
    Router,
    extract::State,
    http::{HeaderMap, Uri, header::HOST},
};
use bellwether_ingress::IngressConfig;
use std::{collections::BTreeMap, net::SocketAddr};
use tokio::{net::TcpListener, task::JoinSet};

/// Servers that run until this is dropped.
pub(super) struct Backends {
    _servers: JoinSet<()>,
}

impl Backends {
    /// One for every endpoint of the document.
    ///
    /// # Errors
    /// When an endpoint's place is taken. One at an address that this machine does not have is left out.
    pub(super) async fn start(document: &IngressConfig) -> anyhow::Result<Self> {
        let mut servers = JoinSet::new();
        for (at, backends) in places(document) {
            let listener = match TcpListener::bind(at).await {
                Ok(listener) => listener,
                Err(error) if error.kind() == std::io::ErrorKind::AddrNotAvailable => continue,
                Err(error) => {
                    return Err(error)
                        .with_context(|| format!("no backend for {} at {at}", backends.join(", ")));
                }
            };
            let name = format!("{} at {at}", backends.join(", "));
            let router = Router::new().fallback(answer).with_state(name);
            servers.spawn(async move {
                if let Err(error) = axum::serve(listener, router).await {
                    tracing::warn!(%error, %at, "a backend ended");
                }
            });
        }
        Ok(Self { _servers: servers })
    }
}

/// Where endpoints are, and of which backends.
fn places(document: &IngressConfig) -> BTreeMap<SocketAddr, Vec<String>> {
    let mut places: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for backend in document.spec().backends() {
        for endpoint in backend.endpoints() {
            let at = SocketAddr::new(endpoint.address().ip(), endpoint.port());
            places.entry(at).or_default().push(backend.name().to_string());
        }
    }
    places
}

async fn answer(State(name): State<String>, uri: Uri, headers: HeaderMap) -> String {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("nobody");
    format!("backend {name} was asked for {uri} of {host}\n")
}
