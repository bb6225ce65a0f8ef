//! One process of a fleet through all its lives.

use std::process::ExitStatus;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::{Launch, Program, log};

/// A program that can end and be started again; what it wrote is kept for as long as the value.
#[derive(Debug)]
pub struct Process {
    launch: Launch,
    lives: Mutex<Vec<Arc<Program>>>,
}

impl Process {
    pub(super) fn start(launch: Launch) -> Self {
        let first = Arc::new(launch.clone().start());
        Self { launch, lives: Mutex::new(vec![first]) }
    }

    /// Its number, in this life.
    pub fn pid(&self) -> u32 {
        self.current().pid()
    }

    /// SIGKILL, and waits until it is gone.
    pub async fn kill(&self) {
        self.current().kill().await;
    }

    /// SIGTERM, and how it ends.
    pub async fn terminate(&self) -> ExitStatus {
        self.current().terminate().await
    }

    /// Stops it in its tracks; its connections stay open and nothing answers.
    pub fn pause(&self) {
        self.current().pause();
    }

    /// Lets it go on.
    pub fn resume(&self) {
        self.current().resume();
    }

    /// Starts it as it was started first.
    pub fn start_again(&self) {
        self.start_again_as(|launch| launch);
    }

    /// Starts it otherwise than it was started first.
    ///
    /// # Panics
    /// When it still runs.
    pub fn start_again_as(&self, change: impl FnOnce(Launch) -> Launch) {
        assert!(self.current().exited().is_some(), "it still runs");
        let next = Arc::new(change(self.launch.clone()).start());
        self.lives().push(next);
    }

    /// What it has written since it was last started.
    pub fn log(&self) -> String {
        self.current().log()
    }

    /// The end of that.
    pub(super) fn tail(&self) -> String {
        log::tail(self.current().log_file())
    }

    /// What it has written in all its lives.
    pub fn logs(&self) -> String {
        self.lives().iter().map(|life| life.log()).collect()
    }

    /// Waits until it writes this.
    ///
    /// # Panics
    /// When it ends before, or does not say it; the message holds the end of the log.
    pub async fn wait_for_log(&self, text: &str) {
        self.current().wait_for_log(text).await;
    }

    fn current(&self) -> Arc<Program> {
        let lives = self.lives();
        lives.last().map(Arc::clone).expect("it was started")
    }

    fn lives(&self) -> MutexGuard<'_, Vec<Arc<Program>>> {
        self.lives.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
