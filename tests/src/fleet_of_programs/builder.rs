//! What a fleet is made of, before it is started.

use super::api_key::ApiKey;
use super::{Agent, Controller, Fleet};
use crate::{Binary, Launch};

/// A fleet about to be started: two controllers, and no agents yet.
#[derive(Clone, Debug)]
pub struct FleetBuilder {
    name: String,
    amqp_url: String,
    redis_url: String,
    controllers: usize,
    agents: Vec<(String, Vec<String>)>,
    log: String,
    api_key: Option<ApiKey>,
}

impl FleetBuilder {
    pub(super) fn new(name: String, amqp_url: String, redis_url: String) -> Self {
        let (agents, log) = (Vec::new(), "info".to_owned());
        Self { name, amqp_url, redis_url, controllers: 2, agents, log, api_key: None }
    }

    /// Another broker, or another way to it.
    #[must_use]
    pub fn amqp_url(self, url: impl Into<String>) -> Self {
        Self { amqp_url: url.into(), ..self }
    }

    /// Another Redis, or another way to it.
    #[must_use]
    pub fn redis_url(self, url: impl Into<String>) -> Self {
        Self { redis_url: url.into(), ..self }
    }

    /// How many controllers.
    #[must_use]
    pub fn controllers(self, number: usize) -> Self {
        Self { controllers: number, ..self }
    }

    /// One more agent, with arguments of its own.
    #[must_use]
    pub fn agent(mut self, name: &str, args: &[&str]) -> Self {
        self.agents.push((name.to_owned(), args.iter().map(|arg| (*arg).to_owned()).collect()));
        self
    }

    /// More agents: `node-1`, `node-2` and so on.
    #[must_use]
    pub fn agents(self, number: usize) -> Self {
        (1..=number).fold(self, |builder, n| builder.agent(&format!("node-{n}"), &[]))
    }

    /// What controllers and agents log.
    #[must_use]
    pub fn log(self, filter: &str) -> Self {
        Self { log: filter.to_owned(), ..self }
    }

    /// Who has no key is not let in; the fleet's own requests and commands have it.
    #[must_use]
    pub fn api_key(self, key: &str) -> Self {
        Self { api_key: Some(ApiKey::new(key.to_owned())), ..self }
    }

    /// Starts all of it, and waits until every controller is ready and shows every agent as online and converged.
    ///
    /// # Panics
    /// When that does not come about.
    pub async fn start(self) -> Fleet {
        let fleet = self.begin().await;
        fleet.wait_until_converged().await;
        fleet
    }

    /// Starts all of it, and does not wait for anything.
    pub async fn begin(self) -> Fleet {
        let (controller, agent) = (Launch::of(Binary::Controller).await, Launch::of(Binary::Agent).await);
        let controller = self.settings(controller).env("BELLWETHER_REDIS_URL", &self.redis_url);
        let agent = self.settings(agent);
        let key = self.api_key;
        let start = |_| Controller::start(controller.clone(), key.as_ref());
        let controllers = (0..self.controllers).map(start).collect();
        let agents =
            self.agents.iter().map(|(name, args)| Agent::start(name, agent.clone().args(args))).collect();
        Fleet { name: self.name, redis_url: self.redis_url, controllers, agents, api_key: key }
    }

    /// The settings that all programs share. The URLs stand in the environment, for they may hold passwords.
    fn settings(&self, launch: Launch) -> Launch {
        let launch = launch.args(["--fleet", &self.name]);
        launch.env("BELLWETHER_AMQP_URL", &self.amqp_url).env("BELLWETHER_LOG", &self.log)
    }
}
