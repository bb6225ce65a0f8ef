//! Agents and proxies that end, are killed, and come back to what they left.

use std::fs;
use std::time::{Duration, SystemTime};

use bellwether_agent::driver::{Blame, Driver as _, Limits, Step};
use bellwether_ingress::Digest;
use bellwether_tests::eventually;
use rustix::process::{Pid, Signal, kill_process};

use crate::certificates;
use crate::failures::{document, serves};
use crate::fixture::Proxy;

const LONG: Duration = Duration::from_secs(30);
/// What a step may take that is going to fail.
const SHORT: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_dies_is_started_again_on_what_served() {
    let mut proxy = Proxy::new();
    let good = document(&proxy, "good", 8080, "");
    let digest = proxy.apply(&[(&good, 1)]).await.unwrap();
    let mut trouble = proxy.driver.trouble().unwrap();
    for kind in ["worker", "master", "worker"] {
        let before = proxy.pids("master");
        proxy.signal(kind, Signal::KILL);
        let told = trouble.wait_for(Option::is_some).await.unwrap().clone().unwrap();
        assert!(told.starts_with("HAProxy ended by itself"), "{told}");
        trouble.wait_for(Option::is_none).await.unwrap();
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
