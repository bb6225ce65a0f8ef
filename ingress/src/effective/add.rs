//! Adds one document to those that are merged, or says why it cannot stand beside them.

use std::collections::{BTreeMap, HashMap};

use super::{Certificates, Effective, EffectiveListener, HostRoutes, Routing, Service};
use crate::address::ListenerAddress;
use crate::clash::Clash;
use crate::config::{Backend, IngressConfig, Listener, PathRule, PathType, Protocol};
use crate::name::{BackendName, ConfigName};
use crate::target::Target;
use crate::tree::{at, show_path};

/// Adds a document as a whole, or nothing of it.
pub(super) fn add<'a>(
    merged: &mut Effective<'a>,
    document: &'a IngressConfig,
    bind: Option<ListenerAddress>,
) -> Result<(), Clash> {
    let mut own: BTreeMap<(u16, ListenerAddress), (usize, &Listener)> = BTreeMap::new();
    for (index, listener) in document.spec().listeners().iter().enumerate() {
        let key = (listener.port(), bind.unwrap_or(listener.address()));
        let field = || show_path(&at!["listeners", index, "port"]);
        // With an address of the node's choice, two of the document's own can become one.
        if let Some((_, twin)) = own.insert(key, (index, listener)).filter(|(_, twin)| !same(twin, listener))
        {
            return Err(taken(document.name(), field(), (twin.port(), key.1)));
        }
        for (address, there) in overlapping(merged, key) {
            there.admits(document, listener, address == key.1, || {
                taken(there.owner(document.name()), field(), (key.0, address))
            })?;
        }
    }
    let backends = document.spec().backends().iter().map(|backend| (backend.name(), backend)).collect();
    for (key, (_, listener)) in own {
        join(merged, key, document, listener.protocol(), &backends);
    }
    Ok(())
}

fn taken(owner: &ConfigName, field: String, (port, address): (u16, ListenerAddress)) -> Clash {
    Clash::Listener { owner: owner.clone(), field, address, port }
}

/// Whether two listeners at one place can be one.
fn same(one: &Listener, other: &Listener) -> bool {
    one.is_http() && one.protocol() == other.protocol()
}

/// The listeners that cannot be bound beside one on this port and address.
fn overlapping<'m, 'a>(
    merged: &'m Effective<'a>,
    (port, address): (u16, ListenerAddress),
) -> Vec<(ListenerAddress, &'m EffectiveListener<'a>)> {
    let lowest = ListenerAddress::default();
    let on_port = merged.listeners.range((port, lowest)..).take_while(|((taken, _), _)| *taken == port);
    let overlapping = on_port.filter(|((_, there), _)| there.overlaps(address));
    overlapping.map(|((_, there), listener)| (*there, listener)).collect()
}

impl<'a> EffectiveListener<'a> {
    /// The document that was there first, as far as it is known.
    fn owner<'n>(&'n self, but: &'n ConfigName) -> &'n ConfigName {
        self.documents.first().copied().unwrap_or(but)
    }

    /// Whether a document may share this listener.
    fn admits(
        &self,
        document: &IngressConfig,
        listener: &Listener,
        same_place: bool,
        taken: impl FnOnce() -> Clash,
    ) -> Result<(), Clash> {
        match &self.service {
            Service::Http(routing) if same_place && routing.speaks(listener.protocol()) => {
                routing.admits(document)
            }
            _ => Err(taken()),
        }
    }
}

impl<'a> Routing<'a> {
    fn speaks(&self, protocol: &Protocol) -> bool {
        match (protocol, &self.tls) {
            (Protocol::Http, None) => true,
            (Protocol::Https { default_certificate }, Some(tls)) => tls.default == default_certificate,
            _ => false,
        }
    }

    fn admits(&self, document: &IngressConfig) -> Result<(), Clash> {
        for (rule_index, rule) in document.spec().rules().iter().enumerate() {
            let Some(routes) = self.hosts.get(&rule.host()) else { continue };
            let mut paths = rule.paths().iter().enumerate();
            if let Some((index, owner)) = paths.find_map(|(index, path)| Some((index, routes.owner(path)?))) {
                let field = show_path(&at!["rules", rule_index, "http", "paths", index, "path"]);
                return Err(Clash::Route { owner: owner.clone(), field });
            }
        }
        if let (Some(_), Some(there)) = (document.spec().default_backend(), self.fallback) {
            let field = show_path(&at!["defaultBackend"]);
            return Err(Clash::DefaultBackend { owner: there.config.clone(), field });
        }
        self.tls.as_ref().map_or(Ok(()), |tls| tls.admits(document))
    }
}

impl<'a> HostRoutes<'a> {
    fn owner(&self, path: &PathRule) -> Option<&'a ConfigName> {
        let (path_type, text) = path.key();
        let paths = match path_type {
            PathType::Exact => &self.exact,
            PathType::Prefix => &self.prefix,
        };
        paths.get(text).map(|target| target.config)
    }
}

impl<'a> Certificates<'a> {
    fn admits(&self, document: &IngressConfig) -> Result<(), Clash> {
        for (entry, tls) in document.spec().tls().iter().enumerate() {
            for (index, host) in tls.hosts().iter().enumerate() {
                if let Some((_, owner)) =
                    self.hosts.get(host).filter(|(there, _)| *there != tls.certificate())
                {
                    let field = show_path(&at!["tls", entry, "hosts", index]);
                    return Err(Clash::Certificate { owner: (*owner).clone(), field });
                }
            }
        }
        Ok(())
    }
}

type Backends<'a> = HashMap<&'a BackendName, &'a Backend>;

fn join<'a>(
    merged: &mut Effective<'a>,
    key: (u16, ListenerAddress),
    document: &'a IngressConfig,
    protocol: &'a Protocol,
    backends: &Backends<'a>,
) {
    let target = |name| backends.get(name).map(|backend| Target { config: document.name(), backend });
    let service = match protocol {
        // A document that names a backend has it.
        Protocol::Tcp { backend } => target(backend).map(Service::Tcp),
        Protocol::Http => Some(Service::Http(Routing::default())),
        Protocol::Https { default_certificate } => {
            let tls = Certificates { default: default_certificate, hosts: BTreeMap::new() };
            Some(Service::Http(Routing { tls: Some(tls), ..Routing::default() }))
        }
    };
    let Some(service) = service else { return };
    let listener = merged.listeners.entry(key);
    let listener = listener.or_insert(EffectiveListener { documents: Vec::new(), service });
    if let Err(place) = listener.documents.binary_search(&document.name()) {
        listener.documents.insert(place, document.name());
    }
    let Service::Http(routing) = &mut listener.service else { return };
    routing.fallback = routing.fallback.or(document.spec().default_backend().and_then(target));
    for rule in document.spec().rules() {
        let routes: &mut HostRoutes<'a> = routing.hosts.entry(rule.host()).or_default();
        routes.extend(rule.paths(), target);
    }
    if let Some(tls) = &mut routing.tls {
        tls.extend(document);
    }
}

impl<'a> HostRoutes<'a> {
    fn extend(&mut self, paths: &'a [PathRule], target: impl Fn(&'a BackendName) -> Option<Target<'a>>) {
        for path in paths {
            let Some(target) = target(path.backend()) else { continue };
            let (path_type, text) = path.key();
            match path_type {
                PathType::Exact => self.exact.insert(text, target),
                PathType::Prefix => self.prefix.insert(text, target),
            };
        }
    }
}

impl<'a> Certificates<'a> {
    fn extend(&mut self, document: &'a IngressConfig) {
        for tls in document.spec().tls() {
            for host in tls.hosts() {
                let said = (tls.certificate(), document.name());
                self.hosts.entry(host).and_modify(|first| *first = (*first).min(said)).or_insert(said);
            }
        }
    }
}
