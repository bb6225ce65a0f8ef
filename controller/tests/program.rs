//! The program itself: what it refuses to do, and how it says whether it is ready.
#![expect(clippy::unwrap_used, reason = "a helper that panics fails the test")]

use std::{
    fs::{self, Permissions},
    io::{BufRead, BufReader},
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};
use tempfile::TempDir;

const KEY: &str = "sesame-0123456789";

/// As long as no test should wait, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(30);

/// A port that nothing listens on.
const NO_BROKER: &str = "amqp://127.0.0.1:1/%2f";
const NO_REDIS: &str = "redis://127.0.0.1:1/";

fn controller(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bellwether-controller"));
    command.env_clear().args(["--amqp-url", NO_BROKER, "--redis-url", NO_REDIS]).args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

/// How it ends, and what it says; what should end by itself and does not is killed.
fn output(arguments: &[&str]) -> (Option<i32>, String) {
    let mut process = controller(arguments).spawn().unwrap();
    let deadline = Instant::now() + PATIENCE;
    while process.try_wait().unwrap().is_none() && Instant::now() < deadline {
        sleep(Duration::from_millis(5));
    }
    let _ = process.kill();
    let Output { status, stderr, .. } = process.wait_with_output().unwrap();
    (status.code(), String::from_utf8(stderr).unwrap())
}

/// A controller that runs, killed with the value.
struct Running {
    process: Child,
    log: BufReader<std::process::ChildStderr>,
}

impl Running {
    fn start(arguments: &[&str]) -> Self {
        let mut process = controller(arguments).spawn().unwrap();
        let log = BufReader::new(process.stderr.take().unwrap());
        Self { process, log }
    }

    /// What it logs until it says this.
    fn log_until(&mut self, text: &str) -> String {
        let mut log = String::new();
        while !log.contains(text) {
            assert_ne!(self.log.read_line(&mut log).unwrap(), 0, "it ended before it said {text:?}:\n{log}");
        }
        log
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn key_file(text: &str, mode: u32) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys");
    fs::write(&file, text).unwrap();
    fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
    (folder, file)
}

fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

#[test]
fn it_refuses_to_listen_where_others_reach_it_without_a_key() {
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:7400"] {
        let (status, words) = output(&["--listen", address]);
        assert_eq!(status, Some(2), "{words}");
        for word in ["error: --listen", address, "--api-key-file", "--allow-anonymous"] {
            assert!(words.contains(word) && words.lines().count() == 1, "{words}");
        }
    }
}

#[test]
fn it_refuses_keys_that_will_not_do_and_shows_none_of_them() {
    let (_folder, short) = key_file("sesame-short", 0o600);
    let (_other, good) = key_file(KEY, 0o600);
    let (short, good) = (short.to_str().unwrap(), good.to_str().unwrap());
    let cases: [(&[&str], &str); 3] = [
        (&["--api-key-file", short], "line 1: a key has at least 16 characters"),
        (&["--api-key-file", "/there/is/none"], "--api-key-file /there/is/none: No such file"),
        (&["--api-key-file", good, "--allow-anonymous"], "--api-key-file and --allow-anonymous"),
    ];
    for (arguments, why) in cases {
        let (status, words) = output(arguments);
        assert_eq!(status, Some(2), "{words}");
        assert!(words.contains(why) && !words.contains("sesame"), "{words}");
    }
}

#[test]
fn a_key_file_that_others_can_read_is_warned_of_and_a_key_is_never_logged() {
    let warning = "every user of this machine can read the API keys";
    for (mode, warned) in [(0o644, true), (0o640, false)] {
        let (_folder, file) = key_file(KEY, mode);
        let arguments = ["--listen", "0.0.0.0:0", "--api-key-file", file.to_str().unwrap(), "--log", "trace"];
        let log = Running::start(&arguments).log_until("starting");
        assert_eq!(log.contains(warning), warned, "{log}");
        assert!(!log.contains(KEY), "{log}");
    }
}

#[test]
fn healthcheck_says_by_its_exit_code_whether_a_controller_is_ready() {
    let address = free_address();
    let (status, words) = output(&["healthcheck", "--listen", &address]);
    assert_eq!(status, Some(1), "{words}");
    assert!(words.contains("does not answer"), "{words}");

    let mut running = Running::start(&["--listen", &address]);
    running.log_until("starting");
    // Neither broker nor Redis is there. It is asked without a key, and told why.
    let (status, words) = output(&["healthcheck", "--listen", &address]);
    assert_eq!(status, Some(1), "{words}");
    assert!(words.contains("is not ready") && words.contains("\"registry\""), "{words}");
}
