//! Generates valid documents of every shape, and texts that are none.

use std::collections::{BTreeMap, BTreeSet};

use bellwether_ingress::{IngressConfig, RawConfig};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};
use serde_json::{Map, Value, json};

/// A document that keeps every rule; words that YAML reads as numbers or booleans are among its names.
pub(crate) fn arbitrary_config() -> impl Strategy<Value = IngressConfig> {
    let backends = btree_map(label(), backend(), 1..5);
    let rules = vec((option::of(host()), btree_set((path(), any::<bool>()), 1..5)), 0..5);
    let labels = option::of(btree_map(label_key(), label_value(), 0..4));
    let tls = vec(btree_set(host(), 1..3), 0..3);
    let parts = (label(), labels, option::of(selector()), listeners(), backends, rules, tls);
    (parts, vec(any::<Index>(), 64), any::<bool>()).prop_map(|(parts, picks, has_default)| {
        let (name, labels, selector, listeners, backends, rules, tls) = parts;
        let names: Vec<String> = backends.keys().cloned().collect();
        let mut picks = picks.into_iter().cycle();
        let mut pick = move || json!({"name": picks.next().expect("a cycle").get(&names)});
        let mut spec = Map::new();
        let mut listeners: Vec<Value> = listeners;
        for listener in listeners.iter_mut().filter(|listener| listener["protocol"] == "TCP") {
            listener["backend"] = pick();
        }
        let is_http = listeners.iter().any(|listener| listener["protocol"] != "TCP");
        spec.insert("listeners".into(), listeners.into());
        if is_http {
            spec.insert("rules".into(), rules_json(rules, &mut pick));
        }
        if has_default {
            spec.insert("defaultBackend".into(), pick());
        }
        spec.insert("tls".into(), tls_json(tls));
        spec.insert("backends".into(), backends_json(backends));
        spec.extend(selector.map(|selector| ("selector".to_owned(), selector.into())));
        let mut metadata = json!({"name": name});
        if let Some(labels) = labels {
            metadata["labels"] = json!(labels);
        }
        document(json!({"apiVersion": "bellwether/v1", "kind": "IngressConfig", "metadata": metadata, "spec": spec}))
    })
}

/// Texts of the characters that mean something in YAML and JSON.
pub(crate) fn arbitrary_yaml_mess() -> impl Strategy<Value = String> {
    let token = select(vec![
        "apiVersion",
        "bellwether/v1",
        "spec",
        ":",
        ": ",
        "- ",
        "\n",
        "  ",
        "{",
        "}",
        "[",
        "]",
        ",",
        "&a",
        "*a",
        "!!t",
        "<<",
        "|",
        ">",
        "\"",
        "'",
        "#",
        "?",
        "---\n",
        "...\n",
        "%YAML",
        "null",
        "~",
        "0x1",
        "1e3",
        "\\",
        "\u{e9}",
    ]);
    vec(token, 0..60).prop_map(|tokens| tokens.concat())
}

fn document(json: Value) -> IngressConfig {
    let raw: RawConfig = serde_json::from_value(json.clone()).expect("well-formed");
    raw.try_into().unwrap_or_else(|errors| panic!("{errors}\n{json:#}"))
}

fn label() -> impl Strategy<Value = String> {
    let odd = select(vec![
        "no", "on", "null", "true", "y", "0x1f", "1e3", "123", "010", "0", "e1", "nan", "inf", "0b1",
    ]);
    prop_oneof![3 => "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", 1 => odd.prop_map(str::to_owned)]
}

fn label_key() -> impl Strategy<Value = String> {
    let odd = select(vec!["on", "No", "true", "null", "1", "0x1", "1.5"]).prop_map(str::to_owned);
    prop_oneof!["[A-Za-z0-9]([A-Za-z0-9_.-]{0,20}[A-Za-z0-9])?", "[a-z]{1,5}\\.[a-z]{1,5}/[a-z]{1,9}", odd]
}

fn label_value() -> impl Strategy<Value = String> {
    let odd =
        select(vec!["", "true", "null", "1", "1_000", "0x10", "2024-01-01", "1.5", "Yes", "1e5", ".nan"]);
    let odd = odd.prop_filter("label values begin with a letter or digit", |value| !value.starts_with('.'));
    prop_oneof!["[A-Za-z0-9]([A-Za-z0-9_.-]{0,20}[A-Za-z0-9])?", odd.prop_map(str::to_owned)]
}

fn selector() -> impl Strategy<Value = String> {
    vec((label_key(), select(vec!["=", "==", "!=", " != "]), label_value()), 0..4).prop_map(|requirements| {
        let requirements =
            requirements.into_iter().map(|(key, operator, value)| format!("{key}{operator}{value}"));
        requirements.collect::<Vec<_>>().join(",")
    })
}

fn host() -> impl Strategy<Value = String> {
    "(\\*\\.)?[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\\.[a-z][a-z0-9]{0,30}){1,4}"
        .prop_filter("reserved", |host| !host.ends_with(".invalid"))
}

fn path() -> impl Strategy<Value = String> {
    prop_oneof![1 => Just("/".to_owned()), 6 => "(/[A-Za-z0-9_~@:=+,&!-][A-Za-z0-9._~@:=+,&!-]{0,80}){1,3}/?"]
        .prop_filter("too long", |path| path.len() <= 254)
}

fn duration() -> impl Strategy<Value = String> {
    prop_oneof![(100..60_000u32).prop_map(|ms| format!("{ms}ms")), (1..60u32).prop_map(|s| format!("{s}s"))]
}

/// Different ports, so that addresses do not matter.
fn listeners() -> impl Strategy<Value = Vec<Value>> {
    let address =
        option::of(select(vec!["0.0.0.0", "::", "127.0.0.1", "::1", "2001:db8::1", "1:2:3:4:5:6:7:8"]));
    let protocol = select(vec!["HTTP", "HTTPS", "TCP"]);
    btree_map(1..=u16::MAX, (address, protocol), 1..4).prop_map(|listeners| {
        let listeners = listeners.into_iter().enumerate().map(|(index, (port, (address, protocol)))| {
            let mut listener = json!({"name": format!("l{index}"), "port": port, "protocol": protocol});
            if let Some(address) = address {
                listener["address"] = address.into();
            }
            if protocol == "HTTPS" {
                listener["defaultCertificate"] = json!({"name": "cert.1-a"});
            }
            listener
        });
        listeners.collect()
    })
}

fn backend() -> impl Strategy<Value = Value> {
    let address = prop_oneof![
        any::<[u8; 3]>().prop_map(|[a, b, c]| format!("10.{a}.{b}.{c}")),
        any::<[u16; 3]>()
            .prop_map(|[a, b, c]| std::net::Ipv6Addr::new(0x2001, 0xdb8, a, b, 0, 0, c, 1).to_string()),
    ];
    let endpoints = btree_map((address, 1..=u16::MAX), option::of(0..=256u16), 0..4);
    let options =
        (option::of(duration()), option::of(duration()), option::of(select(vec!["roundrobin", "leastconn"])));
    (endpoints, options, option::of(health_check())).prop_map(|(endpoints, options, health_check)| {
        let (connect, response, balance) = options;
        let endpoints = endpoints.into_iter().map(|((address, port), weight)| {
            given(json!({"address": address, "port": port}), [("weight", weight.map(Value::from))])
        });
        let timeouts = [("connect", connect.map(Value::from)), ("response", response.map(Value::from))];
        let backend =
            json!({"endpoints": endpoints.collect::<Vec<_>>(), "timeouts": given(json!({}), timeouts)});
        given(backend, [("balance", balance.map(Value::from)), ("healthCheck", health_check)])
    })
}

fn health_check() -> impl Strategy<Value = Value> {
    let status = prop_oneof![
        (100..600u16).prop_map(Value::from),
        Just(Value::from("200-204")),
        Just(Value::from("404"))
    ];
    let host = host().prop_map(|host| Value::from(host.trim_start_matches("*.")));
    let of_http = (option::of(path().prop_map(Value::from)), option::of(host), option::of(status));
    let of_http = of_http.prop_map(|(path, host, status)| {
        given(json!({"type": "http"}), [("path", path), ("host", host), ("expectStatus", status)])
    });
    let numbers = (
        option::of(duration()),
        option::of(duration()),
        option::of(1..=100u8),
        subsequence(vec![1, 9], 0..=1),
    );
    (prop_oneof![of_http, Just(json!({"type": "tcp"}))], numbers).prop_map(
        |(probe, (interval, timeout, rise, fall))| {
            let fall = fall.first().copied().map(Value::from);
            let timing = [("interval", interval.map(Value::from)), ("timeout", timeout.map(Value::from))];
            given(given(probe, timing), [("rise", rise.map(Value::from)), ("fall", fall)])
        },
    )
}

/// `object` with the fields that have a value.
fn given<const N: usize>(mut object: Value, fields: [(&str, Option<Value>); N]) -> Value {
    for (key, value) in fields {
        if let Some(value) = value {
            object[key] = value;
        }
    }
    object
}

type Rules = Vec<(Option<String>, BTreeSet<(String, bool)>)>;

/// Rules without the paths that a rule before them has for the same host.
fn rules_json(rules: Rules, pick: &mut impl FnMut() -> Value) -> Value {
    let mut seen = BTreeSet::new();
    let rules = rules.into_iter().filter_map(|(host, paths)| {
        let mut kept = Vec::new();
        for (path, exact) in paths {
            let compared = if exact { path.as_str() } else { path.trim_end_matches('/') };
            if seen.insert((host.clone(), exact, compared.to_owned())) {
                let path_type = if exact { "Exact" } else { "Prefix" };
                kept.push(json!({"path": path, "pathType": path_type, "backend": pick()}));
            }
        }
        let rule = json!({"http": {"paths": kept}});
        let is_empty = rule["http"]["paths"].as_array().is_none_or(Vec::is_empty);
        (!is_empty).then(|| given(rule, [("host", host.map(Value::from))]))
    });
    rules.collect()
}

fn tls_json(tls: Vec<BTreeSet<String>>) -> Value {
    let mut seen = BTreeSet::new();
    let tls = tls.into_iter().filter_map(|hosts| {
        let hosts: Vec<String> = hosts.into_iter().filter(|host| seen.insert(host.clone())).collect();
        (!hosts.is_empty()).then(|| json!({"hosts": hosts, "certificateRef": {"name": "123"}}))
    });
    tls.collect()
}

fn backends_json(backends: BTreeMap<String, Value>) -> Value {
    backends.into_iter().map(|(name, backend)| given(backend, [("name", Some(name.into()))])).collect()
}
