//! The checked document and its parts.

mod backend;
mod checks;
mod listener;
mod read;
mod rule;
mod write;

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

pub use backend::{Backend, Balance, Endpoint, HealthCheck, HealthProbe, Timeouts};
pub use listener::{Listener, Protocol, Tls};
pub use rule::{PathRule, PathType, Rule};

use crate::document_errors::DocumentErrors;
use crate::label::Labels;
use crate::name::{BackendName, ConfigName};
use crate::raw::RawConfig;
use crate::selector::Selector;
use crate::tree::refuse;

/// The `apiVersion` of every document.
const API_VERSION: &str = "bellwether/v1";
/// The `kind` of every document.
const KIND: &str = "IngressConfig";

/// A document that keeps every rule there is for one document.
///
/// Built only by `TryFrom<RawConfig>`; the functions below and `Deserialize` all end there. Serialized it is the
/// canonical form: fixed defaults written out, what is absent left out, durations, statuses and selectors in one
/// spelling, lists in their own order. Equal values give equal bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct IngressConfig {
    pub(crate) name: ConfigName,
    pub(crate) labels: Labels,
    pub(crate) spec: Spec,
}

/// What a document asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Spec {
    #[serde(skip_serializing_if = "Selector::is_all")]
    pub(crate) selector: Selector,
    pub(crate) listeners: Vec<Listener>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) tls: Vec<Tls>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "write::optional_reference")]
    pub(crate) default_backend: Option<BackendName>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) rules: Vec<Rule>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) backends: Vec<Backend>,
}

/// A document may say what nobody else should read: the name alone is shown.
impl fmt::Debug for IngressConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IngressConfig").field("name", &self.name).finish_non_exhaustive()
    }
}

impl IngressConfig {
    /// Reads one document from YAML.
    ///
    /// # Errors
    /// What is wrong, with lines and columns.
    pub fn from_yaml(yaml: &str) -> Result<Self, DocumentErrors> {
        RawConfig::from_yaml(yaml)?.try_into()
    }

    /// Reads one document from JSON.
    ///
    /// # Errors
    /// What is wrong; lines and columns for syntax only.
    pub fn from_json(json: &[u8]) -> Result<Self, DocumentErrors> {
        RawConfig::from_json(json)?.try_into()
    }

    /// The name, unique within a fleet.
    pub fn name(&self) -> &ConfigName {
        &self.name
    }

    /// The document's own labels.
    pub fn labels(&self) -> &Labels {
        &self.labels
    }

    /// Which agents serve it.
    pub fn selector(&self) -> &Selector {
        &self.spec.selector
    }

    /// What it asks for.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }
}

impl Spec {
    /// Which agents serve the document.
    pub fn selector(&self) -> &Selector {
        &self.selector
    }

    /// Where proxies listen: 1 to 64.
    pub fn listeners(&self) -> &[Listener] {
        &self.listeners
    }

    /// Certificates by host, for every HTTPS listener of the document.
    pub fn tls(&self) -> &[Tls] {
        &self.tls
    }

    /// What serves a request that no rule matches.
    pub fn default_backend(&self) -> Option<&BackendName> {
        self.default_backend.as_ref()
    }

    /// Routes, for every HTTP and HTTPS listener of the document.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// What routes lead to; names are unique.
    pub fn backends(&self) -> &[Backend] {
        &self.backends
    }

    /// The backend of this name.
    pub fn backend(&self, name: &BackendName) -> Option<&Backend> {
        self.backends.iter().find(|backend| backend.name() == name)
    }
}

/// Reads the documents of a YAML text, separated by `---` and of different names.
///
/// # Errors
/// What is wrong with the first bad one, with lines and columns; a text without a document is an error too.
pub fn documents_from_yaml(yaml: &str) -> Result<Vec<IngressConfig>, DocumentErrors> {
    let mut names = BTreeSet::new();
    let mut configs = Vec::new();
    RawConfig::each_from_yaml(yaml, |raw| {
        let position = raw.root.locate(&["metadata".into(), "name".into()]);
        let config = IngressConfig::try_from(raw)?;
        if !names.insert(config.name.clone()) {
            let message = format!("a second document named {} in one file: rename or remove it", config.name);
            return Err(refuse("metadata.name".to_owned(), position, message));
        }
        configs.push(config);
        Ok(())
    })?;
    Ok(configs)
}
