//! Every request of `cases/matching.json` goes where it must, through a real HAProxy.

use bellwether_ingress::IngressConfig;
use serde_json::{Value, json};

use crate::certificates;
use crate::client::{Reply, send, send_tls};
use crate::echo::Echoes;
use crate::fixture::{Proxy, endpoints, moved};

fn cases() -> Value {
    serde_json::from_str(include_str!("../../../cases/matching.json")).unwrap()
}

#[tokio::test]
async fn every_request_of_the_cases_goes_where_it_must() {
    let cases = cases();
    let mut seen = 0;
    for (name, document) in cases["configs"].as_object().unwrap() {
        let mut proxy = Proxy::new();
        let document = moved(document.clone(), proxy.address);
        let shown = ["cert-secure", "cert-w", "default-cert"].map(|name| {
            // Names within a certificate do not count, so each has those of another.
            (name, certificates::write(&proxy.certs(), name, &["secure.example", "*.w.example"]))
        });
        let mut echoes = Echoes::default();
        for at in endpoints(&document) {
            echoes.add(at).await;
        }
        proxy.apply(&[(&document, 1)]).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        for case in cases["cases"].as_array().unwrap().iter().filter(|case| case["config"] == name.as_str()) {
            for _ in 0..case["request"]["repeat"].as_u64().unwrap_or(1) {
                let reply = ask(&proxy, &document, &case["request"]).await;
                check(case, &document, &reply, &shown);
            }
            seen += 1;
        }
    }
    assert_eq!(seen, cases["cases"].as_array().unwrap().len());
}

async fn ask(proxy: &Proxy, document: &IngressConfig, request: &Value) -> Reply {
    let listeners = document.spec().listeners();
    let listener = listeners.iter().find(|it| it.name().as_str() == request["listener"]).unwrap();
    let text = |field: &str| request[field].as_str();
    let host = text("host").map(|host| format!("host: {host}\r\n")).unwrap_or_default();
    let (method, target) = (text("method").unwrap(), text("target").unwrap());
    let head =
        format!("{method} {target} HTTP/{}\r\n{host}connection: close\r\n\r\n", text("version").unwrap());
    let at = proxy.at(listener.port());
    // The echo behind a TCP listener does not end the connection.
    if !listener.is_http() {
        return crate::client::first(at, head.as_bytes()).await.unwrap();
    }
    match text("sni") {
        Some(sni) => send_tls(at, sni, head.as_bytes()).await.unwrap(),
        None => send(at, head.as_bytes()).await.unwrap(),
    }
}

fn check(case: &Value, document: &IngressConfig, reply: &Reply, shown: &[(&str, Vec<u8>)]) {
    let (name, expect) = (&case["name"], &case["expect"]);
    let status = expect["status"].as_u64().unwrap_or(200);
    assert_eq!(u64::from(reply.status), status, "{name}: {reply:?}");
    if let Some(backend) = expect["backend"].as_str() {
        let backend = document.spec().backend(&backend.parse().unwrap()).unwrap();
        let port = reply.echo["port"].as_u64();
        let is_of = backend.endpoints().iter().any(|it| Some(u64::from(it.port())) == port);
        assert!(is_of, "{name}: {reply:?}");
    }
    for (field, told) in [("upstream_target", "target"), ("upstream_host", "host")] {
        if let Some(expected) = expect[field].as_str() {
            assert_eq!(reply.echo[told], expected, "{name}");
        }
    }
    let never = expect["never_ports"].as_array().into_iter().flatten();
    assert!(never.into_iter().all(|port| *port != reply.echo["port"]), "{name}: {reply:?}");
    if let Some(certificate) = expect["cert"].as_str() {
        let (which, _) = shown.iter().find(|(_, der)| Some(der) == reply.certificate.as_ref()).unwrap();
        assert_eq!(*which, certificate, "{name}");
    }
}

#[tokio::test]
async fn of_two_documents_with_two_listeners_neither_leaks_onto_the_others() {
    let mut proxy = Proxy::new();
    let document = |name: &str, port: u16, path: &str, fallback: bool| {
        let mut document = json!({
            "apiVersion": "bellwether/v1", "kind": "IngressConfig", "metadata": {"name": name},
            "spec": {
                "listeners": [{"name": "web", "port": port, "protocol": "HTTP"}],
                "backends": [{"name": "b", "endpoints": [{"address": "127.0.0.1", "port": port + 1}]}],
                "rules": [{"host": "a.example", "http": {"paths": [
                    {"path": path, "pathType": "Prefix", "backend": {"name": "b"}},
                ]}}],
            },
        });
        if fallback {
            document["spec"]["defaultBackend"] = json!({"name": "b"});
        }
        moved(document, proxy.address)
    };
    let (one, two) = (document("one", 8080, "/one", false), document("two", 9090, "/two", true));
    let mut echoes = Echoes::default();
    for at in [endpoints(&one), endpoints(&two)].concat() {
        echoes.add(at).await;
    }
    proxy.apply(&[(&one, 1), (&two, 2)]).await.unwrap();
    for (port, path, served_by) in [
        (8080, "/one", Some(8081)),
        (8080, "/two", None),
        (9090, "/two", Some(9091)),
        // Its own default backend, and not the other's rule.
        (9090, "/one", Some(9091)),
    ] {
        let request = format!("GET {path} HTTP/1.1\r\nhost: a.example\r\nconnection: close\r\n\r\n");
        let reply = send(proxy.at(port), request.as_bytes()).await.unwrap();
        assert_eq!(reply.echo["port"].as_u64(), served_by, "{port} {path}: {reply:?}");
        assert_eq!(reply.status, if served_by.is_some() { 200 } else { 404 });
    }
}
