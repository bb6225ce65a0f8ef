//! Every document of `cases/bad_inputs.json` is refused, as JSON and as YAML, with the field named.

use std::path::Path;

use bellwether_ingress::{DocumentErrors, IngressConfig, documents_from_yaml};
use serde_json::Value;

fn cases() -> Vec<Value> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../cases/bad_inputs.json");
    let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    serde_json::from_str(&text).expect("cases are JSON")
}

fn text<'a>(case: &'a Value, key: &str) -> &'a str {
    case[key].as_str().unwrap_or_else(|| panic!("no {key} in {case}"))
}

/// The field that the refusal of a case must name.
fn field_of(case: &str) -> &'static str {
    const PATH: &str = "spec.rules[0].http.paths[0].path";
    const HOST: &str = "spec.rules[0].host";
    match case {
        "unknown backend" => "spec.rules[0].http.paths[0].backend.name",
        "unknown field" => "spec.configSnippet",
        "duplicate backend" => "spec.backends[1].name",
        "duplicate host+path" => "spec.rules[1].http.paths[0].path",
        "duplicate endpoint" => "spec.backends[0].endpoints[1].address",
        "same port twice" => "spec.listeners[1].port",
        "TCP listener without a backend" => "spec.listeners[1].backend",
        "HTTPS without a certificate" => "spec.listeners[1].defaultCertificate",
        "certificate path traversal" => "spec.listeners[1].defaultCertificate.name",
        "health check path with CRLF" => "spec.backends[0].healthCheck.path",
        "health check host with a space" => "spec.backends[0].healthCheck.host",
        "interval without unit" => "spec.backends[0].healthCheck.interval",
        "expectStatus injection" => "spec.backends[0].healthCheck.expectStatus",
        "metadata name injection" | "yaml: tag" => "metadata.name",
        "wrong apiVersion" => "apiVersion",
        "yaml: duplicate key" => "kind",
        "yaml: alias" => "a",
        "yaml: two documents" => "document",
        _ if case.starts_with("path: ") => PATH,
        _ if case.starts_with("host: ") => HOST,
        _ if case.starts_with("pathType ") => "spec.rules[0].http.paths[0].pathType",
        _ if case.starts_with("endpoint: port") => "spec.backends[0].endpoints[0].port",
        _ if case.starts_with("endpoint: weight") => "spec.backends[0].endpoints[0].weight",
        _ if case.starts_with("endpoint: ") => "spec.backends[0].endpoints[0].address",
        _ if case.starts_with("backend name: ") => "spec.backends[0].name",
        _ => panic!("a new case: say which field {case:?} is about"),
    }
}

fn assert_refused(case: &str, format: &str, read: Result<IngressConfig, DocumentErrors>) -> DocumentErrors {
    let errors =
        read.map(|config| config.to_canonical_json()).expect_err(&format!("{case} as {format} was taken"));
    let field = field_of(case);
    assert!(
        errors.iter().any(|error| error.path == field),
        "{case} as {format} does not name {field}:\n{errors}"
    );
    assert!(errors.iter().all(|error| error.message.len() < 400), "{case} as {format} is long:\n{errors}");
    errors
}

#[test]
fn every_bad_document_is_refused_as_json() {
    let cases = cases();
    assert!(cases.len() >= 75);
    for case in cases.iter().filter(|case| !case["config"].is_null()) {
        assert_refused(
            text(case, "name"),
            "JSON",
            IngressConfig::from_json(case["config"].to_string().as_bytes()),
        );
        let through_serde = serde_json::from_value::<IngressConfig>(case["config"].clone());
        assert!(through_serde.is_err(), "{case}");
    }
}

#[test]
fn every_bad_document_is_refused_as_yaml_with_its_position() {
    for case in cases() {
        let name = text(&case, "name");
        let texts = match case["yaml"].as_str() {
            Some(yaml) => vec![yaml.to_owned()],
            None => {
                let block = serde_saphyr::to_string(&case["config"]).expect("JSON prints as YAML");
                vec![block, case["config"].to_string()]
            }
        };
        for yaml in texts {
            let errors = assert_refused(name, "YAML", IngressConfig::from_yaml(&yaml));
            assert!(
                errors.iter().all(|error| error.line.is_some() && error.column.is_some()),
                "{name}:\n{errors}"
            );
            assert!(documents_from_yaml(&yaml).is_err(), "{name}");
        }
    }
}

#[test]
fn two_documents_of_one_name_are_refused_where_several_are_allowed() {
    let cases = cases();
    let case = cases.iter().find(|case| case["name"] == "yaml: two documents").expect("the case is there");
    let errors = documents_from_yaml(text(case, "yaml")).expect_err("both have one name");
    assert_eq!(errors.errors()[0].path, "metadata.name");
    assert_eq!(errors.errors()[0].line, Some(36 - 3));
}
