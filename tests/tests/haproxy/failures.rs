//! Each step fails in each way it can: what is said, what serves afterwards, and what another agent makes of it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use bellwether_agent::driver::haproxy::HaproxyOptions;
use bellwether_agent::driver::{ApplyError, Blame, Driver as _, Step};
use bellwether_ingress::{Digest, IngressConfig};
use bellwether_tests::eventually;
use rustix::process::{Signal, kill_process};
use serde_json::json;

use crate::certificates;
use crate::fixture::{Proxy, moved};

/// What a step may take that is going to hang.
const SHORT: Duration = Duration::from_secs(2);

/// Who is to blame, without the words.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    Document,
    Set,
    Proxy,
}

/// One way to fail.
struct Row {
    name: &'static str,
    /// What an operator, a disk or somebody else does before the push.
    before: fn(&mut Proxy),
    choose: fn(&mut HaproxyOptions),
    /// The document that is pushed beside the good one.
    pushed: fn(&Proxy) -> IngressConfig,
    step: Step,
    fault: Fault,
    words: &'static str,
    /// What makes the node whole again.
    after: fn(&Proxy),
}

const ROW: Row = Row {
    name: "",
    before: |_| {},
    choose: |_| {},
    pushed: |proxy| document(proxy, "bad", 9090, ""),
    step: Step::Check,
    fault: Fault::Document,
    words: "",
    after: |_| {},
};

/// A document that listens on a port, with a certificate if it has a name.
pub(crate) fn document(proxy: &Proxy, name: &str, port: u16, certificate: &str) -> IngressConfig {
    let mut listener = json!({"name": "l", "port": port, "protocol": "HTTP"});
    if !certificate.is_empty() {
        listener["protocol"] = "HTTPS".into();
        listener["defaultCertificate"] = json!({"name": certificate});
    }
    let document = json!({
        "apiVersion": "bellwether/v1", "kind": "IngressConfig", "metadata": {"name": name},
        "spec": {
            "listeners": [listener],
            "defaultBackend": {"name": "b"},
            "backends": [{"name": "b", "endpoints": [{"address": "127.0.0.1", "port": 7000}]}],
        },
    });
    moved(document, proxy.address)
}

/// An HAProxy that does `script` first, with the arguments of the real one.
fn scripted(options: &mut HaproxyOptions, script: &str) {
    let program = options.cert_dir.as_ref().unwrap().join("haproxy");
    fs::write(&program, format!("#!/bin/sh\n{script}\nexec /usr/sbin/haproxy \"$@\"\n")).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    options.program = program;
}

const REFUSE_BY_LINE: &str = r#"if [ "$1" = -c ] && line=$(grep -n 'backend bad_b' "$3"); then
  echo "[ALERT]    (1) : config : parsing [$3:$((${line%%:*} + 1))] : nobody likes it" >&2; exit 1
fi"#;
const REFUSE: &str = r#"if [ "$1" = -c ] && grep -q bad_b "$3"; then echo 'out of luck' >&2; exit 3; fi"#;
const HANG: &str = r#"if [ "$1" = -c ] && grep -q bad_b "$3"; then exec sleep 600; fi"#;
/// The check is passed, and then the set is not what was checked.
const SPOIL: &str = r#"if [ "$1" = -c ] && grep -q bad_b "$3"; then rm "${3%/*}"/*.map; exit 0; fi"#;

#[tokio::test(flavor = "multi_thread")]
async fn whatever_fails_is_told_by_name_and_the_last_good_set_serves_on() {
    let rows = [
        Row {
            name: "two documents that cannot be merged",
            pushed: |proxy| document(proxy, "bad", 8080, ""),
            step: Step::Render,
            words: "bad: spec.defaultBackend: the default backend of the shared listener belongs to document good",
            ..ROW
        },
        Row {
            name: "a certificate that is missing",
            pushed: |proxy| document(proxy, "bad", 9090, "none"),
            step: Step::Render,
            words: "bad: certificate none cannot be read: No such file",
            ..ROW
        },
        Row {
            name: "a certificate that is broken",
            before: |proxy| fs::write(proxy.certs().join("broken.pem"), "-----BEGIN CERTI").unwrap(),
            pushed: |proxy| document(proxy, "bad", 9090, "broken"),
            step: Step::Render,
            words: "bad: certificate broken is broken",
            ..ROW
        },
        Row {
            name: "a certificate with the key of another",
            before: |proxy| {
                for name in ["one", "other"] {
                    certificates::write(&proxy.certs(), name, &["a.example"]);
                }
                let read = |name: &str| fs::read_to_string(proxy.certs().join(name)).unwrap();
                let (one, other) = (read("one.pem"), read("other.pem"));
                let key = "-----BEGIN PRIVATE KEY";
                let mixed =
                    one.split(key).next().unwrap().to_owned() + key + other.split(key).nth(1).unwrap();
                fs::write(proxy.certs().join("mixed.pem"), mixed).unwrap();
            },
            pushed: |proxy| document(proxy, "bad", 9090, "mixed"),
            words: "bad: ",
            ..ROW
        },
        Row {
            name: "a certificate that has expired",
            before: |proxy| drop(certificates::write_until(&proxy.certs(), "old", &["a.example"], 2001)),
            pushed: |proxy| document(proxy, "bad", 9090, "old"),
            step: Step::Render,
            words: "bad: certificate old has expired",
            ..ROW
        },
        Row {
            name: "a checker that blames a line",
            choose: |options| scripted(options, REFUSE_BY_LINE),
            words: "] : nobody likes it",
            ..ROW
        },
        Row {
            name: "a checker that says no",
            choose: |options| scripted(options, REFUSE),
            fault: Fault::Set,
            words: "exit status: 3: out of luck",
            ..ROW
        },
        Row {
            name: "a checker that hangs",
            choose: |options| {
                scripted(options, HANG);
                options.limits.check = SHORT;
            },
            fault: Fault::Proxy,
            words: "no end after 2s",
            ..ROW
        },
        Row {
            name: "a checker that is not there",
            choose: |options| options.program = "/nowhere/haproxy".into(),
            fault: Fault::Proxy,
            words: "/nowhere/haproxy: No such file",
            ..ROW
        },
        Row {
            name: "a port that is taken",
            before: |proxy| {
                std::mem::forget(std::net::TcpListener::bind(proxy.at(9191)).unwrap());
            },
            pushed: |proxy| document(proxy, "bad", 9191, ""),
            words: ":9191 is in use by another program",
            ..ROW
        },
        Row {
            name: "a reload that is refused",
            choose: |options| scripted(options, SPOIL),
            step: Step::Reload,
            fault: Fault::Set,
            words: "HAProxy refuses to load it: ",
            ..ROW
        },
        Row {
            name: "a master that hangs",
            before: |proxy| proxy.signal("master", Signal::STOP),
            choose: |options| options.limits.reload = SHORT,
            step: Step::Reload,
            fault: Fault::Proxy,
            words: "HAProxy's master does not answer",
            after: |proxy| resume(proxy),
            ..ROW
        },
    ];
    for row in rows {
        fails(row).await;
    }
}

/// The master does not answer while it is stopped, so it is found by its socket's peer.
fn resume(proxy: &Proxy) {
    let pid = proxy.master.unwrap();
    kill_process(pid, Signal::CONT).unwrap();
}

async fn fails(row: Row) {
    let name = row.name;
    let mut proxy = Proxy::new();
    let good = document(&proxy, "good", 8080, "");
    let digest = proxy.apply(&[(&good, 1)]).await.unwrap_or_else(|error| panic!("{name}: {error}"));
    proxy.note_master();
    proxy.restart(row.choose);
    (row.before)(&mut proxy);
    let bad = (row.pushed)(&proxy);
    let error = proxy.apply(&[(&good, 1), (&bad, 2)]).await.expect_err(name);
    check(&row, &error);
    serves(&proxy, digest, name).await;
    (row.after)(&proxy);

    // Another agent finds the last good set serving, and can do better.
    proxy.restart(|_| {});
    proxy.driver.recover().await.unwrap_or_else(|error| panic!("{name}: {error}"));
    serves(&proxy, digest, name).await;
    let better = document(&proxy, "bad", 9292, "");
    let digest = proxy.apply(&[(&good, 1), (&better, 3)]).await;
    serves(&proxy, digest.unwrap_or_else(|error| panic!("{name}: {error}")), name).await;
}

fn check(row: &Row, error: &ApplyError) {
    let (name, words) = (row.name, error.to_string());
    assert_eq!(error.step, row.step, "{name}: {words}");
    assert!(words.contains(row.words), "{name}: {words}");
    assert!(words.len() < 1_200 && !words.contains("could not be"), "{name}: {words}");
    let fault = match &error.blame {
        Blame::Documents(refused) => {
            assert!(refused.iter().all(|it| it.document.as_str() == "bad"), "{name}: {refused:?}");
            Fault::Document
        }
        Blame::Set => Fault::Set,
        Blame::Proxy => Fault::Proxy,
        Blame::Node => panic!("{name}: {words}"),
    };
    assert_eq!(fault, row.fault, "{name}: {words}");
}

pub(crate) async fn serves(proxy: &Proxy, digest: Digest, name: &str) {
    let expected: String = digest.to_string().chars().take(16).collect();
    eventually(format!("{name}: {expected} serves"), async || match proxy.probe() {
        Some(answer) if answer == expected => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
}
