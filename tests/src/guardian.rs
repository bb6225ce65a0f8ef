//! Processes that end with this one, whatever ends it: each is the child of a `scripts/guardian` on a pipe.

use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process};

use crate::{folder, workspace};

const POLL: Duration = Duration::from_millis(10);
/// What a guardian may take to end what SIGKILL ends.
const SWEEP: Duration = Duration::from_secs(20);
/// Settings of this process that must not reach a guarded one.
const PRIVATE: [&str; 4] = ["BELLWETHER_", "RABBITMQ_", "ERL_", "NOTIFY_SOCKET"];

/// What to run, and where its output goes.
#[derive(Clone, Debug)]
pub(crate) struct Spec {
    pub(crate) program: PathBuf,
    pub(crate) args: Vec<OsString>,
    pub(crate) env: Vec<(OsString, OsString)>,
    pub(crate) working_folder: PathBuf,
    pub(crate) stdin: PathBuf,
    /// Appended to; may be the same file as `stderr`.
    pub(crate) stdout: PathBuf,
    pub(crate) stderr: PathBuf,
}

/// A running process, ended with the value, together with everything it started.
#[derive(Debug)]
pub(crate) struct Guarded {
    pid: Pid,
    guardian: Mutex<Child>,
}

impl Guarded {
    pub(crate) fn spawn(spec: &Spec) -> Self {
        let mut command = guardian(folder::root());
        command
            .args([&spec.stdin, &spec.stdout, &spec.stderr, &spec.program])
            .args(&spec.args)
            .current_dir(&spec.working_folder);
        without_private_settings(&mut command);
        command.envs(spec.env.iter().map(|(key, value)| (key, value)));
        let (guardian, first_line) = start(command);
        let pid = first_line.parse().ok().and_then(Pid::from_raw);
        let pid =
            pid.unwrap_or_else(|| panic!("the guardian of {} said {first_line:?}", spec.program.display()));
        Self { pid, guardian: Mutex::new(guardian) }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    /// Sends a signal, unless the process has ended.
    pub(crate) fn signal(&self, signal: Signal) {
        if self.exited().is_some() {
            return;
        }
        match kill_process(self.pid, signal) {
            Ok(()) | Err(Errno::SRCH) => {}
            Err(error) => panic!("{signal:?} to {}: {error}", self.pid()),
        }
    }

    /// How the process ended, if it has.
    pub(crate) fn exited(&self) -> Option<ExitStatus> {
        let status = self.guardian().try_wait().expect("a guardian is our child");
        status.map(of_the_command)
    }

    /// How the process ended, if it does within the bound.
    pub(crate) async fn exits_within(&self, bound: Duration) -> Option<ExitStatus> {
        let end = Instant::now() + bound;
        loop {
            if let Some(status) = self.exited() {
                return Some(status);
            }
            if Instant::now() >= end {
                return None;
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// SIGKILL, and waits until the process and all it started is gone.
    pub(crate) async fn kill(&self) -> ExitStatus {
        self.signal(Signal::KILL);
        let status = self.exits_within(SWEEP).await;
        status.unwrap_or_else(|| panic!("{} outlives SIGKILL", self.pid()))
    }

    fn guardian(&self) -> MutexGuard<'_, Child> {
        self.guardian.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        let guardian = self.guardian.get_mut().unwrap_or_else(PoisonError::into_inner);
        drop(guardian.stdin.take());
        let end = Instant::now() + SWEEP;
        while matches!(guardian.try_wait(), Ok(None)) && Instant::now() < end {
            std::thread::sleep(POLL);
        }
    }
}

/// Makes the folder, and has it removed once this process and all it guards in there are gone.
pub(crate) fn keep(folder: &Path) -> Child {
    let (guardian, first_line) = start(guardian(folder));
    assert_eq!(first_line, "ready", "the guardian of {} could not make it", folder.display());
    guardian
}

fn guardian(folder: &Path) -> Command {
    let mut command = Command::new("bash");
    command
        .arg(workspace::path("scripts/guardian"))
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        // Ctrl-C is for the test; the guardian stays to clean up.
        .process_group(0);
    command
}

fn without_private_settings(command: &mut Command) {
    for (key, _) in std::env::vars_os() {
        if PRIVATE.iter().any(|prefix| key.as_encoded_bytes().starts_with(prefix.as_bytes())) {
            command.env_remove(key);
        }
    }
}

fn start(mut command: Command) -> (Child, String) {
    let mut guardian = command.spawn().expect("scripts/guardian needs bash");
    let mut line = String::new();
    if let Some(stdout) = guardian.stdout.take() {
        BufReader::new(stdout).read_line(&mut line).expect("a guardian speaks text");
    }
    (guardian, line.trim_end().to_owned())
}

/// A shell's exit code, read back into what it stands for.
fn of_the_command(status: ExitStatus) -> ExitStatus {
    match status.code() {
        Some(code) if code > 128 => ExitStatus::from_raw(code - 128),
        _ => status,
    }
}
