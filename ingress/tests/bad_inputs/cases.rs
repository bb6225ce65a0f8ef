//! The documents to refuse, and which field the refusal of each must name.

use std::path::Path;

use serde_json::Value;

pub(crate) fn cases() -> Vec<Value> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../cases/bad_inputs.json");
    let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    serde_json::from_str(&text).expect("cases are JSON")
}

pub(crate) fn text<'a>(case: &'a Value, key: &str) -> &'a str {
    case[key].as_str().unwrap_or_else(|| panic!("no {key} in {case}"))
}

/// The field that the refusal of a case must name.
pub(crate) fn field_of(case: &str) -> &'static str {
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
