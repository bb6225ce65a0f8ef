//! The apply loop: the one task that owns the driver, and merges what piles up while it is busy.

mod applier;
mod batch;
mod outcome;
mod served;

use crate::{
    backoff,
    clock::sleep_until_some,
    driver::{ApplyError, Blame, Driver, Refused},
    refusals::Refusals,
    set::{Change, ConfigSet},
    state::State,
};
pub(crate) use applier::Applier;
use applier::{CAPACITY, Request, Ticket};
use batch::Batch;
use bellwether_proto::{Known, StoreId};
pub(crate) use outcome::NotApplied;
pub(crate) use served::Served;
use std::sync::Arc;
use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

/// What the loop owns.
pub(crate) struct ApplyLoop {
    driver: Box<dyn Driver>,
    state: State,
    served: Arc<ConfigSet>,
    refusals: Refusals,
    trouble: Option<Trouble>,
    /// What the driver says of the proxy by itself.
    of_proxy: Option<watch::Receiver<Option<String>>>,
    /// Whether the driver has applied `served` in this process.
    confirmed: bool,
    /// Whether `served` is on disk.
    saved: bool,
    requests: mpsc::Receiver<Request>,
    publish: watch::Sender<Served>,
}

/// A failure that is no document's fault.
struct Trouble {
    words: String,
    /// Whether the proxy does not serve what it should, or something else is the matter.
    of_proxy: bool,
    failures: u32,
    retry_at: Instant,
}

impl ApplyLoop {
    /// A loop that begins with `remembered`, how to ask it, and what it publishes.
    pub(crate) fn new(
        driver: Box<dyn Driver>,
        state: State,
        remembered: ConfigSet,
    ) -> (Self, Applier, watch::Receiver<Served>) {
        let (sender, requests) = mpsc::channel(CAPACITY);
        let served = Arc::new(remembered);
        let publish = watch::Sender::new(Served::starting(served.clone()));
        let watched = publish.subscribe();
        let refusals = Refusals::default();
        let this = Self {
            driver,
            state,
            served,
            refusals,
            trouble: None,
            of_proxy: None,
            confirmed: false,
            saved: true,
            requests,
            publish,
        };
        (this, Applier { requests: sender }, watched)
    }

    /// Serves the last set again, then whatever is asked for, until `shutdown`.
    pub(crate) async fn run(mut self, shutdown: CancellationToken) {
        if let Err(error) = self.driver.recover().await {
            tracing::error!(%error, "the last good set does not serve");
        }
        self.of_proxy = self.driver.trouble();
        self.resume().await;
        self.serve_until(shutdown).await;
        self.driver.close().await;
    }

    async fn serve_until(&mut self, shutdown: CancellationToken) {
        loop {
            let own_retry = self.own_retry();
            tokio::select! {
                biased;
                () = shutdown.cancelled() => return,
                request = self.requests.recv() => match request {
                    Some(request) => self.serve_pile(request).await,
                    None => return,
                },
                () = sleep_until_some(own_retry) => self.resume().await,
                () = changed(&mut self.of_proxy) => self.publish(),
            }
        }
    }

    /// When the loop itself has something to make up for.
    fn own_retry(&self) -> Option<Instant> {
        let owed = !(self.confirmed && self.saved);
        self.trouble.as_ref().filter(|_| owed).map(|trouble| trouble.retry_at)
    }

    /// Applies and saves the set that should serve already: at the start, and after that failed.
    async fn resume(&mut self) {
        let served = (*self.served).clone();
        if served.store_id().is_none() {
            self.confirmed = true;
        } else if let Err(error) = self.attempt(served).await {
            tracing::warn!(%error, "the last set is not applied; what the proxy served before is left as it is");
            if !self.resume_without(&error).await {
                self.trouble(&error, format!("the last set cannot be applied again: {error}"));
            }
        }
        self.publish();
    }

    /// Serves the remembered set without the documents that are refused by name. They are remembered on disk until
    /// something else is taken: another start, or a controller, tries them again.
    async fn resume_without(&mut self, error: &ApplyError) -> bool {
        let (Some(store_id), remembered) = (self.served.store_id(), self.served.clone()) else {
            return false;
        };
        let mut blamed = named(error);
        while !blamed.is_empty() {
            let rest = self.served.without(blamed.iter().map(|it| &it.document));
            for refused in &blamed {
                if let Some(change) = remembered.change_of(&refused.document) {
                    self.blame(store_id, &change, &error.about(refused));
                }
            }
            if rest.documents().len() == self.served.documents().len() {
                return false;
            }
            self.served = Arc::new(rest);
            match self.drive(&self.served.clone()).await {
                Ok(()) => return true,
                Err(error) => blamed = named(&error),
            }
        }
        false
    }

    /// Merges what has piled up, and applies it once.
    async fn serve_pile(&mut self, first: Request) {
        let mut batch = Batch::new(&self.served);
        let now = Instant::now();
        let mut next = Some(first);
        while let Some(request) = next {
            match request {
                Request::Change { at, change, ticket } => batch.change(&at, change, &self.refusals, ticket),
                Request::Switch { whole, ticket } => batch.switch(&whole, &mut self.refusals, now, ticket),
            }
            next = self.requests.try_recv().ok();
        }
        self.serve(batch).await;
    }

    async fn serve(&mut self, mut batch: Batch<Ticket>) {
        batch.settle_overtaken();
        if !self.is_to_pause(&batch) {
            self.apply(&mut batch).await;
        }
        self.settle(&mut batch);
        batch.settle_rest(&self.not_applied());
        answer(batch.take_settled());
    }

    /// What becomes of what was not judged by itself.
    fn not_applied(&self) -> NotApplied {
        match &self.trouble {
            Some(Trouble { words, of_proxy: true, .. }) => NotApplied::Rejected { words: words.clone() },
            _ => {
                let words = self.last_error().unwrap_or_else(|| "it does not serve".to_owned());
                NotApplied::Failed { words }
            }
        }
    }

    /// Whether a sync comes too soon after trouble. What an operator pushes is always tried.
    fn is_to_pause(&self, batch: &Batch<Ticket>) -> bool {
        let pausing = self.trouble.as_ref().is_some_and(|trouble| trouble.retry_at > Instant::now());
        pausing && batch.is_sync_only() && self.needs_driver(batch.target())
    }

    /// Applies a batch; what of it is refused is found out change by change.
    async fn apply(&mut self, batch: &mut Batch<Ticket>) {
        let Some(store_id) = batch.target().store_id() else { return };
        if self.confirmed && !batch.has_news() {
            return;
        }
        let mut changes = self.served.changes_until(batch.target());
        let mut applied = self.attempt(batch.target().clone()).await;
        // Those that are refused by name stand back, as long as there are any.
        while let Err(error) = &applied {
            let refused = named(error);
            let before = changes.len();
            changes.retain(|change| match refused.iter().find(|it| it.document == change.name) {
                Some(refused) if !change.is_removal() => {
                    self.blame(store_id, change, &error.about(refused));
                    false
                }
                _ => true,
            });
            if changes.len() == before {
                break;
            }
            self.take_quiet_removals(batch).await;
            if changes.is_empty() {
                return;
            }
            self.settle(batch);
            applied = self.attempt(self.served.with(store_id, &changes)).await;
        }
        match (applied, changes.as_slice()) {
            (Ok(()), _) => {}
            (Err(error), []) => self.trouble(&error, error.to_string()),
            (Err(error), _) if !error.is_refusal() => self.trouble(&error, error.to_string()),
            (Err(error), [change]) => {
                self.take_quiet_removals(batch).await;
                self.blame(store_id, change, &error);
            }
            (Err(_), _) => {
                self.take_quiet_removals(batch).await;
                self.apply_apart(store_id, &changes, batch).await;
            }
        }
    }

    /// Applies refused changes in ever smaller parts, in their order, so that those that are refused alone are known
    /// by name and all others serve.
    async fn apply_apart(&mut self, store_id: StoreId, changes: &[Change], batch: &mut Batch<Ticket>) {
        let mut parts = halves(changes).to_vec();
        while let Some(part) = parts.pop() {
            let applied = self.attempt(self.served.with(store_id, part)).await;
            match (applied, part) {
                (Ok(()), _) => {}
                (Err(error), _) if !error.is_refusal() => return self.trouble(&error, error.to_string()),
                (Err(error), [change]) => self.blame(store_id, change, &error),
                (Err(_), part) => parts.extend(halves(part)),
            }
            self.settle(batch);
        }
    }

    /// Makes `target` serve, and remembers it on disk. On failure what served before serves on.
    async fn attempt(&mut self, target: ConfigSet) -> Result<(), ApplyError> {
        if self.needs_driver(&target) {
            self.drive(&target).await?;
        }
        self.take(target).await;
        Ok(())
    }

    async fn drive(&mut self, target: &ConfigSet) -> Result<(), ApplyError> {
        let Some(set) = target.effective() else { return Ok(()) };
        let started = Instant::now();
        let applied = self.driver.apply(&set).await;
        record(&applied, started);
        applied?;
        tracing::info!(digest = %set.digest, revision = %set.revision, documents = set.documents.len(), "serving");
        self.confirmed = true;
        Ok(())
    }

    fn needs_driver(&self, target: &ConfigSet) -> bool {
        !self.confirmed
            || target.store_id() != self.served.store_id()
            || !self.served.changes_until(target).is_empty()
    }

    async fn take(&mut self, target: ConfigSet) {
        self.served = Arc::new(target);
        self.refusals.forget_settled(&self.served);
        match self.state.save(self.served.clone()).await {
            Ok(()) => {
                self.saved = true;
                self.trouble = None;
            }
            Err(error) => {
                tracing::error!(%error, "the set serves, but would be forgotten in a restart");
                self.saved = false;
                self.note_trouble(false, format!("the set serves, but is not on disk: {error}"));
            }
        }
    }

    /// Takes those removals of a refused batch that change nothing for the driver.
    async fn take_quiet_removals(&mut self, batch: &Batch<Ticket>) {
        let Some(store_id) =
            self.served.store_id().filter(|_| batch.target().store_id() == self.served.store_id())
        else {
            return;
        };
        let quiet = self.served.quiet_removals_until(batch.target());
        if !quiet.is_empty() {
            self.take(self.served.with(store_id, &quiet)).await;
        }
    }

    fn blame(&mut self, store_id: StoreId, change: &Change, error: &ApplyError) {
        tracing::warn!(change = ?change, %error, "refused");
        self.refusals.note(store_id, change, error.to_string(), Instant::now(), rand::random());
    }

    fn trouble(&mut self, error: &ApplyError, words: String) {
        self.note_trouble(error.blame == Blame::Proxy, words);
    }

    fn note_trouble(&mut self, of_proxy: bool, words: String) {
        let failures = self.trouble.as_ref().map_or(1, |before| before.failures.saturating_add(1));
        let retry_at = Instant::now() + backoff::pause(failures, rand::random());
        self.trouble = Some(Trouble { words, of_proxy, failures, retry_at });
    }

    /// Publishes what serves, and answers those whose outcome is known by now.
    fn settle(&self, batch: &mut Batch<Ticket>) {
        batch.settle(&self.served, self.confirmed, &self.refusals);
        self.publish();
        answer(batch.take_settled());
    }

    fn last_error(&self) -> Option<String> {
        let trouble = self.trouble.as_ref().map(|trouble| trouble.words.clone());
        let of_proxy = self.of_proxy.as_ref().and_then(|told| told.borrow().clone());
        let parts: Vec<_> = of_proxy.into_iter().chain(trouble).chain(self.refusals.summary()).collect();
        (!parts.is_empty()).then(|| crate::words::bounded(parts.join("; ")))
    }

    /// Says what serves now, to whom it is news.
    fn publish(&self) {
        // While there is trouble, no sync is applied.
        let trouble = self.trouble.as_ref().map(|trouble| trouble.retry_at);
        let retry_at = trouble.or_else(|| self.refusals.next_retry());
        let now = Served::ready(self.served.clone(), self.last_error(), retry_at);
        metrics::gauge!("bellwether_agent_revision").set(now.known.revision.get() as f64);
        metrics::gauge!("bellwether_agent_failing").set(u8::from(now.last_error.is_some()));
        self.publish.send_if_modified(|before| {
            let news = !before.says_the_same(&now);
            *before = now;
            news
        });
    }
}

/// Waits for news, if there can be any.
async fn changed(watched: &mut Option<watch::Receiver<Option<String>>>) {
    if let Some(news) = watched
        && news.changed().await.is_ok()
    {
        return;
    }
    std::future::pending().await
}

/// The documents that are refused by name.
fn named(error: &ApplyError) -> Vec<Refused> {
    match &error.blame {
        Blame::Documents(refused) => refused.clone(),
        Blame::Set | Blame::Proxy | Blame::Node => Vec::new(),
    }
}

/// The first half, to be taken from the end of a list of parts before the second.
fn halves(changes: &[Change]) -> [&[Change]; 2] {
    let (first, second) = changes.split_at(changes.len() / 2);
    [second, first]
}

fn answer(settled: Vec<(Ticket, Result<Known, NotApplied>)>) {
    for (ticket, outcome) in settled {
        // Who asked may have stopped waiting.
        let _ = ticket.send(outcome);
    }
}

fn record(applied: &Result<(), ApplyError>, started: Instant) {
    let outcome = match applied {
        Ok(()) => "ok",
        Err(error) if error.blame == Blame::Node => "failed",
        Err(error) => error.step.name(),
    };
    metrics::counter!("bellwether_agent_applies_total", "outcome" => outcome).increment(1);
    metrics::histogram!("bellwether_agent_apply_duration_seconds").record(started.elapsed());
}
