//! What the parts of one document may not say against each other.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use super::{Listener, Protocol, Spec};
use crate::document_errors::DocumentErrors;
use crate::limits::{MAX_ENDPOINTS, MAX_PATHS};
use crate::name::BackendName;
use crate::problems::Problems;
use crate::tree::{Node, Step, at};

/// Every check, each in time linear in the document; `root` is the tree that `spec` was read from.
pub(super) fn within(spec: &Spec, root: &Node) -> Result<(), DocumentErrors> {
    let mut checks = Checks { spec, root, problems: Problems::default() };
    checks.listeners();
    checks.listener_protocols();
    checks.tls_hosts();
    checks.default_backend();
    checks.rules();
    checks.backends();
    checks.problems.or(Some(())).map(drop)
}

struct Checks<'a> {
    spec: &'a Spec,
    root: &'a Node,
    problems: Problems,
}

impl<'a> Checks<'a> {
    fn refuse(&mut self, steps: Vec<Step>, message: String) {
        self.problems.add(self.root.locate(&steps), || steps, || message);
    }

    fn known_backends(&self) -> HashSet<&'a BackendName> {
        self.spec.backends.iter().map(|backend| &backend.name).collect()
    }

    /// Names once; a port once on the same or on every address. There are at most 64, so pairs are compared.
    fn listeners(&mut self) {
        let listeners = &self.spec.listeners;
        for (index, listener) in listeners.iter().enumerate() {
            let before = || listeners.iter().take(index);
            if before().any(|other| other.name == listener.name) {
                let message = format!("a second listener named {}: rename it", listener.name);
                self.refuse(at!["listeners", index, "name"], message);
            }
            if let Some(other) = before().find(|other| other.overlaps(listener)) {
                let message = format!("port {} is already taken by listener {}", listener.port, other.name);
                self.refuse(at!["listeners", index, "port"], message);
            }
        }
    }

    fn listener_protocols(&mut self) {
        let known = self.known_backends();
        for (index, listener) in self.spec.listeners.iter().enumerate() {
            if let Protocol::Tcp { backend } = &listener.protocol {
                self.reference(&known, backend, || at!["listeners", index, "backend", "name"]);
            }
        }
        if !self.spec.rules.is_empty() && !self.spec.listeners.iter().any(Listener::is_http) {
            self.refuse(at!["rules"], "rules need a listener of protocol HTTP or HTTPS: add one".to_owned());
        }
    }

    fn tls_hosts(&mut self) {
        let mut seen = FirstAt::default();
        for (entry, tls) in self.spec.tls.iter().enumerate() {
            for (index, host) in tls.hosts.iter().enumerate() {
                if let Some((entry_before, _)) = seen.put(host, (entry, index)) {
                    let message =
                        format!("{host} already has a certificate in spec.tls[{entry_before}]: keep one");
                    self.refuse(at!["tls", entry, "hosts", index], message);
                }
            }
        }
    }

    fn default_backend(&mut self) {
        let known = self.known_backends();
        if let Some(backend) = &self.spec.default_backend {
            self.reference(&known, backend, || at!["defaultBackend", "name"]);
        }
    }

    fn rules(&mut self) {
        let known = self.known_backends();
        let mut seen = FirstAt::default();
        let mut total = 0;
        for (rule_index, rule) in self.spec.rules.iter().enumerate() {
            total += rule.paths.len();
            for (index, path) in rule.paths.iter().enumerate() {
                let field = |name: &str| at!["rules", rule_index, "http", "paths", index, name];
                if let Some((rule_before, before)) = seen.put((&rule.host, path.key()), (rule_index, index)) {
                    let message = format!(
                        "the same host, pathType and path as spec.rules[{rule_before}].http.paths[{before}]: keep one"
                    );
                    self.refuse(field("path"), message);
                }
                self.reference(&known, &path.backend, || {
                    at!["rules", rule_index, "http", "paths", index, "backend", "name"]
                });
            }
        }
        if total > MAX_PATHS {
            self.refuse(at!["rules"], format!("{total} paths in all: at most {MAX_PATHS}"));
        }
    }

    fn backends(&mut self) {
        let mut seen = FirstAt::default();
        let mut total = 0;
        for (index, backend) in self.spec.backends.iter().enumerate() {
            total += backend.endpoints.len();
            if let Some(before) = seen.put(&backend.name, index) {
                let message = format!("the same name as spec.backends[{before}]: rename it");
                self.refuse(at!["backends", index, "name"], message);
            }
            self.endpoints(index);
        }
        if total > MAX_ENDPOINTS {
            self.refuse(at!["backends"], format!("{total} endpoints in all: at most {MAX_ENDPOINTS}"));
        }
    }

    fn endpoints(&mut self, backend_index: usize) {
        let Some(backend) = self.spec.backends.get(backend_index) else {
            return;
        };
        let mut seen = FirstAt::default();
        for (index, endpoint) in backend.endpoints.iter().enumerate() {
            if let Some(before) = seen.put((endpoint.address, endpoint.port), index) {
                let message =
                    format!("the same address and port as endpoints[{before}]: use its weight instead");
                self.refuse(at!["backends", backend_index, "endpoints", index, "address"], message);
            }
        }
    }

    fn reference(
        &mut self,
        known: &HashSet<&BackendName>,
        name: &BackendName,
        steps: impl FnOnce() -> Vec<Step>,
    ) {
        if !known.contains(name) {
            self.refuse(
                steps(),
                format!("no backend named {name} in spec.backends: add it or correct the name"),
            );
        }
    }
}

/// Where each key was seen first.
struct FirstAt<K, V>(HashMap<K, V>);

impl<K, V> Default for FirstAt<K, V> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Eq + Hash, V: Copy> FirstAt<K, V> {
    /// Where `key` was seen before, if it was.
    fn put(&mut self, key: K, at: V) -> Option<V> {
        match self.0.entry(key) {
            std::collections::hash_map::Entry::Occupied(before) => Some(*before.get()),
            std::collections::hash_map::Entry::Vacant(free) => {
                free.insert(at);
                None
            }
        }
    }
}
