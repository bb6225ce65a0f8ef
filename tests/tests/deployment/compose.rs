//! `docker-compose.yml`, as far as it is looked at.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

/// The whole file, its variables filled in.
#[derive(Debug, Deserialize)]
pub(crate) struct Compose {
    pub(crate) services: BTreeMap<String, Service>,
    #[serde(default)]
    pub(crate) volumes: BTreeMap<String, serde_json::Value>,
    #[serde(default)]
    pub(crate) secrets: BTreeMap<String, Secret>,
}

/// A service.
#[derive(Debug, Deserialize)]
pub(crate) struct Service {
    pub(crate) image: String,
    pub(crate) build: Option<Build>,
    pub(crate) restart: Option<String>,
    #[serde(default)]
    pub(crate) command: Vec<String>,
    #[serde(default)]
    pub(crate) environment: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) ports: Vec<String>,
    #[serde(default)]
    pub(crate) volumes: Vec<String>,
    #[serde(default)]
    pub(crate) secrets: Vec<String>,
    #[serde(default)]
    pub(crate) depends_on: BTreeMap<String, Dependency>,
    pub(crate) healthcheck: Option<Healthcheck>,
    pub(crate) mem_limit: Option<String>,
}

/// How an image of our own is made.
#[derive(Debug, Deserialize)]
pub(crate) struct Build {
    pub(crate) context: String,
    pub(crate) target: String,
}

/// What a service waits for.
#[derive(Debug, Deserialize)]
pub(crate) struct Dependency {
    pub(crate) condition: String,
}

/// How a service's health is asked.
#[derive(Debug, Deserialize)]
pub(crate) struct Healthcheck {
    pub(crate) test: Vec<String>,
}

/// Where a secret comes from.
#[derive(Debug, Deserialize)]
pub(crate) struct Secret {
    pub(crate) file: String,
}

impl Compose {
    /// Reads it, with each variable's value from `value`, else its default.
    pub(crate) fn read(text: &str, value: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        serde_saphyr::from_str(&interpolated(text, value)?).map_err(|error| error.to_string())
    }

    /// The services of the image that the Dockerfile makes for `target`, by name.
    pub(crate) fn built_from(&self, target: &str) -> impl Iterator<Item = (&str, &Service)> {
        let of = move |service: &Service| service.build.as_ref().is_some_and(|build| build.target == target);
        self.services.iter().filter(move |(_, service)| of(service)).map(|(name, it)| (name.as_str(), it))
    }
}

impl Service {
    /// The arguments of its health check; a shell's text is one.
    pub(crate) fn health(&self) -> &[String] {
        match self.healthcheck.as_ref().map(|it| it.test.as_slice()) {
            Some([_, test @ ..]) => test,
            _ => &[],
        }
    }
}

/// As Compose fills a text in: `${NAME}`, `${NAME:-default}`, `${NAME:?what is wrong}`, and `$$` for a `$`.
pub(crate) fn interpolated(text: &str, value: impl Fn(&str) -> Option<String>) -> Result<String, String> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        filled.push_str(before);
        if let Some(after) = after.strip_prefix('$') {
            filled.push('$');
            rest = after;
            continue;
        }
        let (variable, after) = after
            .strip_prefix('{')
            .and_then(|after| after.split_once('}'))
            .ok_or_else(|| format!("a lone $ before {:?}", after.lines().next()))?;
        filled.push_str(&substitute(variable, &value)?);
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

fn substitute(variable: &str, value: impl Fn(&str) -> Option<String>) -> Result<String, String> {
    let (name, otherwise) = variable.split_once(':').unwrap_or((variable, ""));
    let value = value(name).filter(|value| !value.is_empty());
    match (value, otherwise.get(..1)) {
        (Some(value), _) => Ok(value),
        (None, Some("-")) => Ok(otherwise[1..].to_owned()),
        (None, _) => Err(format!("{name} {}", otherwise.trim_start_matches('?'))),
    }
}

/// The variables of a text, and whether each has to be set.
pub(crate) fn variables(text: &str) -> BTreeSet<(&str, bool)> {
    let starts = text.split("${").skip(1);
    let variables = starts.filter_map(|start| start.split_once('}')).map(|(variable, _)| variable);
    variables
        .map(|variable| {
            let (name, otherwise) = variable.split_once(':').unwrap_or((variable, ""));
            (name, otherwise.starts_with('?'))
        })
        .collect()
}
