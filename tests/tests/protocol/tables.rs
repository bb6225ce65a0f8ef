//! Methods, faults, outcomes, names and digests are those of the code.

use bellwether_ingress::{ConfigName, Digest, Revision};
use bellwether_proto::agent::{AgentClient, DelIngressConfig, Describe, Ping, Resync, SetIngressConfig};
use bellwether_proto::controller::{ControllerClient, GetIngressConfigs, OfflineAgent, OnlineAgent};
use bellwether_proto::{AgentName, Fleet, agent, controller};
use bellwether_rpc::{CallError, Fault, FaultKind, Method};
use bellwether_tests::workspace;
use serde_json::{Value, json};
use std::collections::BTreeSet;

use crate::page::Page;

/// Where the tables are, and so which of them something checks: a new one belongs here and into a test.
const TABLES: [(&str, usize); 19] = [
    ("Names", 3),
    ("Messages", 1),
    ("What an agent does with a message", 1),
    ("Faults", 1),
    ("How a call ends", 1),
    ("Methods", 1),
    ("What a store is", 1),
    ("The digest", 1),
    ("Beats", 2),
    ("Fetching", 4),
    ("Pushes", 5),
    ("Ping and Describe", 1),
    ("Goodbye", 1),
    ("Numbers", 1),
    ("", 0),
    ("The protocol", 0),
    ("The life of an agent", 0),
    ("Reconnecting", 0),
    ("Versions", 0),
];

pub(crate) const FAULTS: [FaultKind; 9] = [
    FaultKind::UnknownMethod,
    FaultKind::BadRequest,
    FaultKind::Rejected,
    FaultKind::Superseded,
    FaultKind::Overloaded,
    FaultKind::DeadlineExceeded,
    FaultKind::Unavailable,
    FaultKind::Unauthorized,
    FaultKind::Internal,
];

#[test]
fn no_table_goes_unchecked() {
    let page = Page::read();
    let expected: Vec<&str> =
        TABLES.iter().flat_map(|(title, count)| std::iter::repeat_n(*title, *count)).collect();
    assert_eq!(page.titles_of_tables(), expected);
}

#[test]
fn the_methods_are_those_of_the_two_services() {
    fn row<M: Method>(service: &str) -> [String; 3] {
        let notification = if M::NOTIFIABLE { "may be" } else { "no" };
        [M::NAME, service, notification].map(str::to_owned)
    }
    let expected = [
        row::<OnlineAgent>(controller::SERVICE),
        row::<OfflineAgent>(controller::SERVICE),
        row::<GetIngressConfigs>(controller::SERVICE),
        row::<SetIngressConfig>(agent::SERVICE),
        row::<DelIngressConfig>(agent::SERVICE),
        row::<Resync>(agent::SERVICE),
        row::<Ping>(agent::SERVICE),
        row::<Describe>(agent::SERVICE),
    ];
    let table = Page::read().table("Methods", "method");
    let rows: Vec<&[String]> = table.rows.iter().map(|row| &row[..3]).collect();
    assert_eq!(rows, expected);
    // The list above is whole.
    let known = [(controller::SERVICE, ControllerClient::METHODS), (agent::SERVICE, AgentClient::METHODS)];
    for (service, methods) in known {
        let listed = expected.iter().filter(|row| row[1] == service).map(|row| row[0].as_str());
        assert_eq!(listed.collect::<BTreeSet<_>>(), methods.iter().copied().collect(), "{service}");
    }
}

#[test]
fn the_faults_are_those_of_the_code() {
    let table = Page::read().table("Faults", "fault");
    let names = FAULTS.map(|kind| serde_json::to_value(kind).expect("JSON"));
    assert_eq!(table.cells("fault").into_iter().map(Value::from).collect::<Vec<_>>(), names);
    // A kind that is added goes here, and into the list.
    for kind in FAULTS {
        match kind {
            FaultKind::UnknownMethod | FaultKind::BadRequest | FaultKind::Rejected => {}
            FaultKind::Superseded | FaultKind::Overloaded | FaultKind::DeadlineExceeded => {}
            FaultKind::Unavailable | FaultKind::Unauthorized | FaultKind::Internal => {}
        }
    }
    let again = FAULTS.map(|kind| yes_or_no(&Fault::new(kind, "").into()));
    assert_eq!(table.cells("the request may be sent again"), again);
    let unknown: Fault = serde_json::from_value(json!({"fault": "OfTomorrow"})).expect("it reads");
    assert_eq!(unknown.kind, FaultKind::Internal);
}

#[test]
fn the_outcomes_are_those_of_the_code() {
    let reason = String::new;
    let outcomes = [
        CallError::Unroutable { address: reason(), sent: false },
        CallError::DeadlineExceeded { sent: true },
        CallError::Disconnected,
        CallError::Overloaded { reason: reason() },
        CallError::Invalid { reason: reason() },
    ];
    for outcome in &outcomes {
        match outcome {
            CallError::Fault(_) | CallError::Unroutable { .. } | CallError::DeadlineExceeded { .. } => {}
            CallError::Disconnected | CallError::Overloaded { .. } | CallError::Invalid { .. } => {}
        }
    }
    let table = Page::read().table("How a call ends", "outcome");
    let rows: Vec<[&str; 2]> = table.rows.iter().map(|row| [row[0].as_str(), row[2].as_str()]).collect();
    let fault = [CallError::from(Fault::internal("")).name(), "by its kind"];
    let others = outcomes.iter().map(|outcome| [outcome.name(), yes_or_no(outcome)]);
    assert_eq!(rows, std::iter::once(fault).chain(others).collect::<Vec<_>>());
}

fn yes_or_no(outcome: &CallError) -> &'static str {
    if outcome.is_safe_to_resend() { "yes" } else { "no" }
}

#[test]
fn the_syntax_of_names_is_the_one_that_is_read() {
    let table = Page::read().table("Names", "placeholder");
    assert_eq!(table.cells("placeholder"), ["<fleet>", "<name>", "<config>"]);
    for placeholder in table.cells("placeholder") {
        let is_read = |text: &str| match placeholder {
            "<fleet>" => text.parse::<Fleet>().is_ok(),
            "<name>" => text.parse::<AgentName>().is_ok(),
            _ => text.parse::<ConfigName>().is_ok(),
        };
        let (inner, inside) = parts_of(table.cell(placeholder, "syntax"));
        for byte in 0u8..128 {
            let byte = char::from(byte);
            let edge = byte.is_ascii_lowercase() || byte.is_ascii_digit();
            assert_eq!(is_read(&byte.to_string()), edge, "{placeholder}: {byte:?} alone");
            assert_eq!(
                is_read(&format!("a{byte}a")),
                edge || inner.contains(byte),
                "{placeholder}: a{byte:?}a"
            );
        }
        let longest = "a".repeat(inside + 2);
        assert!(is_read(&longest) && !is_read(&format!("{longest}a")) && !is_read(""), "{placeholder}");
    }
    assert_eq!(Fleet::default().as_str(), "default");
    assert!(table.cell("<fleet>", "what").ends_with("; default"));
}

/// `[a-z0-9]([a-z0-9.-]{0,126}[a-z0-9])?`: what may stand inside beside letters and digits, and how often.
fn parts_of(syntax: &str) -> (String, usize) {
    let inside = syntax.strip_prefix("[a-z0-9]([a-z0-9").and_then(|rest| rest.strip_suffix("}[a-z0-9])?"));
    let (inner, count) = inside.and_then(|inside| inside.split_once("]{0,")).expect("the usual form");
    (inner.to_owned(), count.parse().expect("a number"))
}

#[test]
fn the_digest_comes_out_as_the_page_says() {
    let page = Page::read();
    let table = page.table("The digest", "config");
    let set: Vec<(ConfigName, Revision)> = table
        .rows
        .iter()
        .map(|row| {
            (row[0].parse().expect("a name"), Revision::from(row[1].parse::<u64>().expect("a number")))
        })
        .collect();
    let digest = Digest::of_set(set.iter().map(|(name, revision)| (name, *revision)));
    let digests: Vec<String> =
        page.blocks().into_iter().filter(|block| block.info == "digest").map(|block| block.text).collect();
    assert_eq!(digests, [digest.to_string(), Digest::empty_set().to_string()]);

    let mut lines: Vec<String> = set.iter().map(|(name, revision)| format!("{name} {revision}")).collect();
    lines.sort();
    let text = std::fs::read_to_string(workspace::path("docs/protocol.md")).expect("the page");
    assert!(text.contains(&format!("the SHA-256 of `{}\\n`", lines.join("\\n"))), "{lines:?}");

    // The examples tell of the same set: before the push, with it, and after the removal.
    let of = |info: &str| -> Value {
        let block = page.block(info).expect("an example");
        serde_json::from_str(&block.text).expect("JSON")
    };
    let without = set.iter().filter(|(name, _)| name.as_str() != "shop");
    let without = json!(Digest::of_set(without.map(|(name, revision)| (name, *revision))));
    assert_eq!(of("json OnlineAgent request")["digest"], without);
    assert_eq!(of("json DelIngressConfig reply")["digest"], without);
    for info in ["OnlineAgent reply", "Resync request", "GetIngressConfigs reply", "SetIngressConfig reply"] {
        assert_eq!(of(&format!("json {info}"))["digest"], json!(digest), "{info}");
    }
}
