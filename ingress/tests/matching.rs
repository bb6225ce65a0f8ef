//! Every request of `cases/matching.json` goes where the specification says.

use std::path::Path;

use bellwether_ingress::matcher::{Answer, Matcher, Request, Version};
use bellwether_ingress::{IngressConfig, Listener, RawConfig};
use serde_json::Value;

fn cases() -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../cases/matching.json");
    let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    serde_json::from_str(&text).expect("cases are JSON")
}

fn config(cases: &Value, name: &str) -> IngressConfig {
    let raw: RawConfig = serde_json::from_value(cases["configs"][name].clone()).expect("well-formed");
    raw.try_into().unwrap_or_else(|errors| panic!("{name}:\n{errors}"))
}

fn listener<'a>(config: &'a IngressConfig, name: &str) -> &'a Listener {
    let mut listeners = config.spec().listeners().iter();
    listeners
        .find(|listener| listener.name().as_str() == name)
        .unwrap_or_else(|| panic!("no listener {name}"))
}

fn check(cases: &Value, case: &Value) {
    let (request, expect, name) = (&case["request"], &case["expect"], &case["name"]);
    let config = config(cases, case["config"].as_str().expect("a config"));
    let listener = listener(&config, request["listener"].as_str().expect("a listener"));
    let matcher =
        Matcher::for_listener([&config], listener.address(), listener.port()).expect("it listens there");
    let hosts: Vec<&str> = request["host"].as_str().into_iter().collect();
    let version = if request["version"] == "1.0" { Version::Http10 } else { Version::Http11 };
    let target = request["target"].as_str().expect("a target");

    let answer = matcher.answer(&Request { version, hosts: &hosts, target });
    let backend = match answer {
        Answer::Forward(target) => Some(target.backend.name().as_str()),
        _ => None,
    };
    assert_eq!(backend, expect["backend"].as_str(), "{name}: {answer:?}");
    assert_eq!(answer.status().map(u64::from), expect["status"].as_u64(), "{name}: {answer:?}");
    if let Some(certificate) = expect["cert"].as_str() {
        let shown = matcher.certificate(request["sni"].as_str()).map(|name| name.as_str());
        assert_eq!(shown, Some(certificate), "{name}");
    }
    check_ports(&answer, expect, name);
}

/// Ports that must never be used have weight 0.
fn check_ports(answer: &Answer<'_>, expect: &Value, name: &Value) {
    let Answer::Forward(target) = answer else { return };
    for port in expect["never_ports"].as_array().into_iter().flatten() {
        let mut endpoints = target.backend.endpoints().iter();
        let unused = endpoints.all(|endpoint| u64::from(endpoint.port()) != *port || endpoint.weight() == 0);
        assert!(unused, "{name}: port {port}");
    }
}

#[test]
fn every_request_goes_where_it_must() {
    let cases = cases();
    let list = cases["cases"].as_array().expect("a list of cases");
    assert!(list.len() >= 80);
    for case in list {
        check(&cases, case);
    }
}

#[test]
fn every_document_of_the_cases_keeps_its_meaning_in_canonical_form() {
    let cases = cases();
    for name in cases["configs"].as_object().expect("configs by name").keys() {
        let config = config(&cases, name);
        assert_eq!(
            IngressConfig::from_json(config.to_canonical_json().as_bytes()),
            Ok(config.clone()),
            "{name}"
        );
        assert_eq!(IngressConfig::from_yaml(&config.to_yaml()), Ok(config), "{name}");
    }
}
