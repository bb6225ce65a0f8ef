//! Which documents meet on which listener, and who yields.

use super::*;

fn config(name: &str, listeners: &str, rest: &str) -> IngressConfig {
    let yaml = format!(
        "{{apiVersion: bellwether/v1, kind: IngressConfig, metadata: {{name: {name}}}, spec: {{listeners: \
         [{listeners}], backends: [{{name: b, endpoints: []}}]{rest}}}}}"
    );
    IngressConfig::from_yaml(&yaml).unwrap_or_else(|errors| panic!("{errors}\n{yaml}"))
}

fn rule(host: &str, path: &str) -> String {
    let path = format!("{{path: {path}, pathType: Prefix, backend: {{name: b}}}}");
    format!(", rules: [{{host: {host}, http: {{paths: [{path}]}}}}]")
}

const WEB: &str = "{name: web, port: 80, protocol: HTTP}";
const OTHER: &str = "{name: other, port: 90, protocol: HTTP}";
const TLS: &str = "{name: tls, port: 443, protocol: HTTPS, defaultCertificate: {name: c}}";
const TCP: &str = "{name: tcp, port: 80, protocol: TCP, backend: {name: b}}";

fn hosts(effective: &Effective<'_>, port: u16) -> Vec<String> {
    let listener = effective.listeners().find(|(_, at, _)| *at == port).map(|(.., listener)| listener);
    match listener.map(EffectiveListener::service) {
        Some(Service::Http(routing)) => {
            routing.hosts().filter_map(|(host, _)| host).map(ToString::to_string).collect()
        }
        other => panic!("port {port}: {other:?}"),
    }
}

fn refused(documents: &[&IngressConfig], bind: Option<ListenerAddress>) -> Vec<String> {
    let refused = Effective::merge(documents.iter().copied(), bind).err().unwrap_or_default();
    refused.iter().map(|it| format!("{}: {}", it.document.name(), it.clash)).collect()
}

#[test]
fn a_rule_is_on_the_listeners_of_its_own_document_only() {
    let (a, b) =
        (config("a", &format!("{WEB}, {TLS}"), &rule("a.x", "/")), config("b", OTHER, &rule("b.x", "/")));
    let both = config("both", &format!("{WEB}, {OTHER}"), &rule("c.x", "/"));
    let effective = Effective::merge([&a, &b, &both], None).unwrap_or_else(|refused| panic!("{refused:?}"));
    assert_eq!(hosts(&effective, 80), ["a.x", "c.x"]);
    assert_eq!(hosts(&effective, 90), ["b.x", "c.x"]);
    assert_eq!(hosts(&effective, 443), ["a.x"]);
    assert_eq!(effective.http_backends().len(), 3);
}

#[test]
fn the_order_of_documents_changes_nothing() {
    let tls = ", tls: [{hosts: [s.x], certificateRef: {name: c}}]";
    let (a, b) = (config("a", TLS, tls), config("b", TLS, &format!("{}{tls}", rule("b.x", "/"))));
    let c = config("c", WEB, ", defaultBackend: {name: b}");
    assert_eq!(Effective::merge([&a, &b, &c], None), Effective::merge([&c, &b, &a], None));
}

#[test]
fn of_two_that_clash_the_later_one_yields_and_says_to_whom() {
    let (a, b) = (config("a", WEB, &rule("a.x", "/p")), config("b", WEB, &rule("a.x", "/p/")));
    let words = refused(&[&b, &a], None);
    assert!(
        matches!(words.as_slice(), [one] if one.starts_with("a: spec.rules[0].http.paths[0].path: ")
        && one.contains("document b")),
        "{words:?}"
    );
    let (one, two) = (
        config("one", WEB, ", defaultBackend: {name: b}"),
        config("two", WEB, ", defaultBackend: {name: b}"),
    );
    assert_eq!(refused(&[&one, &two], None).len(), 1);
    let secure = |name, cert: &str| {
        config(name, TLS, &format!(", tls: [{{hosts: [s.x], certificateRef: {{name: {cert}}}}}]"))
    };
    assert_eq!(refused(&[&secure("a", "d"), &secure("b", "e")], None).len(), 1);
    assert_eq!(refused(&[&config("t", TCP, ""), &config("u", WEB, "")], None).len(), 1);
    assert_eq!(refused(&[&config("t", TCP, ""), &config("u", TCP, "")], None).len(), 1);
    let narrow = config("n", "{name: n, address: 127.0.0.1, port: 80, protocol: HTTP}", "");
    assert_eq!(refused(&[&config("w", WEB, ""), &narrow], None).len(), 1);
}

#[test]
fn what_is_refused_leaves_nothing_behind_and_holds_nobody_back() {
    let (web, bad) = (config("web", WEB, ""), config("bad", &format!("{OTHER}, {TCP}"), ""));
    let later = config("later", OTHER, ", defaultBackend: {name: b}");
    assert_eq!(refused(&[&web, &bad, &later], None).len(), 1);
}

#[test]
fn another_address_can_bring_two_listeners_of_one_document_together() {
    let listener = |name: &str, address: &str, rest: &str| {
        format!("{{name: {name}, address: {address}, port: 80, {rest}}}")
    };
    let bind = "127.0.0.2".parse().ok();
    let http = "protocol: HTTP";
    let two = format!("{}, {}", listener("x", "127.0.0.1", http), listener("y", "127.0.0.3", http));
    let one = config("one", &two, &rule("a.x", "/"));
    let effective = Effective::merge([&one], bind).unwrap_or_else(|refused| panic!("{refused:?}"));
    let places: Vec<_> =
        effective.listeners().map(|(address, port, _)| format!("{address}:{port}")).collect();
    assert_eq!(places, ["127.0.0.2:80"]);
    let tcp = "protocol: TCP, backend: {name: b}";
    let mixed = format!("{}, {}", listener("x", "127.0.0.1", http), listener("y", "127.0.0.3", tcp));
    let words = refused(&[&config("mixed", &mixed, "")], bind);
    assert!(words.len() == 1 && words[0].contains("spec.listeners[1].port"), "{words:?}");
}
