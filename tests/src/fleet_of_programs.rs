//! A fleet of the product's own programs on real servers: controllers, agents and the command, each a process.

mod agent;
mod api_key;
mod builder;
mod controller;
mod events;
mod process;
mod pushed;

use std::future::Future;
use std::time::Duration;

use bellwether_proto::http::{AgentState, AgentView};

pub use agent::Agent;
use api_key::ApiKey;
pub use builder::FleetBuilder;
pub use controller::{Answer, Controller};
pub use events::Event;
pub use process::Process;
pub use pushed::Pushed;

use crate::{Binary, Launch, Output, RabbitMq, Redis, always_for, eventually, fleet};

/// What a single `bellwether` may take.
const COMMAND: Duration = Duration::from_secs(60);
/// Longer than any story.
const EVER: Duration = Duration::from_secs(600);

/// Controllers and agents of one name, and the servers between them; all processes end with the value.
#[derive(Debug)]
pub struct Fleet {
    name: String,
    redis_url: String,
    controllers: Vec<Controller>,
    agents: Vec<Agent>,
    api_key: Option<ApiKey>,
}

impl Fleet {
    /// A fleet to be started on the servers that this process's tests share.
    pub async fn shared() -> FleetBuilder {
        Self::on(RabbitMq::shared().await, Redis::shared().await)
    }

    /// A fleet to be started on these servers.
    pub fn on(rabbitmq: &RabbitMq, redis: &Redis) -> FleetBuilder {
        FleetBuilder::new(fleet(), rabbitmq.url(), redis.url())
    }

    /// Its name, which no other fleet has.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// All controllers.
    pub fn controllers(&self) -> &[Controller] {
        &self.controllers
    }

    /// A controller, from 0.
    pub fn controller(&self, index: usize) -> &Controller {
        &self.controllers[index]
    }

    /// All agents.
    pub fn agents(&self) -> &[Agent] {
        &self.agents
    }

    /// The agent of this name.
    ///
    /// # Panics
    /// When there is none.
    pub fn agent(&self, name: &str) -> &Agent {
        let found = self.agents.iter().find(|agent| agent.name() == name);
        found.unwrap_or_else(|| panic!("no agent {name} in this test"))
    }

    /// All processes, with a name for each.
    pub fn processes(&self) -> impl Iterator<Item = (String, &Process)> {
        let controllers = self.controllers.iter().enumerate();
        let controllers = controllers.map(|(index, it)| (format!("controller {index}"), it.process()));
        controllers.chain(self.agents.iter().map(|it| (it.name().to_owned(), it.process())))
    }

    /// Runs `bellwether` with these arguments; it asks the first controller, and the next when that one is gone.
    pub async fn command(&self, args: &[&str]) -> Output {
        self.command_reading("", args).await
    }

    /// `bellwether push -` of this text.
    pub async fn push(&self, yaml: &str, args: &[&str]) -> Pushed {
        let args = [&["push", "-", "--output", "json"], args].concat();
        Pushed::new(self.command_reading(yaml, &args).await)
    }

    /// `bellwether delete` of this config.
    pub async fn delete(&self, config: &str) -> Pushed {
        Pushed::new(self.command(&["delete", config, "--output", "json"]).await)
    }

    async fn command_reading(&self, stdin: &str, args: &[&str]) -> Output {
        let servers: Vec<String> = self.controllers.iter().map(Controller::url).collect();
        let command = Launch::of(Binary::Cli).await.stdin(stdin);
        let command = self.api_key.as_ref().map_or(command.clone(), |key| key.tell(command));
        command.args(["--server", &servers.join(",")]).args(args).run_to_end(COMMAND).await
    }

    /// The fleet's events, oldest first, as they stand in Redis.
    pub async fn events(&self) -> Vec<Event> {
        events::read(&self.redis_url, &self.name).await.unwrap_or_else(|error| panic!("the events: {error}"))
    }

    /// How often an agent was called offline.
    pub async fn offline_events(&self, agent: &str) -> usize {
        let events = self.events().await;
        events.iter().filter(|event| event.kind == "agent.offline" && event.agent == agent).count()
    }

    /// Waits until every controller has what it needs.
    pub async fn wait_until_ready(&self) {
        eventually("every controller is ready", async || {
            for controller in &self.controllers {
                let readiness = controller.get("/readyz").await?;
                if readiness.status != 200 {
                    return Err(format!("{readiness:?}"));
                }
            }
            Ok(())
        })
        .await;
    }

    /// Waits until every controller is ready, and shows every agent as online and serving what it should.
    pub async fn wait_until_converged(&self) {
        // One that is ready does for all agents to be online, and not for all pushes to work.
        self.wait_until_ready().await;
        eventually("every controller sees every agent online and converged", async || {
            for controller in &self.controllers {
                let agents = controller.agents().await?;
                let there = |agent: &AgentView| agent.state == AgentState::Online && agent.converged;
                if agents.len() != self.agents.len() || !agents.iter().all(there) {
                    return Err(format!("{agents:#?}"));
                }
            }
            Ok(())
        })
        .await;
    }

    /// Waits until every controller has listened for long enough to call the silent offline.
    pub async fn wait_until_listening(&self) {
        eventually("every controller hears the fleet", async || {
            for controller in &self.controllers {
                controller.hears_the_fleet().await?;
            }
            Ok::<_, String>(())
        })
        .await;
    }

    /// Looks at every controller all the while that `story` runs: none that answers calls any agent offline, and none
    /// forgets one. In the end no event says otherwise.
    ///
    /// # Panics
    /// At the first look that shows it.
    pub async fn nobody_is_called_offline_while<T>(&self, story: impl Future<Output = T>) -> T {
        let told = tokio::select! {
            () = always_for(EVER, "nobody is called offline", async || self.nobody_is_offline().await) => {
                panic!("the story has no end");
            }
            told = story => told,
        };
        for agent in &self.agents {
            assert_eq!(self.offline_events(agent.name()).await, 0, "{} was called offline", agent.name());
        }
        told
    }

    async fn nobody_is_offline(&self) -> Result<(), String> {
        for controller in &self.controllers {
            let Ok(answer) = controller.get("/v1/agents").await else { continue };
            match answer.status {
                200 => self.all_there(answer.read()?)?,
                503 if answer.kind == "application/problem+json" => {}
                _ => return Err(format!("{answer:?}")),
            }
        }
        Ok(())
    }

    fn all_there(&self, agents: Vec<AgentView>) -> Result<(), String> {
        let offline = |agent: &AgentView| agent.state == AgentState::Offline;
        if agents.len() == self.agents.len() && !agents.iter().any(offline) {
            return Ok(());
        }
        Err(format!("{agents:#?}"))
    }
}

impl Drop for Fleet {
    /// A test that fails shows what the processes last said.
    fn drop(&mut self) {
        if std::thread::panicking() {
            for (name, process) in self.processes() {
                eprintln!("--- the end of the log of {name}:\n{}", process.tail());
            }
        }
    }
}
