//! What the programs measure is what the handbook says, and real programs show it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bellwether_tests::{Answer, Binary, Fleet, Launch, Port, workspace};
use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use serde_json::Value;

use crate::documents::document;

/// What a health check may take.
const COMMAND: Duration = Duration::from_secs(60);

/// Every program's own.
const BUILD_INFO: &str = "bellwether_build_info";

/// What is counted only when something is wrong, or was said by somebody who is not there.
const RARE: [&str; 14] = [
    "bellwether_agent_proxy_deaths_total",
    "bellwether_agent_state_broken_total",
    "bellwether_controller_agents_lost_total",
    "bellwether_controller_beats_missed_total",
    "bellwether_controller_beats_of_the_future_total",
    "bellwether_controller_registry_errors_total",
    "bellwether_controller_resyncs_total",
    "bellwether_controller_store_errors_total",
    "bellwether_rpc_answers_dropped_total",
    "bellwether_rpc_answers_unsent_total",
    "bellwether_rpc_connections_lost_total",
    "bellwether_rpc_requests_dropped_total",
    "bellwether_rpc_requests_handed_back_total",
    "bellwether_agent_syncs_total",
];

/// A row of the handbook's table.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    kind: String,
    labels: BTreeSet<String>,
}

#[test]
fn the_handbook_lists_what_the_programs_describe_and_they_describe_what_they_count() {
    let mut described = described();
    described.insert(BUILD_INFO.to_owned(), "gauge");
    let listed = documented();
    let listed: BTreeMap<_, _> = listed.iter().map(|(name, row)| (name.clone(), &*row.kind)).collect();
    assert_eq!(listed, described);
    let counted = counted();
    assert_eq!(counted, described.into_keys().collect());
}

#[tokio::test]
async fn after_a_push_real_programs_show_what_the_handbook_lists() {
    let health = Port::claim();
    let fleet = Fleet::shared().await.api_key("metrics-0123456789").controllers(1);
    let fleet = fleet.agent("edge-1", &["--health-listen", &health.address()]).agents(1).start().await;
    let pushed = fleet.push(&document("shop", 8080), &[]).await;
    assert_eq!(pushed.counts().0, 0);
    fleet.wait_until_converged().await;

    let agent = Answer::to_get(&format!("http://{}/metrics", health.address())).await.expect("an answer");
    let controller = fleet.controller(0).get("/metrics").await.expect("an answer");
    let documented = documented();
    let mut shown = BTreeSet::new();
    for answer in [agent, controller] {
        assert_eq!(answer.kind, "text/plain; version=0.0.4; charset=utf-8");
        let Value::String(text) = &answer.body else { panic!("{answer:?}") };
        assert!(!text.contains("edge-1"), "an agent's name is in it:\n{text}");
        for (name, labels) in series(text) {
            let row = documented.get(&name).unwrap_or_else(|| panic!("{name} is not in the handbook"));
            assert_eq!(labels, row.labels, "the labels of {name}");
            assert!(text.contains(&format!("# HELP {name} ")), "{name} has no help");
            shown.insert(name);
        }
    }
    let missing: Vec<_> =
        documented.keys().filter(|name| !shown.contains(*name) && !RARE.contains(&name.as_str())).collect();
    assert!(missing.is_empty(), "not shown: {missing:?}");
}

#[tokio::test]
async fn healthcheck_ends_with_0_when_a_program_is_ready_and_with_1_when_not() {
    let health = Port::claim();
    let fleet = Fleet::shared().await.api_key("health-0123456789").controllers(1);
    let arguments =
        ["--health-listen", &health.address(), "--check", "! grep -q 8666 \"$BELLWETHER_DIR\"/*.json"];
    let fleet = fleet.agent("node-1", &arguments).start().await;
    let agent = || healthcheck(Binary::Agent, "--health-listen", health.address());
    let url = fleet.controller(0).url();
    let listen = url.trim_start_matches("http://").to_owned();
    assert_eq!(healthcheck(Binary::Controller, "--listen", listen.clone()).await.0, 0);
    assert_eq!(agent().await.0, 0);

    assert_eq!(fleet.push(&document("shop", 8666), &[]).await.counts().0, 4);
    let (code, words) = agent().await;
    assert_eq!(code, 1, "{words}");
    assert!(words.contains("\"set\":{\"ok\":false"), "{words}");
    assert_eq!(fleet.push(&document("shop", 8080), &[]).await.counts().0, 0);
    assert_eq!(agent().await.0, 0);

    fleet.controller(0).process().kill().await;
    assert_eq!(healthcheck(Binary::Controller, "--listen", listen).await.0, 1);
}

async fn healthcheck(program: Binary, flag: &str, address: String) -> (i32, String) {
    let output = Launch::of(program).await.args(["healthcheck", flag, &address]).run_to_end(COMMAND).await;
    (output.code, output.stderr)
}

/// The table under `## Metrics`.
fn documented() -> BTreeMap<String, Row> {
    let text = std::fs::read_to_string(workspace::path("docs/operations.md")).expect("the handbook");
    let rows = text.lines().filter_map(|line| {
        let cells: Vec<_> = line.strip_prefix("| `bellwether_")?.split('|').map(str::trim).collect();
        let [name, kind, labels, _, ""] = cells[..] else { panic!("not a row: {line}") };
        let labels = labels.split(", ").map(|label| label.trim_matches('`').to_owned());
        let row = Row { kind: kind.to_owned(), labels: labels.filter(|label| !label.is_empty()).collect() };
        Some((format!("bellwether_{}", name.trim_end_matches('`')), row))
    });
    rows.collect()
}

/// The names of metrics in the sources, outside of what describes them.
fn counted() -> BTreeSet<String> {
    let sources = workspace::files().into_iter().filter(|file| {
        let of_program = |it: &str| file.path.starts_with(&format!("{it}/src/"));
        ["rpc", "program", "controller", "agent"].into_iter().any(of_program)
    });
    let mut names = BTreeSet::new();
    for file in sources {
        for line in without_descriptions(&file.text).lines() {
            let quoted = line.split('"').skip(1).step_by(2);
            names.extend(quoted.filter(|text| is_metric(text)).map(str::to_owned));
        }
    }
    names
}

/// The text without what stands in `describe_…!( … );`.
fn without_descriptions(text: &str) -> String {
    let mut parts = text.split("describe_");
    let first = parts.next().unwrap_or_default();
    let rest = parts.map(|part| part.split_once(");").map_or("", |(_, rest)| rest));
    std::iter::once(first).chain(rest).collect()
}

fn is_metric(text: &str) -> bool {
    let parts = ["agent_", "controller_", "rpc_", "build_info"];
    text.strip_prefix("bellwether_").is_some_and(|rest| parts.iter().any(|part| rest.starts_with(part)))
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

/// The series of a page, by the metric's name, each with the names of its labels.
fn series(text: &str) -> Vec<(String, BTreeSet<String>)> {
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| one_series(line.rsplit_once(' ').expect("a name and a value").0)).collect()
}

fn one_series(series: &str) -> (String, BTreeSet<String>) {
    let (name, labels) = series.split_once('{').unwrap_or((series, ""));
    let name = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
    let labels = labels.trim_end_matches('}').split("\",").filter_map(|label| label.split_once('='));
    let labels = labels.map(|(label, _)| label.to_owned()).filter(|label| label != "le");
    (name.to_owned(), labels.collect())
}

/// Every metric that the programs describe, by what it is.
fn described() -> BTreeMap<String, &'static str> {
    let recorder = Describing::default();
    metrics::with_local_recorder(&recorder, || {
        bellwether_rpc::metrics::describe();
        bellwether_controller::metrics::describe();
        bellwether_agent::metrics::describe();
    });
    recorder.0.lock().expect("nobody panicked").clone()
}

/// A recorder that keeps nothing but what is described.
#[derive(Default)]
struct Describing(Arc<Mutex<BTreeMap<String, &'static str>>>);

impl Describing {
    fn note(&self, name: &KeyName, kind: &'static str, help: &SharedString) {
        assert!(!help.is_empty(), "{name:?} has no help");
        self.0.lock().expect("nobody panicked").insert(name.as_str().to_owned(), kind);
    }
}

impl Recorder for Describing {
    fn describe_counter(&self, name: KeyName, _: Option<Unit>, help: SharedString) {
        self.note(&name, "counter", &help);
    }

    fn describe_gauge(&self, name: KeyName, _: Option<Unit>, help: SharedString) {
        self.note(&name, "gauge", &help);
    }

    fn describe_histogram(&self, name: KeyName, _: Option<Unit>, help: SharedString) {
        self.note(&name, "histogram", &help);
    }

    fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
        Counter::noop()
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}
