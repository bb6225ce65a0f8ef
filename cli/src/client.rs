//! The client of a controller's HTTP API.

mod access;
mod author;
mod error;
mod server_url;

pub(crate) use access::Access;
pub(crate) use author::Author;
pub(crate) use error::Error;
pub(crate) use server_url::ServerUrl;

use crate::commands::ChangeArgs;
use anyhow::Context;
use bellwether_ingress::{ConfigName, IngressConfig};
use bellwether_proto::{
    AgentName, RolloutId,
    http::{
        AdoptionView, AgentDetail, AgentView, ConfigDetail, ConfigView, Forgotten, Problem, RolloutView,
        StatusView,
    },
};
use reqwest::{Method, RequestBuilder, Response, StatusCode, header, redirect::Policy};
use serde::de::DeserializeOwned;
use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

/// A controller that is there accepts a connection within this.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// How long an answer may take, over what the controller was asked to wait.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);
/// The longest answer: that of a rollout with failures at thousands of agents is well below.
const MAX_ANSWER_BYTES: usize = 64 << 20;

/// Asks the controllers of one fleet.
pub(crate) struct Client {
    http: reqwest::Client,
    servers: Vec<ServerUrl>,
    access: Access,
    /// Where in `servers` to begin: the one that answered last.
    first: AtomicUsize,
}

/// One request, before it is known who gets it.
struct Request<'a> {
    method: Method,
    path: Vec<&'a str>,
    query: Vec<(&'static str, String)>,
    author: Option<&'a Author>,
    json: Option<String>,
    timeout: Duration,
}

impl<'a> Request<'a> {
    fn new(method: Method, path: impl IntoIterator<Item = &'a str>) -> Self {
        let path = ["v1"].into_iter().chain(path).collect();
        Self { method, path, query: Vec::new(), author: None, json: None, timeout: ANSWER_TIMEOUT }
    }

    fn change(method: Method, name: &'a ConfigName, change: &'a ChangeArgs) -> Self {
        let query = vec![("timeout", change.timeout.to_string())];
        Self { query, author: Some(&change.author), ..Self::new(method, ["configs", name.as_str()]) }
    }
}

impl Client {
    /// A client that asks the first of `servers` to which a connection can be made.
    pub(crate) fn new(servers: Vec<ServerUrl>, access: Access) -> anyhow::Result<Self> {
        let mut http = reqwest::Client::builder()
            .user_agent(concat!("bellwether/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(Policy::none())
            .no_proxy();
        if !servers.iter().any(ServerUrl::is_https) {
            // The system's certificates are not needed, and a machine without any is no reason to fail.
            http = http.tls_certs_only([]);
        }
        let http = http.build().context("cannot set up the HTTP client")?;
        Ok(Self { http, servers, access, first: AtomicUsize::new(0) })
    }

    /// Stores a config and starts its rollout.
    pub(crate) async fn put_config(
        &self,
        config: &IngressConfig,
        change: &ChangeArgs,
    ) -> Result<RolloutView, Error> {
        let json = Some(config.to_canonical_json());
        self.ask(Request { json, ..Request::change(Method::PUT, config.name(), change) }).await
    }

    /// Deletes a config and starts the rollout of that.
    pub(crate) async fn delete_config(
        &self,
        name: &ConfigName,
        change: &ChangeArgs,
    ) -> Result<RolloutView, Error> {
        self.ask(Request::change(Method::DELETE, name, change)).await
    }

    /// All configs.
    pub(crate) async fn configs(&self) -> Result<Vec<ConfigView>, Error> {
        self.ask(Request::new(Method::GET, ["configs"])).await
    }

    /// One config, with its record.
    pub(crate) async fn config(&self, name: &ConfigName) -> Result<ConfigDetail, Error> {
        self.ask(Request::new(Method::GET, ["configs", name.as_str()])).await
    }

    /// All agents.
    pub(crate) async fn agents(&self) -> Result<Vec<AgentView>, Error> {
        self.ask(Request::new(Method::GET, ["agents"])).await
    }

    /// One agent.
    pub(crate) async fn agent(&self, name: &AgentName) -> Result<AgentDetail, Error> {
        self.ask(Request::new(Method::GET, ["agents", name.as_str()])).await
    }

    /// Forgets an agent that is offline.
    pub(crate) async fn forget_agent(&self, name: &AgentName) -> Result<Forgotten, Error> {
        self.ask(Request::new(Method::DELETE, ["agents", name.as_str()])).await
    }

    /// How the fleet stands.
    pub(crate) async fn status(&self) -> Result<StatusView, Error> {
        self.ask(Request::new(Method::GET, ["status"])).await
    }

    /// Puts the store into the place of the one that the agents follow.
    pub(crate) async fn adopt(&self) -> Result<AdoptionView, Error> {
        self.ask(Request::new(Method::POST, ["adopt"])).await
    }

    /// All rollouts, without their failures.
    pub(crate) async fn rollouts(&self) -> Result<Vec<RolloutView>, Error> {
        self.ask(Request::new(Method::GET, ["rollouts"])).await
    }

    /// One rollout, as it is now.
    pub(crate) async fn rollout(&self, id: RolloutId) -> Result<RolloutView, Error> {
        self.ask(Request::new(Method::GET, ["rollouts", &id.to_string()])).await
    }

    /// One rollout, once it is done or `wait_seconds` have passed.
    pub(crate) async fn rollout_within(
        &self,
        id: RolloutId,
        wait_seconds: u64,
    ) -> Result<RolloutView, Error> {
        let id = id.to_string();
        let query = vec![("wait", format!("{wait_seconds}s"))];
        let timeout = Duration::from_secs(wait_seconds) + ANSWER_TIMEOUT;
        self.ask(Request { query, timeout, ..Request::new(Method::GET, ["rollouts", id.as_str()]) }).await
    }

    async fn ask<T: DeserializeOwned>(&self, request: Request<'_>) -> Result<T, Error> {
        let (server, response) = self.send(&request).await?;
        let status = response.status();
        let body = body_of(response).await.map_err(|cause| self.unanswered(server, cause))?;
        if status.is_success() {
            serde_json::from_slice(&body)
                .map_err(|error| Error::Odd { server: server.to_string(), what: error.to_string() })
        } else {
            Err(refusal(server, status, &body))
        }
    }

    /// Sends it to the first server that a connection can be made to. Once it may have been sent, no other gets it.
    async fn send(&self, request: &Request<'_>) -> Result<(&ServerUrl, Response), Error> {
        let first = self.first.load(Ordering::Relaxed) % self.servers.len().max(1);
        let mut unreachable = Vec::new();
        for (index, server) in self.servers.iter().enumerate().cycle().skip(first).take(self.servers.len()) {
            match self.addressed(request, server).send().await {
                Ok(response) => {
                    self.first.store(index, Ordering::Relaxed);
                    return Ok((server, response));
                }
                Err(error) if error.is_connect() => {
                    unreachable.push(format!("{server}: {}", error::cause(&error)))
                }
                Err(error) => return Err(self.unanswered(server, error::cause(&error))),
            }
        }
        Err(Error::Unreachable { attempts: unreachable.join("; ") })
    }

    fn addressed(&self, request: &Request<'_>, server: &ServerUrl) -> RequestBuilder {
        let mut url = self.access.url(server, &request.path);
        if !request.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&request.query);
        }
        let builder = self.http.request(request.method.clone(), url).timeout(request.timeout);
        let mut builder = self.access.identify(builder);
        if let Some(author) = request.author {
            builder = builder.header("X-Bellwether-Author", author.as_header());
        }
        if let Some(json) = &request.json {
            builder = builder.header(header::CONTENT_TYPE, "application/json").body(json.clone());
        }
        builder
    }

    /// No answer came: whatever is asked next begins with the next server.
    fn unanswered(&self, server: &ServerUrl, cause: String) -> Error {
        self.first.fetch_add(1, Ordering::Relaxed);
        Error::NoAnswer { server: server.to_string(), cause }
    }
}

async fn body_of(mut response: Response) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| error::cause(&error))? {
        if body.len() + chunk.len() > MAX_ANSWER_BYTES {
            return Err(format!("the answer is over {} MiB", MAX_ANSWER_BYTES >> 20));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn refusal(server: &ServerUrl, status: StatusCode, body: &[u8]) -> Error {
    match serde_json::from_slice::<Problem>(body) {
        Ok(problem) => Error::Refused { status, problem },
        Err(_) => Error::Odd { server: server.to_string(), what: format!("it says {status}") },
    }
}
