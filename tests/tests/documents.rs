//! Documents that are refused, as an operator meets them: by the command and over HTTP, each with the field named.

#[path = "../../ingress/tests/limits/bombs.rs"]
mod bombs;
#[path = "../../ingress/tests/bad_inputs/cases.rs"]
mod cases;
#[path = "documents/command.rs"]
mod command;
#[path = "documents/controller.rs"]
mod controller;
#[path = "documents/http.rs"]
mod http;

use std::time::Duration;

/// What refusing one hostile text may take on a machine that does something else.
const BOUNDED: Duration = Duration::from_secs(20);

/// What a process may grow by to refuse hostile texts of 1 MiB, in MiB.
const GROWTH: u64 = 128;

/// A good document of so many bytes.
fn document_of(bytes: usize) -> String {
    let document = "apiVersion: bellwether/v1\nkind: IngressConfig\nmetadata: {name: shop}\nspec:\n  \
                    listeners: [{name: web, port: 8080, protocol: HTTP}]\n#";
    format!("{document}{}\n", "x".repeat(bytes - document.len() - 1))
}

/// The texts of a case: as it is, or as block and flow YAML.
fn texts(case: &serde_json::Value) -> Vec<String> {
    match case["yaml"].as_str() {
        Some(yaml) => vec![yaml.to_owned()],
        None => {
            let block = serde_saphyr::to_string(&case["config"]).expect("JSON prints as YAML");
            vec![block, case["config"].to_string()]
        }
    }
}
