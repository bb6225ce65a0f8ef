//! The ingress document of Bellwether: its words, its parser, its limits, its clashes and its digests.
//!
//! Everything here is pure. [`IngressConfig`] has one constructor, `TryFrom<RawConfig>`, that every edge (YAML,
//! HTTP, AMQP, the store, a state directory) goes through, so a document that exists has been checked.
//! [`clashes`] decides what several documents may not do together, [`effective`] merges them for a proxy, and
//! [`matcher`] says what a proxy must do with a request.
#![deny(missing_docs)]

mod address;
mod certificate;
mod clash;
mod config;
mod digest;
mod document_errors;
pub mod effective;
mod error;
mod host;
mod label;
pub mod limits;
pub mod matcher;
mod name;
mod newtype;
mod path;
mod problems;
mod raw;
mod reader;
mod revision;
mod selector;
mod status;
mod target;
mod time_span;
mod tree;

pub use address::{EndpointAddress, ListenerAddress};
pub use certificate::CertificateName;
pub use clash::{Clash, clashes};
pub use config::{
    Backend, Balance, Endpoint, HealthCheck, HealthProbe, IngressConfig, Listener, PathRule, PathType,
    Protocol, Rule, Spec, Timeouts, Tls, documents_from_yaml,
};
pub use digest::Digest;
pub use document_errors::{DocumentError, DocumentErrors};
pub use error::{Error, Excerpt};
pub use host::Host;
pub use label::{LabelKey, LabelValue, Labels};
pub use name::{BackendName, ConfigName, ListenerName};
pub use path::HttpPath;
pub use raw::RawConfig;
pub use revision::Revision;
pub use selector::Selector;
pub use status::ExpectStatus;
pub use time_span::TimeSpan;
