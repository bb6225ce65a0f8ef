//! A controller of a fleet, and what it answers over HTTP.

use std::time::Duration;

use bellwether_proto::http::{AgentView, ConfigView, Readiness, RolloutView};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, LOCATION};
use reqwest::{Client, Method, RequestBuilder};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Process;
use super::api_key::ApiKey;
use crate::{Launch, Port};

/// Longer than the longest wait that a test asks for.
const ANSWER: Duration = Duration::from_secs(60);

/// A controller of a fleet.
#[derive(Debug)]
pub struct Controller {
    process: Process,
    port: Port,
    http: Client,
}

/// What a controller answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The content type.
    pub kind: String,
    /// The header `Location`.
    pub location: Option<String>,
    /// The body, as JSON where it is any.
    pub body: Value,
}

impl Controller {
    pub(super) fn start(launch: Launch, key: Option<&ApiKey>) -> Self {
        let port = Port::claim();
        let launch = launch.args(["--listen", &port.address()]);
        let launch = key.map_or(launch.clone(), |key| key.tell(launch));
        Self { process: Process::start(launch), port, http: client(key) }
    }

    /// Its process.
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// `http://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        format!("http://{}", self.port.address())
    }

    /// What it answers to GET.
    ///
    /// # Errors
    /// When it does not answer; so for the others.
    pub async fn get(&self, path: &str) -> Result<Answer, String> {
        self.answer(self.request(Method::GET, path)).await
    }

    /// What it answers to PUT.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn put(&self, path: &str, kind: &str, body: impl Into<String>) -> Result<Answer, String> {
        let request = self.request(Method::PUT, path).header(CONTENT_TYPE, kind).body(body.into());
        self.answer(request).await
    }

    /// What it answers to DELETE.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn delete(&self, path: &str) -> Result<Answer, String> {
        self.answer(self.request(Method::DELETE, path)).await
    }

    /// `GET /v1/agents`
    ///
    /// # Errors
    /// When it does not answer, or answers something else; so for the others.
    pub async fn agents(&self) -> Result<Vec<AgentView>, String> {
        self.get("/v1/agents").await?.read()
    }

    /// The agent of this name, as `GET /v1/agents` shows it.
    ///
    /// # Errors
    /// When it is not among them.
    pub async fn agent(&self, name: &str) -> Result<AgentView, String> {
        let agents = self.agents().await?;
        agents.into_iter().find(|agent| agent.name.as_str() == name).ok_or(format!("{name} is not known"))
    }

    /// `GET /v1/configs`
    ///
    /// # Errors
    /// When it does not answer with configs.
    pub async fn configs(&self) -> Result<Vec<ConfigView>, String> {
        self.get("/v1/configs").await?.read()
    }

    /// `GET /v1/rollouts`
    ///
    /// # Errors
    /// When it does not answer with rollouts.
    pub async fn rollouts(&self) -> Result<Vec<RolloutView>, String> {
        self.get("/v1/rollouts").await?.read()
    }

    /// `GET /v1/rollouts/ID`; `wait` such as `?wait=10s`.
    ///
    /// # Errors
    /// When it does not answer with a rollout.
    pub async fn rollout(&self, id: impl ToString, wait: &str) -> Result<RolloutView, String> {
        self.get(&format!("/v1/rollouts/{}{wait}", id.to_string())).await?.read()
    }

    /// Starts a push, and does not wait for it; `query` such as `?timeout=1s`.
    ///
    /// # Errors
    /// When it is not accepted.
    pub async fn begin_push(&self, name: &str, yaml: &str, query: &str) -> Result<RolloutView, String> {
        self.put(&format!("/v1/configs/{name}{query}"), "application/yaml", yaml).await?.read()
    }

    /// Whether it has listened for long enough to call the silent offline.
    ///
    /// # Errors
    /// How it stands, when it has not.
    pub async fn hears_the_fleet(&self) -> Result<(), String> {
        let readiness: Readiness = self.get("/readyz").await?.read()?;
        match readiness.checks.get("presence") {
            Some(check) if check.detail == "hears the fleet" => Ok(()),
            other => Err(format!("{other:?}")),
        }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url()))
    }

    async fn answer(&self, request: RequestBuilder) -> Result<Answer, String> {
        Answer::to(request).await
    }
}

impl Answer {
    /// What a GET of this URL is answered, by whomever, without a key.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn to_get(url: &str) -> Result<Self, String> {
        Self::to(client(None).get(url)).await
    }

    async fn to(request: RequestBuilder) -> Result<Self, String> {
        let response = request.send().await.map_err(|error| format!("{error:?}"))?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.map_err(|error| format!("{error:?}"))?;
        Ok(Self {
            status,
            kind: header(&headers, CONTENT_TYPE).unwrap_or_default(),
            location: header(&headers, LOCATION),
            body: serde_json::from_str(&text).unwrap_or(Value::String(text)),
        })
    }

    /// The body of an answer that is a success.
    ///
    /// # Errors
    /// The whole answer, when it is none, or its body is something else.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, String> {
        if !(200..300).contains(&self.status) {
            return Err(format!("{self:?}"));
        }
        serde_json::from_value(self.body.clone()).map_err(|error| format!("{error} in {self:?}"))
    }
}

/// Every request on a connection of its own, so that a restarted controller is simply asked again.
fn client(key: Option<&ApiKey>) -> Client {
    // Fails only when there is one already: then that one serves.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let headers = key.map(|key| (AUTHORIZATION, key.header().parse().expect("a key that a header can hold")));
    let client = Client::builder().default_headers(headers.into_iter().collect());
    let client = client.no_proxy().pool_max_idle_per_host(0).timeout(ANSWER).tls_certs_only([]);
    client.build().expect("nothing in these settings can fail")
}

fn header(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}
