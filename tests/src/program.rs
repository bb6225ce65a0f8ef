//! A running process of the product, seen from outside: its log, and the signals one sends it.

use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use rustix::process::Signal;
use tempfile::TempDir;

use crate::guardian::{Guarded, Spec};
use crate::{eventually, log};

/// What a program may take to end by SIGTERM.
const TERMINATE: Duration = Duration::from_secs(30);

/// A process started by [`Launch::start`](crate::Launch::start); killed with the value, or with this process.
#[derive(Debug)]
pub struct Program {
    name: String,
    process: Guarded,
    log: PathBuf,
    _folder: TempDir,
}

impl Program {
    pub(crate) fn start(name: String, spec: &Spec, folder: TempDir) -> Self {
        Self { name, process: Guarded::spawn(spec), log: spec.stderr.clone(), _folder: folder }
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// All it has written so far, to standard output and error.
    pub fn log(&self) -> String {
        log::read(&self.log)
    }

    /// The file behind [`log`](Self::log).
    pub fn log_file(&self) -> &Path {
        &self.log
    }

    /// Waits until the log holds `text`.
    ///
    /// # Panics
    /// When it ends before, or does not say it within [`BOUND`](crate::BOUND); the message holds the end of the log.
    #[track_caller]
    pub fn wait_for_log(&self, text: &str) -> impl Future<Output = ()> {
        let what = format!("{} says {text:?}", self.name);
        eventually(what, async move || {
            let exited = self.exited();
            if self.log().contains(text) {
                return Ok(());
            }
            if let Some(status) = exited {
                panic!(
                    "{} ended with {status} before it said {text:?}:\n{}",
                    self.name,
                    log::tail(&self.log)
                );
            }
            Err(format!("the end of its log:\n{}", log::tail(&self.log)))
        })
    }

    /// How it ended, if it has.
    pub fn exited(&self) -> Option<ExitStatus> {
        self.process.exited()
    }

    /// How it ends by itself.
    ///
    /// # Panics
    /// When it does not within the bound; the message holds the end of the log.
    pub async fn ends_within(&self, bound: Duration) -> ExitStatus {
        let status = self.process.exits_within(bound).await;
        status
            .unwrap_or_else(|| panic!("{} still runs after {bound:?}:\n{}", self.name, log::tail(&self.log)))
    }

    /// SIGTERM, and how it ends.
    ///
    /// # Panics
    /// When it has not ended after 30 s; the message holds the end of the log.
    pub async fn terminate(&self) -> ExitStatus {
        self.process.signal(Signal::TERM);
        self.ends_within(TERMINATE).await
    }

    /// SIGKILL, and waits until it is gone with all it started.
    pub async fn kill(&self) {
        self.process.kill().await;
    }

    /// Stops it in its tracks; its connections stay open and nothing answers.
    pub fn pause(&self) {
        self.process.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub fn resume(&self) {
        self.process.signal(Signal::CONT);
    }
}
