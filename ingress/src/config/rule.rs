//! Rules: from a host and a path to a backend.

use serde::Serialize;

use super::write;
use crate::host::Host;
use crate::name::BackendName;
use crate::path::HttpPath;

/// The paths of one host, or of every host that no rule names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rule {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) host: Option<Host>,
    #[serde(rename = "http", serialize_with = "write::paths")]
    pub(crate) paths: Vec<PathRule>,
}

/// One path and where it leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PathRule {
    pub(crate) path: HttpPath,
    pub(crate) path_type: PathType,
    #[serde(serialize_with = "write::reference")]
    pub(crate) backend: BackendName,
}

/// How a path is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum PathType {
    /// Byte-equal; a trailing slash counts.
    Exact,
    /// Element by element from the front; the rule's own trailing slash does not count.
    Prefix,
}

impl Rule {
    /// The host, if the rule has one.
    pub fn host(&self) -> Option<&Host> {
        self.host.as_ref()
    }

    /// The paths, at least one.
    pub fn paths(&self) -> &[PathRule] {
        &self.paths
    }
}

impl PathRule {
    /// The path as written.
    pub fn path(&self) -> &HttpPath {
        &self.path
    }

    /// How it is compared.
    pub fn path_type(&self) -> PathType {
        self.path_type
    }

    /// Where it leads.
    pub fn backend(&self) -> &BackendName {
        &self.backend
    }

    /// What two paths may not have in common: the type and the path that is really compared.
    pub fn key(&self) -> (PathType, &str) {
        match self.path_type {
            PathType::Exact => (PathType::Exact, self.path.as_str()),
            PathType::Prefix => (PathType::Prefix, self.path.as_prefix()),
        }
    }
}
