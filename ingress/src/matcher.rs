//! What a proxy must do with a request: the reference that every driver is held against.
//!
//! It follows "Matching" of the specification, for one listener and all documents that share it.

mod request;

use std::collections::HashMap;

pub use crate::target::Target;
pub use request::{BadRequest, Request, Version};

use crate::address::ListenerAddress;
use crate::certificate::CertificateName;
use crate::config::{IngressConfig, PathRule, PathType, Protocol};
use crate::name::BackendName;
use crate::path::HttpPath;
use request::{Parsed, normal_host};

/// What a proxy must do with one request. Target and Host are forwarded as they came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer<'a> {
    /// Forward it to one of this backend's endpoints whose weight is not 0.
    Forward(Target<'a>),
    /// 400: the request is one that proxies read differently.
    BadRequest(BadRequest),
    /// 404: no rule and no default backend.
    NotFound,
    /// 503: the backend has no endpoint, or only such of weight 0.
    Unavailable(Target<'a>),
}

/// One listener of a set of documents, ready to answer.
#[derive(Clone, Debug)]
pub struct Matcher<'a> {
    /// For TCP the only target, for HTTP the default one.
    fallback: Option<Target<'a>>,
    /// None for TCP. Keyed by host as written; rules without one stand under the empty text.
    hosts: Option<HashMap<&'a str, Routes<'a>>>,
    default_certificate: Option<&'a CertificateName>,
    certificates: HashMap<&'a str, &'a CertificateName>,
}

/// The paths of one host.
#[derive(Clone, Debug, Default)]
struct Routes<'a> {
    exact: HashMap<&'a str, Target<'a>>,
    /// Without the trailing slash; `/` is the empty text.
    prefix: HashMap<&'a str, Target<'a>>,
}

impl Answer<'_> {
    /// The status that the proxy answers itself; none if the request is forwarded.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Forward(_) => None,
            Self::BadRequest(_) => Some(400),
            Self::NotFound => Some(404),
            Self::Unavailable(_) => Some(503),
        }
    }
}

impl<'a> Matcher<'a> {
    /// The listener of `documents` at this address and port; none if there is no such listener.
    ///
    /// The documents are taken not to clash ([`crate::clashes`]).
    pub fn for_listener(
        documents: impl IntoIterator<Item = &'a IngressConfig>,
        address: ListenerAddress,
        port: u16,
    ) -> Option<Self> {
        let mut matcher = None;
        for document in documents {
            let listeners = document.spec().listeners().iter();
            for listener in
                listeners.filter(|listener| (listener.address(), listener.port()) == (address, port))
            {
                matcher.get_or_insert_with(Self::empty).add(document, listener.protocol());
            }
        }
        matcher
    }

    /// What to do with `request`. On a TCP listener nothing is read of it.
    pub fn answer(&self, request: &Request<'_>) -> Answer<'a> {
        let Some(hosts) = &self.hosts else {
            return answer_from(self.fallback);
        };
        let parsed = match request.parse() {
            Ok(parsed) => parsed,
            Err(bad) => return Answer::BadRequest(bad),
        };
        let routes = routes_of(hosts, &parsed);
        answer_from(routes.and_then(|routes| routes.find(&parsed.path)).or(self.fallback))
    }

    /// The certificate to show a client that asks for `sni`: exact, then one-label wildcard, then the default.
    /// None on a listener without TLS.
    pub fn certificate(&self, sni: Option<&str>) -> Option<&'a CertificateName> {
        let host = sni.and_then(normal_host);
        let found = host.and_then(|host| {
            let wildcard = wildcard_for(&host).and_then(|wildcard| self.certificates.get(wildcard.as_str()));
            self.certificates.get(host.as_str()).or(wildcard).copied()
        });
        self.default_certificate.map(|default| found.unwrap_or(default))
    }

    fn empty() -> Self {
        Self { fallback: None, hosts: None, default_certificate: None, certificates: HashMap::new() }
    }

    fn add(&mut self, document: &'a IngressConfig, protocol: &'a Protocol) {
        match protocol {
            Protocol::Tcp { backend } => self.fallback = target(document, backend),
            Protocol::Http => self.add_routes(document),
            Protocol::Https { default_certificate } => {
                self.default_certificate = Some(default_certificate);
                self.add_routes(document);
                self.add_certificates(document);
            }
        }
    }

    fn add_routes(&mut self, document: &'a IngressConfig) {
        let spec = document.spec();
        self.fallback = self.fallback.or(spec.default_backend().and_then(|name| target(document, name)));
        let backends: HashMap<_, _> =
            spec.backends().iter().map(|backend| (backend.name(), backend)).collect();
        let hosts = self.hosts.get_or_insert_default();
        for rule in spec.rules() {
            let routes = hosts.entry(rule.host().map_or("", |host| host.as_str())).or_default();
            for path in rule.paths() {
                if let Some(backend) = backends.get(path.backend()) {
                    routes.add(path, Target { config: document.name(), backend });
                }
            }
        }
    }

    fn add_certificates(&mut self, document: &'a IngressConfig) {
        for tls in document.spec().tls() {
            for host in tls.hosts() {
                self.certificates.insert(host.as_str(), tls.certificate());
            }
        }
    }
}

fn target<'a>(document: &'a IngressConfig, name: &BackendName) -> Option<Target<'a>> {
    document.spec().backend(name).map(|backend| Target { config: document.name(), backend })
}

fn answer_from(target: Option<Target<'_>>) -> Answer<'_> {
    match target {
        None => Answer::NotFound,
        Some(target) if target.backend.is_available() => Answer::Forward(target),
        Some(target) => Answer::Unavailable(target),
    }
}

/// The rules of the most specific host, and of no other: there is no falling through.
fn routes_of<'r, 'a>(hosts: &'r HashMap<&'a str, Routes<'a>>, request: &Parsed) -> Option<&'r Routes<'a>> {
    let Some(host) = &request.host else {
        return hosts.get("");
    };
    let wildcard = || wildcard_for(host).and_then(|wildcard| hosts.get(wildcard.as_str()));
    hosts.get(host.as_str()).or_else(wildcard).or_else(|| hosts.get(""))
}

/// The wildcard that stands for `host`: `*.` instead of its first label.
fn wildcard_for(host: &str) -> Option<String> {
    host.split_once('.').map(|(_, parent)| format!("*.{parent}"))
}

impl<'a> Routes<'a> {
    fn add(&mut self, path: &'a PathRule, target: Target<'a>) {
        let (path_type, text) = path.key();
        match path_type {
            PathType::Exact => self.exact.insert(text, target),
            PathType::Prefix => self.prefix.insert(text, target),
        };
    }

    fn find(&self, path: &[u8]) -> Option<Target<'a>> {
        let exact = text(path).and_then(|path| self.exact.get(path));
        exact.or_else(|| prefixes(path).find_map(|prefix| self.prefix.get(prefix))).copied()
    }
}

/// What a rule can be compared with: rules are ASCII.
fn text(path: &[u8]) -> Option<&str> {
    std::str::from_utf8(path).ok()
}

/// The path and all that it is under, longest first, none longer than a rule can be.
fn prefixes(path: &[u8]) -> impl Iterator<Item = &str> {
    let ends = (0..=path.len().min(HttpPath::MAX_BYTES)).rev();
    ends.filter(|end| path.get(*end).is_none_or(|byte| *byte == b'/'))
        .filter_map(|end| path.get(..end))
        .filter_map(text)
}
