//! `PUT /v1/configs/{name}` of what is no good document.

use std::time::Instant;

use bellwether_ingress::limits::MAX_DOCUMENT_BYTES;
use serde_json::Value;

use crate::bombs::bombs;
use crate::cases::{cases, field_of, text};
use crate::controller::Controller;
use crate::{BOUNDED, GROWTH, document_of, texts};

const YAML: &str = "application/yaml";
const JSON: &str = "application/json";

#[tokio::test]
async fn every_bad_document_is_refused_over_http_with_its_field() {
    let controller = Controller::start().await;
    let cases = cases();
    assert!(cases.len() >= 75);
    for case in &cases {
        let mut bodies: Vec<_> = texts(case).into_iter().map(|text| (YAML, text)).collect();
        if !case["config"].is_null() {
            bodies.push((JSON, case["config"].to_string()));
        }
        // The name is right, so that it is not what is wrong.
        let name = case["config"]["metadata"]["name"].as_str().unwrap_or("x");
        for (kind, body) in bodies {
            let what = format!("{} as {kind}", text(case, "name"));
            let (status, answered, problem) = controller.put(name, kind, &body).await;
            assert!([400, 422].contains(&status), "{what}: {status} {problem}");
            assert_eq!((answered.as_str(), &problem["status"]), ("application/problem+json", &status.into()));
            let errors = problem["errors"].as_array().unwrap_or_else(|| panic!("{what}: {problem}"));
            let field = field_of(text(case, "name"));
            let named = errors.iter().find(|error| error["path"] == field);
            let named = named.unwrap_or_else(|| panic!("{what} does not name {field}: {problem}"));
            assert!(
                named["message"].as_str().is_some_and(|message| !message.is_empty()),
                "{what}: {problem}"
            );
            assert!(kind == JSON || named["line"].is_u64(), "{what}: {problem}");
        }
    }
    controller.stop_empty().await;
}

#[tokio::test]
async fn hostile_texts_cost_a_controller_little_time_and_memory() {
    let controller = Controller::start().await;
    let before = peak();
    for (what, text) in bombs() {
        for kind in [YAML, JSON] {
            let started = Instant::now();
            let (status, _, problem) = controller.put("x", kind, &text).await;
            assert!([400, 422].contains(&status), "{what} as {kind}: {status} {problem}");
            assert!(problem.to_string().len() < 20_000, "{what} as {kind}: {problem}");
            assert!(started.elapsed() < BOUNDED, "{what} as {kind} took {:?}", started.elapsed());
        }
    }
    let after = peak();
    eprintln!("measured: at most {before} MiB before, {after} MiB after all bombs");
    assert!(after < before + GROWTH, "from {before} MiB to {after} MiB");

    for kind in [YAML, JSON] {
        let (status, _, problem) = controller.put("shop", kind, &document_of(MAX_DOCUMENT_BYTES + 1)).await;
        assert_eq!(status, 413, "{problem}");
    }
    controller.stop_empty().await;
}

#[tokio::test]
async fn a_document_of_the_largest_size_is_taken() {
    let controller = Controller::start().await;
    let (status, _, accepted) = controller.put("shop", YAML, &document_of(MAX_DOCUMENT_BYTES)).await;
    assert_eq!((status, &accepted["config"]), (202, &Value::from("shop")), "{accepted}");
}

/// The most memory that this process ever had, in MiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("this process runs");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
    peak.and_then(|peak| peak.parse::<u64>().ok()).expect("a number of KiB") / 1024
}
