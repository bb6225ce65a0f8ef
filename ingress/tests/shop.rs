//! The example document reads, prints and is refused with line and column as an operator expects.

use std::path::Path;

use bellwether_ingress::{Digest, HealthProbe, IngressConfig, Protocol, documents_from_yaml};

fn shop_yaml() -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/shop.yaml");
    std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn shop() -> IngressConfig {
    IngressConfig::from_yaml(&shop_yaml()).unwrap_or_else(|errors| panic!("{errors}"))
}

/// The one finding in the example after `from` was replaced by `to`.
fn refusal(from: &str, to: &str) -> String {
    let yaml = shop_yaml();
    assert!(yaml.contains(from), "{from}");
    let errors = IngressConfig::from_yaml(&yaml.replacen(from, to, 1)).expect_err(to);
    assert_eq!(errors.errors().len(), 1, "{errors}");
    errors.to_string()
}

#[test]
fn the_example_reads_as_it_says() {
    let shop = shop();
    assert_eq!(shop.name().as_str(), "shop");
    assert!(shop.selector().is_all());
    assert_eq!(shop.labels().len(), 1);
    let spec = shop.spec();
    assert_eq!((spec.listeners().len(), spec.rules().len(), spec.backends().len()), (3, 3, 7));
    assert!(matches!(spec.listeners()[2].protocol(), Protocol::Tcp { backend } if backend.as_str() == "pg"));
    assert_eq!(spec.default_backend().map(|name| name.as_str()), Some("fallback"));
    let check = spec.backends()[0].health_check().expect("web is checked");
    assert!(matches!(check.probe(), HealthProbe::Http { path, .. } if path.as_str() == "/healthz"));
    assert_eq!(check.interval().to_string(), "2s");
}

#[test]
fn the_canonical_form_is_stable() {
    let canonical = shop().to_canonical_json();
    assert!(
        canonical.starts_with(
            r#"{"apiVersion":"bellwether/v1","kind":"IngressConfig","metadata":{"name":"shop","#
        )
    );
    assert!(
        canonical.contains(r#"{"name":"web","address":"127.0.0.1","port":18080,"protocol":"HTTP"}"#),
        "{canonical}"
    );
    assert!(
        canonical.contains(r#""endpoints":[{"address":"127.0.0.1","port":19503,"weight":100}]"#),
        "{canonical}"
    );
    assert!(
        canonical.contains(r#"{"type":"tcp","interval":"5s","timeout":"2s","rise":2,"fall":3}"#),
        "{canonical}"
    );
    let again = IngressConfig::from_json(canonical.as_bytes()).expect("the canonical form is a document");
    assert_eq!(again.to_canonical_json(), canonical);
    assert_eq!(Digest::of_document(&again), Digest::of_document(&shop()));
}

#[test]
fn spelling_a_default_out_changes_nothing() {
    let explicit = shop_yaml().replace("port: 19503}", "port: 19503, weight: 100}").replace("2s", "2000ms");
    assert_eq!(IngressConfig::from_yaml(&explicit), Ok(shop()));
}

#[test]
fn a_bad_value_is_named_with_line_and_column() {
    let shown = refusal("path: /api,", "path: /api%2f,");
    assert!(
        shown.starts_with("19:20: spec.rules[0].http.paths[1].path: \"/api%2f\" is not a path: "),
        "{shown}"
    );
    let shown = refusal("apiVersion: bellwether/v1", "apiVersion: bellwether/v2");
    assert_eq!(shown, "1:13: apiVersion: expected bellwether/v1, found the text \"bellwether/v2\"");
}

#[test]
fn a_bad_combination_is_named_with_line_and_column() {
    let shown = refusal("backend: {name: api}", "backend: {name: nope}");
    assert!(
        shown.starts_with("19:60: spec.rules[0].http.paths[1].backend.name: no backend named nope"),
        "{shown}"
    );
    let shown = refusal("port: 15432", "port: 18080");
    assert!(
        shown.starts_with("10:44: spec.listeners[2].port: port 18080 is already taken by listener web"),
        "{shown}"
    );
}

#[test]
fn numbers_are_plain_decimal_integers() {
    for bad in
        ["018080", "0x46A0", "18_080", "301:20", "1.808e4", "18080.0", "'18080'", "true", "~", "+18080"]
    {
        let shown = refusal("port: 18080", &format!("port: {bad}"));
        assert!(
            shown.contains("spec.listeners[0].port: expected a whole number from 1 to 65535"),
            "{bad}: {shown}"
        );
    }
}

#[test]
fn null_is_nowhere_a_value() {
    for (from, to, path) in [
        ("defaultBackend: {name: fallback}", "defaultBackend: ~", "spec.defaultBackend"),
        ("labels: {team: web}", "labels: null", "metadata.labels"),
        ("labels: {team: web}", "labels: {team: }", "metadata.labels.team"),
        ("balance: leastconn", "balance:", "spec.backends[1].balance"),
        ("endpoints: []", "endpoints: null", "spec.backends[5].endpoints"),
    ] {
        let shown = refusal(from, to);
        assert!(shown.contains(&format!("{path}: expected")) && shown.contains("found null"), "{shown}");
    }
}

#[test]
fn what_belongs_elsewhere_is_refused_rather_than_ignored() {
    for (from, to, path) in [
        ("18080, protocol: HTTP", "18080, protocol: HTTP, backend: {name: pg}", "spec.listeners[0].backend"),
        ("type: tcp,", "type: tcp, path: /x,", "spec.backends[6].healthCheck.path"),
        ("host: shop.example.com, interval", "host: '*.a', interval", "spec.backends[0].healthCheck.host"),
        ("response: 10s", "response: 25000m", "spec.backends[1].timeouts.response"),
        ("metadata:", "metadata:\n  annotations: {a: b}", "metadata.annotations"),
    ] {
        let shown = refusal(from, to);
        assert!(shown.contains(&format!("{path}: ")), "{shown}");
    }
}

#[test]
fn a_selector_of_later_is_refused() {
    let shown = refusal("spec:\n", "spec:\n  selector: zone in (eu)\n");
    assert!(shown.contains("spec.selector: selector operator 'in' is not supported yet"), "{shown}");
}

#[test]
fn several_documents_stand_in_one_file_under_different_names() {
    let other = shop_yaml().replace("name: shop\n", "name: other\n");
    let both = documents_from_yaml(&format!("---\n{}---\n{other}", shop_yaml())).expect("two documents");
    let names: Vec<_> = both.iter().map(|config| config.name().as_str()).collect();
    assert_eq!(names, ["shop", "other"]);
    for empty in ["", "\n", "# nothing\n", "---\n", "---\n---\n"] {
        assert!(documents_from_yaml(empty).is_err(), "{empty:?}");
    }
}

#[test]
fn a_flood_of_findings_is_cut_off() {
    let errors = IngressConfig::from_json(br#"{"apiVersion":1,"kind":2,"metadata":{},"spec":{"listeners":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22]}}"#).expect_err("all is wrong");
    assert_eq!((errors.errors().len(), errors.omitted()), (20, 5));
    assert!(errors.to_string().ends_with("\nand 5 more"));
}
