//! One server process that can go down, come back and hang.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::guardian::{Guarded, Spec};
use crate::log;

/// What a server may take to come up on a busy machine of two cores.
const UP: Duration = Duration::from_secs(120);
/// What a server may take to go down by SIGTERM.
const DOWN: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(20);
/// A single question whether the server is up.
const PROBE: Duration = Duration::from_secs(2);
/// How often a start is tried on other ports.
const TRIES: u32 = 3;

/// Why a server did not come up.
#[derive(Debug)]
pub(crate) enum StartError {
    PortTaken,
    Failed(String),
}

/// A server; down until it is started.
#[derive(Debug)]
pub(crate) struct Server {
    spec: Spec,
    log: PathBuf,
    process: Mutex<Option<Arc<Guarded>>>,
}

impl Server {
    pub(crate) fn new(spec: Spec) -> Self {
        Self { log: spec.stderr.clone(), spec, process: Mutex::new(None) }
    }

    /// Starts the process, and waits until `ready` says yes.
    pub(crate) async fn start(&self, ready: impl AsyncFn() -> bool) -> Result<(), StartError> {
        assert!(self.process().is_none(), "{} runs already", self.name());
        truncate(&self.log);
        let process = Arc::new(Guarded::spawn(&self.spec));
        let end = Instant::now() + UP;
        loop {
            if let Some(status) = process.exited() {
                return Err(self.failure(&format!("ended with {status}")));
            }
            if tokio::time::timeout(PROBE, ready()).await == Ok(true) {
                break;
            }
            if Instant::now() >= end {
                return Err(self.failure(&format!("was not up after {UP:?}")));
            }
            tokio::time::sleep(POLL).await;
        }
        *self.process() = Some(process);
        Ok(())
    }

    /// Starts the process where it was before.
    pub(crate) async fn start_again(&self, ready: impl AsyncFn() -> bool) {
        if let Err(error) = self.start(ready).await {
            panic!("{} does not come back: {error:?}", self.name());
        }
    }

    /// SIGTERM, and waits; SIGKILL when that does not help.
    pub(crate) async fn stop(&self) {
        let process = self.take();
        process.signal(Signal::TERM);
        if process.exits_within(DOWN).await.is_none() {
            process.kill().await;
        }
    }

    /// SIGKILL, and waits.
    pub(crate) async fn kill(&self) {
        self.take().kill().await;
    }

    /// SIGSTOP, SIGCONT.
    pub(crate) fn signal(&self, signal: Signal) {
        match self.process().as_ref() {
            Some(process) => process.signal(signal),
            None => panic!("{} is down", self.name()),
        }
    }

    pub(crate) fn pid(&self) -> Option<u32> {
        self.process().as_ref().map(|process| process.pid())
    }

    fn take(&self) -> Arc<Guarded> {
        self.process().take().unwrap_or_else(|| panic!("{} is down", self.name()))
    }

    fn process(&self) -> MutexGuard<'_, Option<Arc<Guarded>>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn name(&self) -> String {
        self.spec.program.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    fn failure(&self, what: &str) -> StartError {
        let log = log::read(&self.log);
        if log.contains("eaddrinuse") || log.contains("Address already in use") {
            return StartError::PortTaken;
        }
        let tail = log::tail(&self.log);
        StartError::Failed(format!("{} {what}. The end of its log:\n{tail}", self.name()))
    }
}

/// Starts a server, on other ports when the ones it was given turn out to be taken.
pub(crate) async fn started<S>(start: impl AsyncFn() -> Result<S, StartError>) -> S {
    for _ in 0..TRIES {
        match start().await {
            Ok(server) => return server,
            Err(StartError::PortTaken) => {}
            Err(StartError::Failed(why)) => panic!("{why}"),
        }
    }
    panic!("{TRIES} times a port was taken by somebody else");
}

/// A log tells of one start only, or an old complaint would be read as a new one.
fn truncate(log: &Path) {
    File::create(log).unwrap_or_else(|error| panic!("{}: {error}", log.display()));
}
