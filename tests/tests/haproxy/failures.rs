//! Each step fails in each way it can: what is said, what serves afterwards, and what another agent makes of it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, SystemTime};

use bellwether_agent::driver::haproxy::HaproxyOptions;
use bellwether_agent::driver::{ApplyError, Blame, Driver as _, Limits, Step};
use bellwether_ingress::{Digest, IngressConfig};
use bellwether_tests::eventually;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::certificates;
use crate::fixture::{Proxy, moved};

const LONG: Duration = Duration::from_secs(30);
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
fn document(proxy: &Proxy, name: &str, port: u16, certificate: &str) -> IngressConfig {
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

async fn serves(proxy: &Proxy, digest: Digest, name: &str) {
    let expected: String = digest.to_string().chars().take(16).collect();
    eventually(format!("{name}: {expected} serves"), async || match proxy.probe() {
        Some(answer) if answer == expected => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_dies_is_started_again_on_what_served() {
    let mut proxy = Proxy::new();
    let good = document(&proxy, "good", 8080, "");
    let digest = proxy.apply(&[(&good, 1)]).await.unwrap();
    for kind in ["worker", "master", "worker"] {
        let before = proxy.pids("master");
        proxy.signal(kind, Signal::KILL);
        eventually("another master serves", async || {
            let now = proxy.pids("master");
            (!now.is_empty() && now != before).then_some(())
        })
        .await;
        serves(&proxy, digest, kind).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_worker_that_dies_at_once_is_a_refusal_or_comes_too_late_to_be_one() {
    let mut proxy = Proxy::new();
    let good = document(&proxy, "good", 8080, "");
    let mut served = proxy.apply(&[(&good, 1)]).await.unwrap();
    for revision in 2..40 {
        let old = proxy.pids("worker");
        let root = proxy.folder.path().to_owned();
        let killer = tokio::task::spawn_blocking(move || {
            let start = std::time::Instant::now();
            while start.elapsed() < LONG {
                let workers = crate::fixture::pids(&root, "worker").into_iter();
                if let Some(new) = workers.filter(|pid| !old.contains(pid)).find_map(Pid::from_raw) {
                    let _ = kill_process(new, Signal::KILL);
                    return;
                }
            }
        });
        let next = document(&proxy, "next", 9000 + revision, "");
        let outcome = proxy.apply(&[(&good, 1), (&next, revision.into())]).await;
        killer.await.unwrap();
        match outcome {
            // It was seen to serve before it was killed, and serves again.
            Ok(digest) => served = digest,
            Err(error) => {
                assert!(matches!(error.step, Step::Reload | Step::Verify), "{error}");
                assert!(!error.words.contains("could not be"), "{error}");
                return serves(&proxy, served, "after a death").await;
            }
        }
        serves(&proxy, served, "after a late death").await;
    }
    panic!("it never died in time");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_ends_between_any_two_steps_leaves_a_set_that_the_next_one_has_serve() {
    let mut proxy = Proxy::new();
    let good = document(&proxy, "good", 8080, "");
    let mut last = proxy.apply(&[(&good, 1)]).await.unwrap();
    for (revision, pause_ms) in (2..).zip((0..300).step_by(15)) {
        let next = document(&proxy, "next", 9000 + revision, "");
        let set = proxy.set(&[(&good, 1), (&next, revision.into())]);
        let _ = tokio::time::timeout(Duration::from_millis(pause_ms), proxy.driver.apply(&set)).await;
        proxy.restart(|_| {});
        proxy.driver.recover().await.unwrap_or_else(|error| panic!("{pause_ms} ms: {error}"));
        let answer = proxy.probe().unwrap_or_default();
        let is_one_of = |digest: Digest| digest.to_string().starts_with(&answer) && answer.len() == 16;
        assert!(is_one_of(last) || is_one_of(set.digest), "{pause_ms} ms: {answer}");
        proxy.driver.apply(&set).await.unwrap_or_else(|error| panic!("{pause_ms} ms: {error}"));
        serves(&proxy, set.digest, "in the end").await;
        last = set.digest;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_starts_again_takes_the_proxy_over_without_a_reload() {
    let mut proxy = Proxy::new();
    let good = document(&proxy, "good", 8080, "");
    proxy.apply(&[(&good, 1)]).await.unwrap();
    let before = (proxy.pids("master"), proxy.pids("worker"));
    proxy.restart(|_| {});
    proxy.driver.recover().await.unwrap();
    proxy.apply(&[(&good, 1)]).await.unwrap();
    assert_eq!((proxy.pids("master"), proxy.pids("worker")), before);
    proxy.restart(|options| options.stop_proxy = true);
    proxy.driver.recover().await.unwrap();
    proxy.driver.close().await;
    assert!(proxy.pids("master").is_empty() && proxy.probe().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_found_on_disk_and_cannot_be_read_does_not_keep_a_set_from_serving() {
    for spoil in ["truncated", "foreign", "newer"] {
        let mut proxy = Proxy::new();
        let good = document(&proxy, "good", 8080, "");
        let digest = proxy.apply(&[(&good, 1)]).await.unwrap();
        let record = proxy.folder.path().join("current/set.json");
        let text = fs::read_to_string(&record).unwrap();
        let spoilt = match spoil {
            "truncated" => text[..text.len() / 2].to_owned(),
            "foreign" => "[]".to_owned(),
            _ => text.replace("\"format\":1", "\"format\":2"),
        };
        fs::write(&record, spoilt).unwrap();
        proxy.restart(|_| {});
        proxy.driver.recover().await.unwrap();
        serves(&proxy, digest, spoil).await;
        proxy.apply(&[(&good, 1)]).await.unwrap_or_else(|error| panic!("{spoil}: {error}"));
        let next = document(&proxy, "next", 9090, "");
        let digest = proxy.apply(&[(&good, 1), (&next, 2)]).await.unwrap();
        serves(&proxy, digest, spoil).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_takes_nobody_down_who_serves() {
    let far: fn() -> SystemTime = || SystemTime::now() + Duration::from_secs(200 * 365 * 24 * 3600);
    let mut proxy = Proxy::new();
    certificates::write(&proxy.certs(), "good", &["a.example"]);
    let good = document(&proxy, "good", 8443, "good");
    let digest = proxy.apply(&[(&good, 1)]).await.unwrap();
    proxy.restart(|options| options.now = far);
    proxy.driver.recover().await.unwrap();
    proxy.apply(&[(&good, 1)]).await.unwrap();
    serves(&proxy, digest, "after the jump").await;
    let plain = document(&proxy, "plain", 8080, "");
    proxy.apply(&[(&good, 1), (&plain, 2)]).await.unwrap();
    let late = document(&proxy, "late", 9443, "good");
    let error = proxy.apply(&[(&good, 1), (&plain, 2), (&late, 3)]).await.unwrap_err();
    assert_eq!(error.to_string(), "render: late: certificate good has expired");
    // Back again.
    proxy.restart(|_| {});
    proxy.driver.recover().await.unwrap();
    proxy.apply(&[(&good, 1), (&plain, 2), (&late, 3)]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_somebody_else_runs_is_used_and_told_about() {
    let mut proxy = Proxy::new();
    let socket = proxy.folder.path().join("their.sock");
    let theirs = socket.clone();
    proxy.restart(|options| {
        options.master_socket = Some(socket);
        options.limits = Limits { reload: SHORT, verify: SHORT, ..Limits::default() };
    });
    let good = document(&proxy, "good", 8080, "");
    let error = proxy.apply(&[(&good, 1)]).await.unwrap_err();
    assert!(error.step == Step::Reload && error.blame == Blame::Proxy, "{error}");
    let config = proxy.folder.path().join("current/haproxy.cfg");
    assert!(config.is_file(), "it has something to start on");
    let started = bellwether_tests::Launch::program("/usr/sbin/haproxy");
    let started = started.args(["-W", "-S"]).arg(&theirs).arg("-f").arg(&config).start();
    let digest = proxy.set(&[(&good, 1)]).digest;
    serves(&proxy, digest, "theirs").await;
    proxy.apply(&[(&good, 1)]).await.unwrap();
    let next = document(&proxy, "next", 9090, "");
    let digest = proxy.apply(&[(&good, 1), (&next, 2)]).await.unwrap();
    serves(&proxy, digest, "theirs").await;
    started.kill().await;
    let error = proxy.apply(&[(&good, 1), (&next, 3)]).await.unwrap_err();
    assert!(error.step == Step::Reload && error.blame == Blame::Proxy, "{error}");
    assert!(error.words.contains("could not be reloaded either"), "{error}");
}
