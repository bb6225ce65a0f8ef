//! Documents with so many hosts in all: three paths and a backend of its own for each.

use anyhow::Context;
use bellwether_ingress::IngressConfig;
use serde_json::{Value, json};

/// The most documents of a set.
const DOCUMENTS: usize = 10;

/// The fewest hosts of a document.
const FEWEST: usize = 5;

/// Where all of them listen.
const PORT: u16 = 8080;

/// Documents that share a listener.
pub(super) fn of(hosts: usize) -> anyhow::Result<Vec<IngressConfig>> {
    let each = hosts.div_ceil(DOCUMENTS).max(FEWEST);
    (0..hosts.div_ceil(each)).map(|number| document(number, each).context("a document")).collect()
}

fn document(number: usize, hosts: usize) -> anyhow::Result<IngressConfig> {
    let document = json!({
        "apiVersion": "bellwether/v1", "kind": "IngressConfig", "metadata": {"name": format!("shop-{number}")},
        "spec": {
            "listeners": [{"name": "web", "port": PORT, "protocol": "HTTP"}],
            "rules": (0..hosts).map(|host| rule(number, host)).collect::<Vec<_>>(),
            "backends": (0..hosts).map(backend).collect::<Vec<_>>(),
        },
    });
    IngressConfig::from_json(document.to_string().as_bytes()).map_err(|errors| anyhow::anyhow!("{errors}"))
}

fn rule(document: usize, host: usize) -> Value {
    let path =
        |kind: &str, path: &str| json!({"pathType": kind, "path": path, "backend": {"name": name(host)}});
    let paths = [path("Prefix", "/"), path("Prefix", "/cart"), path("Exact", "/login")];
    json!({"host": format!("host-{host}.shop-{document}.example"), "http": {"paths": paths}})
}

/// Nobody is there, and nobody asks.
fn backend(host: usize) -> Value {
    json!({"name": name(host), "endpoints": [{"address": "127.0.0.1", "port": 1}]})
}

fn name(host: usize) -> String {
    format!("backend-{host}")
}
