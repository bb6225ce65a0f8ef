//! What several documents may not do together.

use std::collections::{HashMap, HashSet};

use crate::address::ListenerAddress;
use crate::certificate::CertificateName;
use crate::config::{IngressConfig, Listener, PathType, Protocol};
use crate::host::Host;
use crate::limits::{MAX_FLEET_BACKENDS, MAX_FLEET_HOSTS, MAX_FLEET_PATHS};
use crate::name::ConfigName;
use crate::tree::{Step, at, show_path};

/// Why a document cannot stand beside the others; its text names the owner and the field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Clash {
    /// A port that is taken by an unequal listener, or by a TCP listener, which cannot be shared.
    #[error("{field}: port {port} on {address} belongs to document {owner}, whose listener is another one")]
    Listener {
        /// The document that was there first.
        owner: ConfigName,
        /// The field of the new document.
        field: String,
        /// The owner's address.
        address: ListenerAddress,
        /// The port of both.
        port: u16,
    },
    /// A host, pathType and path that another document has on a shared listener.
    #[error(
        "{field}: this host, pathType and path belong to document {owner} on the listener that both share"
    )]
    Route {
        /// The document that was there first.
        owner: ConfigName,
        /// The field of the new document.
        field: String,
    },
    /// A second default backend on a shared listener.
    #[error("{field}: the default backend of the shared listener belongs to document {owner}")]
    DefaultBackend {
        /// The document that was there first.
        owner: ConfigName,
        /// The field of the new document.
        field: String,
    },
    /// Another certificate for a host on a shared HTTPS listener.
    #[error(
        "{field}: document {owner} has another certificate for this host on the listener that both share"
    )]
    Certificate {
        /// The document that was there first.
        owner: ConfigName,
        /// The field of the new document.
        field: String,
    },
    /// More than a fleet's whole set may hold.
    #[error("{field}: the fleet would have {count} {what}, at most {max} are allowed: delete some first")]
    FleetLimit {
        /// The field of the new document.
        field: String,
        /// What there is too much of.
        what: &'static str,
        /// How many there would be.
        count: usize,
        /// How many there may be.
        max: usize,
    },
}

impl Clash {
    /// The document that the new one clashes with; none if the whole set is too large.
    pub fn owner(&self) -> Option<&ConfigName> {
        match self {
            Self::Listener { owner, .. }
            | Self::Route { owner, .. }
            | Self::DefaultBackend { owner, .. }
            | Self::Certificate { owner, .. } => Some(owner),
            Self::FleetLimit { .. } => None,
        }
    }

    /// The field of the new document, as in `spec.rules[0].http.paths[1].path`.
    pub fn field(&self) -> &str {
        match self {
            Self::Listener { field, .. }
            | Self::Route { field, .. }
            | Self::DefaultBackend { field, .. }
            | Self::Certificate { field, .. }
            | Self::FleetLimit { field, .. } => field,
        }
    }
}

/// Whether `new` can stand beside `existing`, in time linear in all of them.
///
/// A document of the same name is the one that `new` replaces and is left out. Selectors do not count: two
/// documents clash even if no agent has both today, since a label may change at any time.
///
/// # Errors
/// The first clash found.
pub fn clashes(existing: &[&IngressConfig], new: &IngressConfig) -> Result<(), Clash> {
    let others: Vec<&IngressConfig> =
        existing.iter().copied().filter(|other| other.name() != new.name()).collect();
    listeners(&others, new)?;
    let neighbours: Vec<&IngressConfig> =
        others.iter().copied().filter(|other| share_http(other, new)).collect();
    routes(&neighbours, new)?;
    default_backend(&neighbours, new)?;
    certificates(&others, new)?;
    fleet_limits(&others, new)
}

fn field(steps: Vec<Step>) -> String {
    show_path(&steps)
}

/// Equal listeners are shared; any other overlap is refused, and so is a second TCP listener, whose bytes can only
/// go to one document's backend.
fn listeners(others: &[&IngressConfig], new: &IngressConfig) -> Result<(), Clash> {
    for other in others {
        for taken in other.spec().listeners() {
            let clashing = |(_, own): &(usize, &Listener)| own.overlaps(taken) && !can_share(own, taken);
            if let Some((index, _)) = new.spec().listeners().iter().enumerate().find(clashing) {
                return Err(Clash::Listener {
                    owner: other.name().clone(),
                    field: field(at!["listeners", index, "port"]),
                    address: taken.address(),
                    port: taken.port(),
                });
            }
        }
    }
    Ok(())
}

fn can_share(one: &Listener, other: &Listener) -> bool {
    one.address() == other.address()
        && one.port() == other.port()
        && one.protocol() == other.protocol()
        && one.is_http()
}

fn shared<'a>(one: &'a IngressConfig, other: &'a IngressConfig) -> impl Iterator<Item = &'a Listener> {
    let theirs = other.spec().listeners();
    one.spec().listeners().iter().filter(|own| theirs.iter().any(|taken| can_share(own, taken)))
}

/// Whether the rules of both meet on a listener: a rule belongs to every HTTP(S) listener of its document.
fn share_http(one: &IngressConfig, other: &IngressConfig) -> bool {
    shared(one, other).next().is_some()
}

fn share_https(one: &IngressConfig, other: &IngressConfig) -> bool {
    shared(one, other).any(|listener| matches!(listener.protocol(), Protocol::Https { .. }))
}

type RouteKey<'a> = (Option<&'a Host>, (PathType, &'a str));

fn route_keys(config: &IngressConfig) -> impl Iterator<Item = ((usize, usize), RouteKey<'_>)> {
    config.spec().rules().iter().enumerate().flat_map(|(rule_index, rule)| {
        let paths = rule.paths().iter().enumerate();
        paths.map(move |(index, path)| ((rule_index, index), (rule.host(), path.key())))
    })
}

fn routes(neighbours: &[&IngressConfig], new: &IngressConfig) -> Result<(), Clash> {
    let own: HashMap<RouteKey<'_>, (usize, usize)> = route_keys(new).map(|(at, key)| (key, at)).collect();
    for other in neighbours {
        if let Some((rule, path)) = route_keys(other).find_map(|(_, key)| own.get(&key).copied()) {
            let field = field(at!["rules", rule, "http", "paths", path, "path"]);
            return Err(Clash::Route { owner: other.name().clone(), field });
        }
    }
    Ok(())
}

fn default_backend(neighbours: &[&IngressConfig], new: &IngressConfig) -> Result<(), Clash> {
    let owner = neighbours.iter().find(|other| other.spec().default_backend().is_some());
    match (new.spec().default_backend(), owner) {
        (Some(_), Some(owner)) => {
            Err(Clash::DefaultBackend { owner: owner.name().clone(), field: field(at!["defaultBackend"]) })
        }
        _ => Ok(()),
    }
}

type HostCertificate<'a> = (&'a Host, &'a CertificateName);

fn tls_hosts(config: &IngressConfig) -> impl Iterator<Item = ((usize, usize), HostCertificate<'_>)> {
    config.spec().tls().iter().enumerate().flat_map(|(entry, tls)| {
        let hosts = tls.hosts().iter().enumerate();
        hosts.map(move |(index, host)| ((entry, index), (host, tls.certificate())))
    })
}

/// A host may be named by several documents as long as all name the same certificate.
fn certificates(others: &[&IngressConfig], new: &IngressConfig) -> Result<(), Clash> {
    let own: HashMap<&Host, _> =
        tls_hosts(new).map(|(at, (host, certificate))| (host, (at, certificate))).collect();
    if own.is_empty() {
        return Ok(());
    }
    for other in others.iter().filter(|other| share_https(other, new)) {
        for (_, (host, certificate)) in tls_hosts(other) {
            if let Some(((entry, index), _)) = own.get(host).filter(|(_, own)| *own != certificate) {
                let field = field(at!["tls", *entry, "hosts", *index]);
                return Err(Clash::Certificate { owner: other.name().clone(), field });
            }
        }
    }
    Ok(())
}

fn fleet_limits(others: &[&IngressConfig], new: &IngressConfig) -> Result<(), Clash> {
    let all = || others.iter().copied().chain([new]);
    let hosts: HashSet<&Host> =
        all().flat_map(|config| config.spec().rules()).filter_map(|rule| rule.host()).collect();
    let paths = all().flat_map(|config| config.spec().rules()).map(|rule| rule.paths().len()).sum();
    let backends = all().map(|config| config.spec().backends().len()).sum();
    limit("rules", "hosts", hosts.len(), MAX_FLEET_HOSTS)?;
    limit("rules", "paths", paths, MAX_FLEET_PATHS)?;
    limit("backends", "backends", backends, MAX_FLEET_BACKENDS)
}

fn limit(key: &str, what: &'static str, count: usize, max: usize) -> Result<(), Clash> {
    if count <= max {
        return Ok(());
    }
    Err(Clash::FleetLimit { field: field(at![key]), what, count, max })
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEB: &str = "{name: web, port: 80, protocol: HTTP}";
    const TLS: &str = "{name: tls, port: 443, protocol: HTTPS, defaultCertificate: {name: c}}";

    fn config(name: &str, listeners: &str, rest: &str) -> IngressConfig {
        let yaml = format!(
            "{{apiVersion: bellwether/v1, kind: IngressConfig, metadata: {{name: {name}}}, spec: {{listeners: \
             [{listeners}], backends: [{{name: b, endpoints: []}}]{rest}}}}}"
        );
        IngressConfig::from_yaml(&yaml).unwrap_or_else(|errors| panic!("{errors}\n{yaml}"))
    }

    fn rule(host: &str, path: &str, path_type: &str) -> String {
        let path = format!("{{path: {path}, pathType: {path_type}, backend: {{name: b}}}}");
        format!(", rules: [{{host: {host}, http: {{paths: [{path}]}}}}]")
    }

    fn clash(one: &IngressConfig, other: &IngressConfig) -> Option<(String, String)> {
        let clash = clashes(&[one], other).err()?;
        let owner = clash.owner().map(ToString::to_string).unwrap_or_default();
        assert!(clash.to_string().contains(&owner) && clash.to_string().contains(clash.field()), "{clash}");
        Some((owner, clash.field().to_owned()))
    }

    fn expected(field: &str) -> Option<(String, String)> {
        Some(("one".to_owned(), field.to_owned()))
    }

    #[test]
    fn one_document_owns_a_path_of_a_shared_listener() {
        let one = config("one", WEB, &rule("a.b", "/x", "Prefix"));
        let field = "spec.rules[0].http.paths[0].path";
        assert_eq!(clash(&one, &config("two", WEB, &rule("a.b", "/x/", "Prefix"))), expected(field));
        assert_eq!(clash(&one, &config("two", WEB, &rule("a.b", "/x", "Exact"))), None);
        assert_eq!(clash(&one, &config("two", WEB, &rule("a.b", "/y", "Prefix"))), None);
        assert_eq!(clash(&one, &config("two", WEB, &rule("\"*.b\"", "/x", "Prefix"))), None);
        assert_eq!(clash(&one, &config("two", TLS, &rule("a.b", "/x", "Prefix"))), None);
        let both = format!("{TLS}, {}", WEB.replace("web", "other-name"));
        assert_eq!(clash(&one, &config("two", &both, &rule("a.b", "/x", "Prefix"))), expected(field));
    }

    #[test]
    fn a_document_replaces_the_one_of_its_own_name() {
        let one = config("one", WEB, &rule("a.b", "/x", "Prefix"));
        assert_eq!(clash(&one, &config("one", WEB, &rule("a.b", "/x", "Prefix"))), None);
    }

    #[test]
    fn an_unequal_listener_on_the_same_port_is_refused() {
        let one = config("one", &format!("{WEB}, {TLS}"), "");
        let two = |listener: &str| clash(&one, &config("two", listener, ""));
        let field = expected("spec.listeners[0].port");
        assert_eq!(two("{name: a, port: 80, address: 127.0.0.1, protocol: HTTP}"), field);
        assert_eq!(two("{name: a, port: 80, protocol: TCP, backend: {name: b}}"), field);
        assert_eq!(two("{name: a, port: 443, protocol: HTTP}"), field);
        assert_eq!(two("{name: a, port: 443, protocol: HTTPS, defaultCertificate: {name: d}}"), field);
        assert_eq!(two("{name: a, port: 443, protocol: HTTPS, defaultCertificate: {name: c}}"), None);
        assert_eq!(two("{name: a, port: 81, protocol: HTTP}"), None);
    }

    #[test]
    fn a_tcp_listener_has_one_document() {
        let tcp = "{name: db, port: 5432, protocol: TCP, backend: {name: b}}";
        let (one, two) = (config("one", tcp, ""), config("two", tcp, ""));
        assert_eq!(clash(&one, &two), expected("spec.listeners[0].port"));
    }

    #[test]
    fn one_document_owns_the_default_backend() {
        let default = ", defaultBackend: {name: b}";
        let one = config("one", WEB, default);
        assert_eq!(clash(&one, &config("two", WEB, default)), expected("spec.defaultBackend"));
        assert_eq!(clash(&one, &config("two", WEB, "")), None);
        assert_eq!(clash(&one, &config("two", TLS, default)), None);
    }

    #[test]
    fn a_host_has_one_certificate_on_a_shared_listener() {
        let tls =
            |certificate: &str| format!(", tls: [{{hosts: [a.b], certificateRef: {{name: {certificate}}}}}]");
        let one = config("one", TLS, &tls("x"));
        assert_eq!(clash(&one, &config("two", TLS, &tls("x"))), None);
        assert_eq!(clash(&one, &config("two", TLS, &tls("y"))), expected("spec.tls[0].hosts[0]"));
        assert_eq!(clash(&one, &config("two", &TLS.replace("443", "444"), &tls("y"))), None);
    }

    #[test]
    fn the_whole_set_is_bounded() {
        let backends: String =
            (0..2_000).map(|index| format!("{{name: n{index}, endpoints: []}},")).collect();
        let member = |index: usize| {
            let yaml = format!(
                "{{apiVersion: bellwether/v1, kind: IngressConfig, metadata: {{name: d{index}}}, spec: {{listeners: \
                 [{WEB}], backends: [{backends}]}}}}"
            );
            IngressConfig::from_yaml(&yaml).unwrap_or_else(|errors| panic!("{errors}"))
        };
        let members: Vec<IngressConfig> = (0..5).map(member).collect();
        let all: Vec<&IngressConfig> = members.iter().collect();
        assert_eq!(clashes(all.get(..4).unwrap_or_default(), &member(4)), Ok(()));
        assert_eq!(clashes(&all, &member(4)), Ok(()));
        let refused = clashes(&all, &config("one-more", WEB, "")).err();
        assert!(
            matches!(refused, Some(Clash::FleetLimit { what: "backends", count: 10_001, .. })),
            "{refused:?}"
        );
    }
}
