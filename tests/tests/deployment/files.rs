//! The files that deploy, as they stand or with one place changed.

use std::collections::BTreeSet;
use std::fs;

use bellwether_tests::workspace;

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Name {
    Compose,
    Dockerfile,
    Dockerignore,
    EnvExample,
    Haproxy,
    RabbitMq,
    Redis,
}

/// All of them.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    pub(crate) compose: String,
    pub(crate) dockerfile: String,
    pub(crate) dockerignore: String,
    pub(crate) env_example: String,
    pub(crate) haproxy: String,
    pub(crate) rabbitmq: String,
    pub(crate) redis: String,
}

impl Files {
    pub(crate) fn read() -> Self {
        Self {
            compose: read("docker-compose.yml"),
            dockerfile: read("Dockerfile"),
            dockerignore: read(".dockerignore"),
            env_example: read(".env.example"),
            haproxy: read("deploy/haproxy.cfg"),
            rabbitmq: read("deploy/rabbitmq.conf"),
            redis: read("deploy/redis.conf"),
        }
    }

    /// With one text replaced at its first place.
    ///
    /// # Panics
    /// When it is not in there: the change would be none.
    pub(crate) fn with(mut self, name: Name, right: &str, otherwise: &str) -> Self {
        let text = match name {
            Name::Compose => &mut self.compose,
            Name::Dockerfile => &mut self.dockerfile,
            Name::Dockerignore => &mut self.dockerignore,
            Name::EnvExample => &mut self.env_example,
            Name::Haproxy => &mut self.haproxy,
            Name::RabbitMq => &mut self.rabbitmq,
            Name::Redis => &mut self.redis,
        };
        assert!(text.contains(right), "{name:?} does not say {right:?}");
        *text = text.replacen(right, otherwise, 1);
        self
    }

    /// The names that `.env.example` sets, with their values.
    pub(crate) fn example(&self) -> Vec<(&str, &str)> {
        settings(&self.env_example, '=').collect()
    }

    /// What `redis.conf` says of `name`.
    pub(crate) fn redis_setting(&self, name: &str) -> Option<&str> {
        settings(&self.redis, ' ').find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// What `rabbitmq.conf` says of `name`.
    pub(crate) fn rabbitmq_setting(&self, name: &str) -> Option<&str> {
        settings(&self.rabbitmq, '=').find(|(key, _)| *key == name).map(|(_, value)| value)
    }
}

/// The members of the workspace.
pub(crate) fn members() -> BTreeSet<String> {
    let manifest = manifest();
    let members = manifest["workspace"]["members"].as_array().expect("a list");
    members.iter().filter_map(|member| member.as_str().map(str::to_owned)).collect()
}

/// `version` or `rust-version` of the workspace.
pub(crate) fn of_the_workspace(key: &str) -> String {
    manifest()["workspace"]["package"][key].as_str().expect("a text").to_owned()
}

fn manifest() -> toml::Table {
    read("Cargo.toml").parse().expect("it is TOML")
}

fn settings(text: &str, separator: char) -> impl Iterator<Item = (&str, &str)> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(move |line| line.split_once(separator)).map(|(key, value)| (key.trim(), value.trim()))
}

fn read(path: &str) -> String {
    fs::read_to_string(workspace::path(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}
