//! A controller within this process, on parts in memory.

use std::sync::Arc;

use bellwether_controller::registry::memory::MemoryRegistry;
use bellwether_controller::store::memory::MemoryStore;
use bellwether_controller::{Backends, RunError, Settings, run};
use bellwether_rpc::Connection;
use bellwether_rpc::transport::memory::Memory;
use reqwest::header::CONTENT_TYPE;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Serves until it is stopped.
pub(crate) struct Controller {
    pub(crate) url: String,
    http: reqwest::Client,
    stop: CancellationToken,
    running: JoinHandle<Result<(), RunError>>,
}

impl Controller {
    pub(crate) async fn start() -> Self {
        // Fails only when there is one already: then that one serves.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().expect("a client");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let backends = Backends {
            connection: Connection::new(Memory::new().connect()),
            registry: Arc::new(MemoryRegistry::new()),
            store: Arc::new(MemoryStore::new()),
        };
        let (settings, stop) = (Settings::new("default".parse().expect("a fleet")), CancellationToken::new());
        let running = tokio::spawn(run(settings, backends, listener, stop.clone()));
        Self { url, http, stop, running }
    }

    /// `PUT /v1/configs/{name}`: the status, the content type and the body.
    pub(crate) async fn put(&self, name: &str, kind: &str, text: &str) -> (u16, String, Value) {
        let mut url = reqwest::Url::parse(&self.url).expect("a URL");
        url.path_segments_mut().expect("a base").extend(["v1", "configs", name]);
        let request = self.http.put(url).header(CONTENT_TYPE, kind).body(text.to_owned());
        let response = request.send().await.expect("an answer");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let kind =
            headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default().to_owned();
        (status, kind, response.json().await.expect("JSON"))
    }

    /// Nothing was stored, and it ends well.
    pub(crate) async fn stop_empty(self) {
        let listed = self.http.get(format!("{}/v1/configs", self.url)).send().await.expect("an answer");
        assert_eq!(listed.json::<Value>().await.expect("JSON"), serde_json::json!([]));
        self.stop.cancel();
        self.running.await.expect("no panic").expect("it ends well");
    }
}
