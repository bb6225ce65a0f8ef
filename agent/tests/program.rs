//! The program itself: its exit status, its words, and its signals.
#![expect(clippy::unwrap_used, reason = "a helper that panics fails the test")]

use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs,
    net::TcpListener,
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

/// A port that nothing listens on.
const NO_BROKER: &str = "amqp://127.0.0.1:1/%2f";

fn agent(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bellwether-agent"));
    command.env_clear().args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn output(arguments: &[&str]) -> (Option<i32>, String) {
    let Output { status, stderr, .. } = agent(arguments).output().unwrap();
    (status.code(), String::from_utf8(stderr).unwrap())
}

fn terminate(agent: &Child) {
    kill_process(Pid::from_child(agent), Signal::TERM).unwrap();
}

/// Waits until the agent has taken its folder.
fn wait_for(path: &Path) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !path.exists() {
        assert!(Instant::now() < deadline, "{} does not appear", path.display());
        std::thread::yield_now();
    }
}

#[test]
fn a_wrong_setting_ends_with_2_and_one_line_without_the_password() {
    for arguments in [
        &["--name", "a", "--amqp-url", "http://me:sesame@rabbit"][..],
        &["--name", "a", "--config", "/there/is/none.toml"],
    ] {
        let (status, words) = output(arguments);
        assert_eq!(status, Some(2), "{words}");
        assert!(
            words.starts_with("error: --") && words.lines().count() == 1 && !words.contains("sesame"),
            "{words}"
        );
    }
    assert_eq!(output(&["--driver", "magic"]).0, Some(2));
}

#[test]
fn an_agent_without_a_broker_runs_until_it_is_told_to_stop_and_keeps_others_off_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let arguments = ["--name", "node-7", "--amqp-url", NO_BROKER, "--state-dir", state.to_str().unwrap()];
    let first = agent(&arguments).spawn().unwrap();
    wait_for(&state.join("lock"));
    let (status, words) = output(&arguments);
    assert_eq!(status, Some(1), "{words}");
    assert!(words.contains("in use by another agent") && words.lines().count() == 1, "{words}");
    terminate(&first);
    let Output { status, stderr, .. } = first.wait_with_output().unwrap();
    assert_eq!(status.code(), Some(0), "{}", String::from_utf8_lossy(&stderr));
}

#[test]
fn a_template_that_is_none_ends_with_1() {
    let folder = tempfile::tempdir().unwrap();
    let template = folder.path().join("proxy.conf");
    fs::write(&template, "{% if %}").unwrap();
    let (state, template) = (folder.path().join("state"), template.to_str().unwrap().to_owned());
    let (status, words) =
        output(&["--name", "a", "--state-dir", state.to_str().unwrap(), "--template", &template]);
    assert_eq!(status, Some(1), "{words}");
    assert!(words.starts_with("error: the template ") && words.contains("proxy.conf:1"), "{words}");
}

#[test]
fn healthcheck_says_by_its_exit_code_whether_an_agent_is_ready() {
    assert_eq!(output(&["healthcheck"]).0, Some(2), "it does not know whom to ask");
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let ask = || output(&["healthcheck", "--health-listen", &address]);
    let (status, words) = ask();
    assert_eq!(status, Some(1), "{words}");
    assert!(words.contains("does not answer"), "{words}");

    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let arguments = ["--name", "node-7", "--amqp-url", NO_BROKER, "--state-dir", state.to_str().unwrap()];
    let mut running = agent(&[&arguments[..], &["--health-listen", &address]].concat()).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    let words = loop {
        let (status, words) = ask();
        assert_eq!(status, Some(1), "{words}");
        if !words.contains("does not answer") {
            break words;
        }
        assert!(Instant::now() < deadline, "{words}");
    };
    running.kill().unwrap();
    running.wait().unwrap();
    assert!(words.contains("not connected"), "{words}");
}
