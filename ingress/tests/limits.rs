//! Documents at a limit are taken, documents beyond it refused, and hostile ones cost little time.

#[path = "limits/bombs.rs"]
mod bombs;

use std::time::{Duration, Instant};

use bellwether_ingress::limits::{
    MAX_BACKEND_ENDPOINTS, MAX_BACKENDS, MAX_DOCUMENT_BYTES, MAX_ENDPOINTS, MAX_LISTENERS, MAX_PATHS,
    MAX_RULE_PATHS, MAX_RULES, MAX_TLS, MAX_TLS_HOSTS,
};
use bellwether_ingress::{DocumentErrors, IngressConfig, RawConfig};
use serde_json::{Value, json};

use bombs::bombs;

fn read(spec: Value) -> Result<IngressConfig, DocumentErrors> {
    let document = json!({"apiVersion": "bellwether/v1", "kind": "IngressConfig", "metadata": {"name": "x"}, "spec": spec});
    let raw: RawConfig = serde_json::from_value(document).expect("well-formed");
    raw.try_into()
}

fn http() -> Value {
    json!([{"name": "web", "port": 80, "protocol": "HTTP"}])
}

fn paths(rule: usize, count: usize) -> Vec<Value> {
    let path =
        |index| json!({"path": format!("/{rule}/{index}"), "pathType": "Exact", "backend": {"name": "a"}});
    (0..count).map(path).collect()
}

fn rules(count: usize, paths_each: usize) -> Value {
    let rule = |index| json!({"host": format!("h{index}.a"), "http": {"paths": paths(index, paths_each)}});
    let rules: Vec<Value> = (0..count).map(rule).collect();
    json!({"listeners": http(), "rules": rules, "backends": [{"name": "a", "endpoints": []}]})
}

fn backends(count: usize, endpoints_each: usize) -> Value {
    let endpoint = |index| json!({"address": "10.0.0.1", "port": index + 1});
    let endpoints: Vec<Value> = (0..endpoints_each).map(endpoint).collect();
    let backend = |index| json!({"name": format!("b{index}"), "endpoints": endpoints});
    let backends: Vec<Value> = (0..count).map(backend).collect();
    json!({"listeners": http(), "backends": backends})
}

fn tls(count: usize, hosts_each: usize) -> Value {
    let hosts = |entry: usize| (0..hosts_each).map(|index| format!("h{index}.e{entry}")).collect::<Vec<_>>();
    let entry = |entry| json!({"hosts": hosts(entry), "certificateRef": {"name": "c"}});
    let tls: Vec<Value> = (0..count).map(entry).collect();
    json!({"listeners": http(), "tls": tls})
}

fn listeners(count: usize) -> Value {
    let listener = |index| json!({"name": format!("l{index}"), "port": index + 1, "protocol": "HTTP"});
    let listeners: Vec<Value> = (0..count).map(listener).collect();
    json!({"listeners": listeners})
}

fn assert_bound(within: Value, beyond: Value, path: &str) {
    read(within).map(drop).unwrap_or_else(|errors| panic!("{path}:\n{errors}"));
    let errors = read(beyond).map(drop).expect_err(path);
    assert_eq!(errors.errors()[0].path, path, "{errors}");
}

#[test]
fn every_count_is_bounded() {
    assert_bound(listeners(MAX_LISTENERS), listeners(MAX_LISTENERS + 1), "spec.listeners");
    assert_bound(listeners(1), listeners(0), "spec.listeners");
    assert_bound(rules(MAX_RULES, 1), rules(MAX_RULES + 1, 1), "spec.rules");
    assert_bound(rules(1, MAX_RULE_PATHS), rules(1, MAX_RULE_PATHS + 1), "spec.rules[0].http.paths");
    assert_bound(rules(1, 1), rules(1, 0), "spec.rules[0].http.paths");
    assert_bound(rules(5, MAX_PATHS / 5), rules(6, MAX_PATHS / 5), "spec.rules");
    assert_bound(backends(MAX_BACKENDS, 0), backends(MAX_BACKENDS + 1, 0), "spec.backends");
    let most = MAX_BACKEND_ENDPOINTS;
    assert_bound(backends(1, most), backends(1, most + 1), "spec.backends[0].endpoints");
    assert_bound(backends(10, MAX_ENDPOINTS / 10), backends(11, MAX_ENDPOINTS / 10), "spec.backends");
    assert_bound(tls(MAX_TLS, 20), tls(MAX_TLS + 1, 20), "spec.tls");
    assert_bound(tls(1, MAX_TLS_HOSTS), tls(1, MAX_TLS_HOSTS + 1), "spec.tls[0].hosts");
}

#[test]
fn listeners_may_not_meet_on_a_port() {
    let two = |one: &str, other: &str| {
        let listener =
            |name, address| json!({"name": name, "address": address, "port": 80, "protocol": "HTTP"});
        read(json!({"listeners": [listener("a", one), listener("b", other)]})).is_ok()
    };
    assert!(two("127.0.0.1", "127.0.0.2"));
    assert!(!two("127.0.0.1", "127.0.0.1"));
    assert!(!two("127.0.0.1", "0.0.0.0"));
    assert!(!two("::", "::1"));
    assert!(!two("::", "0.0.0.0"), "a bind to :: takes IPv4 too, unless told otherwise");
}

#[test]
fn a_prefix_with_and_without_its_slash_is_one_path() {
    let two = |one: Value, other: Value| {
        let path = |(path, path_type): (&str, &str)| json!({"path": path, "pathType": path_type, "backend": {"name": "a"}});
        let [one, other] =
            [one, other].map(|pair| path((pair[0].as_str().unwrap(), pair[1].as_str().unwrap())));
        let backends = json!([{"name": "a", "endpoints": []}]);
        read(json!({"listeners": http(), "rules": [{"http": {"paths": [one, other]}}], "backends": backends}))
            .is_ok()
    };
    assert!(!two(json!(["/a", "Prefix"]), json!(["/a/", "Prefix"])));
    assert!(two(json!(["/a", "Exact"]), json!(["/a/", "Exact"])));
    assert!(two(json!(["/a", "Exact"]), json!(["/a", "Prefix"])));
}

#[test]
fn rules_need_a_listener_that_speaks_http() {
    let tcp = json!([{"name": "db", "port": 5432, "protocol": "TCP", "backend": {"name": "a"}}]);
    let mut spec = rules(1, 1);
    spec["listeners"] = tcp;
    let errors = read(spec).expect_err("nothing can match");
    assert_eq!(errors.errors()[0].path, "spec.rules");
}

#[test]
fn what_grows_over_the_limit_in_canonical_form_is_refused() {
    let endpoints: String =
        (1..=10_000u32).map(|port| format!("{{address: 10.0.0.1, port: {port}}},")).collect();
    let per_backend = endpoints.split_inclusive("},").collect::<Vec<_>>();
    let long = "b".repeat(55);
    let backends = per_backend.chunks(1_000).enumerate();
    let backends =
        backends.map(|(index, some)| format!("{{name: {long}{index}, endpoints: [{}]}},", some.concat()));
    let paths =
        (0..5_000).map(|index| format!("{{path: /{index}, pathType: Prefix, backend: {{name: {long}0}}}},"));
    let paths: Vec<String> = paths.collect();
    let rules = paths.chunks(1_000).map(|some| format!("{{http: {{paths: [{}]}}}},", some.concat()));
    let yaml = format!(
        "{{apiVersion: bellwether/v1, kind: IngressConfig, metadata: {{name: x}}, spec: {{listeners: [{{name: a, port: 1, \
         protocol: HTTP}}], backends: [{}], rules: [{}]}}}}",
        backends.collect::<String>(),
        rules.collect::<String>()
    );
    assert!(yaml.len() < MAX_DOCUMENT_BYTES, "{}", yaml.len());
    let errors = IngressConfig::from_yaml(&yaml).map(drop).expect_err("too large as JSON");
    assert!(errors.to_string().contains("over 1 MiB in its canonical form"), "{errors}");
}

#[test]
fn hostile_texts_are_refused_in_bounded_time() {
    for (name, text) in bombs() {
        assert!(text.len() <= MAX_DOCUMENT_BYTES, "{name}");
        let start = Instant::now();
        assert!(IngressConfig::from_yaml(&text).is_err(), "{name}");
        assert!(IngressConfig::from_json(text.as_bytes()).is_err(), "{name}");
        let took = start.elapsed();
        assert!(took < Duration::from_secs(10), "{name} took {took:?}");
        println!("{name}: {took:?}");
    }
}
