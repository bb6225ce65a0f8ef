//! Keeps an owned HAProxy running: starts it, adopts the one an agent before has left, starts it again when it dies.

mod process;

use super::{
    processes::{self, Loaded},
    words,
};
use crate::{clock::sleep_until_some, driver::Failure, words::bounded};
use bellwether_ingress::Digest;
pub(super) use process::Launch;
use process::Process;
use std::time::Duration;
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::Instant,
};
use tokio_util::task::AbortOnDropHandle;

/// The first pause before HAProxy is started again, and the longest.
const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(30);

/// A process that lived for so long did not die of its start.
const SETTLED: Duration = Duration::from_secs(30);

type Ticket<T> = oneshot::Sender<T>;

enum Request {
    Load(Digest, Duration, Ticket<Result<Loaded, Failure>>),
    StartAnew(Duration, Ticket<Result<Loaded, Failure>>),
    Stop(Ticket<()>),
}

/// Asks the task that keeps HAProxy. Dropped, the task ends, and HAProxy runs on.
pub(super) struct Keeper {
    requests: mpsc::Sender<Request>,
    trouble: watch::Receiver<Option<String>>,
    _task: AbortOnDropHandle<()>,
}

impl Keeper {
    /// Keeps what `launch` starts.
    pub(super) fn new(launch: Launch) -> Self {
        let ((requests, received), (telling, trouble)) = (mpsc::channel(1), watch::channel(None));
        let (process, restart_at) = (None, None);
        let keeping =
            Keeping { launch, process, deaths: 0, restart_at, requests: received, trouble: telling };
        Self { requests, trouble, _task: AbortOnDropHandle::new(tokio::spawn(keeping.run())) }
    }

    /// Why it does not run.
    pub(super) fn trouble(&self) -> watch::Receiver<Option<String>> {
        self.trouble.clone()
    }

    /// Has it load what `current` points to, the set of this digest; starts it if it does not run.
    pub(super) async fn load(&self, digest: Digest, patience: Duration) -> Result<Loaded, Failure> {
        self.ask(|ticket| Request::Load(digest, patience, ticket)).await.unwrap_or_else(|| Err(gone()))
    }

    /// Kills it, however it hangs, and starts it on what `current` points to.
    pub(super) async fn start_anew(&self, patience: Duration) -> Result<Loaded, Failure> {
        self.ask(|ticket| Request::StartAnew(patience, ticket)).await.unwrap_or_else(|| Err(gone()))
    }

    /// Takes it down.
    pub(super) async fn stop(&self) {
        self.ask(Request::Stop).await.unwrap_or_default();
    }

    async fn ask<T>(&self, request: impl FnOnce(Ticket<T>) -> Request) -> Option<T> {
        let (ticket, answer) = oneshot::channel();
        self.requests.send(request(ticket)).await.ok()?;
        answer.await.ok()
    }
}

fn gone() -> Failure {
    Failure::of_proxy("nobody keeps HAProxy any more")
}

struct Keeping {
    launch: Launch,
    process: Option<Process>,
    /// Deaths in a row.
    deaths: u32,
    restart_at: Option<Instant>,
    requests: mpsc::Receiver<Request>,
    trouble: watch::Sender<Option<String>>,
}

impl Keeping {
    async fn run(mut self) {
        self.process = self.launch.adopt().await;
        if let Some(process) = &self.process {
            tracing::info!(pid = process.pid(), "HAProxy runs already, and is kept");
        }
        loop {
            tokio::select! {
                request = self.requests.recv() => match request {
                    Some(request) => self.serve(request).await,
                    None => return,
                },
                () = ended(&mut self.process) => self.note_death(),
                () = sleep_until_some(self.restart_at) => self.restart().await,
            }
        }
    }

    async fn serve(&mut self, request: Request) {
        // Who asked may have stopped waiting.
        match request {
            Request::Load(digest, patience, ticket) => drop(ticket.send(self.load(digest, patience).await)),
            Request::StartAnew(patience, ticket) => {
                self.kill().await;
                drop(ticket.send(self.start(patience).await));
            }
            Request::Stop(ticket) => {
                self.stop().await;
                let _ = ticket.send(());
            }
        }
    }

    async fn load(&mut self, digest: Digest, patience: Duration) -> Result<Loaded, Failure> {
        if self.process.as_ref().is_none_or(Process::has_ended) {
            return self.start(patience).await;
        }
        let mark = self.launch.log.mark();
        let loaded = processes::reload(&self.launch.sockets(), digest, patience).await;
        loaded.map_err(|failure| self.in_its_words(failure, mark))
    }

    async fn start(&mut self, patience: Duration) -> Result<Loaded, Failure> {
        self.restart_at = None;
        let mark = self.launch.log.mark();
        let started = self.launch.start(patience).await;
        let (process, loaded) = started.map_err(|failure| self.in_its_words(failure, mark))?;
        tracing::info!(pid = process.pid(), "HAProxy started");
        self.process = Some(process);
        self.trouble.send_replace(None);
        Ok(loaded)
    }

    /// A failure with what HAProxy wrote since.
    fn in_its_words(&self, failure: Failure, mark: u64) -> Failure {
        Failure { words: words::said(&failure.words, &self.launch.log.since(mark)), ..failure }
    }

    fn note_death(&mut self) {
        let lived = self.process.take().map_or(Duration::ZERO, |process| process.age());
        self.deaths = if lived >= SETTLED { 1 } else { self.deaths.saturating_add(1) };
        let pause = pause(self.deaths);
        tracing::error!(?lived, ?pause, "HAProxy ended by itself; it is started again");
        metrics::counter!("bellwether_agent_proxy_deaths_total").increment(1);
        self.trouble.send_replace(Some("HAProxy ended by itself, and is being started again".to_owned()));
        self.restart_at = Some(Instant::now() + pause);
    }

    async fn restart(&mut self) {
        self.restart_at = None;
        if !self.launch.has_config() {
            return;
        }
        if let Err(failure) = self.start(SETTLED).await {
            self.deaths = self.deaths.saturating_add(1);
            let pause = pause(self.deaths);
            tracing::error!(error = failure.words, ?pause, "HAProxy cannot be started");
            self.trouble
                .send_replace(Some(bounded(format!("HAProxy cannot be started again: {}", failure.words))));
            self.restart_at = Some(Instant::now() + pause);
        }
    }

    async fn kill(&mut self) {
        self.restart_at = None;
        if let Some(process) = self.process.take() {
            process.kill().await;
        }
    }

    async fn stop(&mut self) {
        self.restart_at = None;
        self.trouble.send_replace(None);
        if let Some(process) = self.process.take() {
            process.stop().await;
        }
    }
}

async fn ended(process: &mut Option<Process>) {
    match process {
        Some(process) => process.ended().await,
        None => std::future::pending().await,
    }
}

/// The pause before it is started again, after so many deaths in a row.
fn pause(deaths: u32) -> Duration {
    FIRST.saturating_mul(1 << deaths.saturating_sub(1).min(16)).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_from_a_tenth_of_a_second_to_half_a_minute() {
        assert_eq!(
            [1, 2, 3, 9, 10, u32::MAX].map(|deaths| pause(deaths).as_millis()),
            [100, 200, 400, 25_600, 30_000, 30_000]
        );
    }
}
