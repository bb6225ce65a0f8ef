//! The canonical form of a document.

use std::io;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use super::{API_VERSION, IngressConfig, KIND, PathRule, Spec};
use crate::label::Labels;
use crate::name::ConfigName;

impl IngressConfig {
    /// The canonical JSON, without spaces: equal documents give equal bytes.
    pub fn to_canonical_json(&self) -> String {
        // Nothing here can refuse to be written: keys are fixed or text, values text, numbers and lists.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The canonical form as YAML, which reads back as the same document while it is within 1 MiB.
    pub fn to_yaml(&self) -> String {
        let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
        serde_saphyr::to_string_with_options(self, options).unwrap_or_default()
    }

    /// The length of the canonical JSON.
    pub(super) fn canonical_bytes(&self) -> usize {
        let mut counter = Counter { bytes: 0 };
        match serde_json::to_writer(&mut counter, self) {
            Ok(()) => counter.bytes,
            Err(_) => usize::MAX,
        }
    }
}

struct Counter {
    bytes: usize,
}

impl io::Write for Counter {
    fn write(&mut self, written: &[u8]) -> io::Result<usize> {
        self.bytes += written.len();
        Ok(written.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Serialize for IngressConfig {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let metadata = Metadata { name: &self.name, labels: &self.labels };
        let document = Document { api_version: API_VERSION, kind: KIND, metadata, spec: &self.spec };
        document.serialize(serializer)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    api_version: &'static str,
    kind: &'static str,
    metadata: Metadata<'a>,
    spec: &'a Spec,
}

#[derive(Serialize)]
struct Metadata<'a> {
    name: &'a ConfigName,
    #[serde(skip_serializing_if = "Labels::is_empty")]
    labels: &'a Labels,
}

/// `{"name": …}`
pub(super) fn reference<T: Serialize, S: Serializer>(name: &T, serializer: S) -> Result<S::Ok, S::Error> {
    let mut reference = serializer.serialize_struct("Reference", 1)?;
    reference.serialize_field("name", name)?;
    reference.end()
}

/// `{"name": …}` of a name that is there.
pub(super) fn optional_reference<T: Serialize, S: Serializer>(
    name: &Option<T>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match name {
        Some(name) => reference(name, serializer),
        None => serializer.serialize_none(),
    }
}

/// `{"paths": […]}`
pub(super) fn paths<S: Serializer>(paths: &[PathRule], serializer: S) -> Result<S::Ok, S::Error> {
    let mut http = serializer.serialize_struct("Http", 1)?;
    http.serialize_field("paths", paths)?;
    http.end()
}
