//! What one proxy serves: the documents of a set merged, listener by listener.
//!
//! A rule belongs to the listeners of its own document and to no other. Everything is sorted, so that equal sets give
//! equal values, whatever order they are merged in.

mod add;

use std::collections::BTreeMap;

use crate::address::ListenerAddress;
use crate::certificate::CertificateName;
use crate::clash::Clash;
use crate::config::{Backend, IngressConfig};
use crate::host::Host;
use crate::name::{BackendName, ConfigName};
use crate::target::Target;

/// All listeners of a set of documents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effective<'a> {
    /// By port first, so that those that overlap stand together.
    listeners: BTreeMap<(u16, ListenerAddress), EffectiveListener<'a>>,
}

/// One listener, and all that is behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EffectiveListener<'a> {
    documents: Vec<&'a ConfigName>,
    service: Service<'a>,
}

/// What a listener speaks, and where it leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Service<'a> {
    /// Bytes, to one backend.
    Tcp(Target<'a>),
    /// Requests, by host and path.
    Http(Routing<'a>),
}

/// The rules of all documents that share a listener.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Routing<'a> {
    tls: Option<Certificates<'a>>,
    hosts: BTreeMap<Option<&'a Host>, HostRoutes<'a>>,
    fallback: Option<Target<'a>>,
}

/// The paths of one host, or of every host that no rule names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostRoutes<'a> {
    exact: BTreeMap<&'a str, Target<'a>>,
    /// Without their trailing slash; `/` is the empty text.
    prefix: BTreeMap<&'a str, Target<'a>>,
}

/// The certificates of an HTTPS listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificates<'a> {
    default: &'a CertificateName,
    /// With the first document by name that says so.
    hosts: BTreeMap<&'a Host, (&'a CertificateName, &'a ConfigName)>,
}

/// A document that cannot stand beside the ones before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmergeable<'a> {
    /// The document.
    pub document: &'a IngressConfig,
    /// Why.
    pub clash: Clash,
}

/// Backends by document and name.
pub type Targets<'a> = BTreeMap<(&'a ConfigName, &'a BackendName), &'a Backend>;

impl<'a> Effective<'a> {
    /// Merges documents: of two that clash the later one is refused. With `bind`, every listener is there instead of
    /// at its own address.
    ///
    /// # Errors
    /// All documents that are refused, each for the first reason found.
    pub fn merge(
        documents: impl IntoIterator<Item = &'a IngressConfig>,
        bind: Option<ListenerAddress>,
    ) -> Result<Self, Vec<Unmergeable<'a>>> {
        let (mut merged, mut refused) = (Self::default(), Vec::new());
        for document in documents {
            if let Err(clash) = add::add(&mut merged, document, bind) {
                refused.push(Unmergeable { document, clash });
            }
        }
        if refused.is_empty() { Ok(merged) } else { Err(refused) }
    }

    /// The listeners, by port and address.
    pub fn listeners(&self) -> impl Iterator<Item = (ListenerAddress, u16, &EffectiveListener<'a>)> {
        self.listeners.iter().map(|((port, address), listener)| (*address, *port, listener))
    }

    /// The backends that requests are routed to, each once.
    pub fn http_backends(&self) -> Targets<'a> {
        let routings = self.listeners.values().filter_map(|listener| match &listener.service {
            Service::Http(routing) => Some(routing),
            Service::Tcp(_) => None,
        });
        routings.flat_map(Routing::targets).map(Target::keyed).collect()
    }

    /// The backends of TCP listeners, each once.
    pub fn tcp_backends(&self) -> Targets<'a> {
        let targets = self.listeners.values().filter_map(|listener| match &listener.service {
            Service::Tcp(target) => Some(*target),
            Service::Http(_) => None,
        });
        targets.map(Target::keyed).collect()
    }
}

impl<'a> EffectiveListener<'a> {
    /// The documents that share it, sorted by name.
    pub fn documents(&self) -> &[&'a ConfigName] {
        &self.documents
    }

    /// What it speaks, and where it leads.
    pub fn service(&self) -> &Service<'a> {
        &self.service
    }
}

impl<'a> Routing<'a> {
    /// The certificates; none without TLS.
    pub fn tls(&self) -> Option<&Certificates<'a>> {
        self.tls.as_ref()
    }

    /// The paths of each host, and of rules without one.
    pub fn hosts(&self) -> impl Iterator<Item = (Option<&'a Host>, &HostRoutes<'a>)> {
        self.hosts.iter().map(|(host, routes)| (*host, routes))
    }

    /// What serves a request that no rule matches.
    pub fn fallback(&self) -> Option<Target<'a>> {
        self.fallback
    }

    fn targets(&self) -> impl Iterator<Item = Target<'a>> {
        let of_rules =
            self.hosts.values().flat_map(|routes| routes.exact.values().chain(routes.prefix.values()));
        of_rules.copied().chain(self.fallback)
    }
}

impl<'a> HostRoutes<'a> {
    /// Paths that are compared byte by byte.
    pub fn exact(&self) -> impl Iterator<Item = (&'a str, Target<'a>)> {
        self.exact.iter().map(|(path, target)| (*path, *target))
    }

    /// Paths that are compared element by element, without their trailing slash: `/` is the empty text.
    pub fn prefix(&self) -> impl Iterator<Item = (&'a str, Target<'a>)> {
        self.prefix.iter().map(|(path, target)| (*path, *target))
    }
}

impl<'a> Certificates<'a> {
    /// The certificate for a name that no entry is for.
    pub fn default_certificate(&self) -> &'a CertificateName {
        self.default
    }

    /// The certificates of hosts.
    pub fn hosts(&self) -> impl Iterator<Item = (&'a Host, &'a CertificateName)> {
        self.hosts.iter().map(|(host, (certificate, _))| (*host, *certificate))
    }
}

#[cfg(test)]
mod tests;
