//! The sync: fetches the whole set that the agent should serve, and has it applied.

mod fetch;
mod pace;

use crate::{
    apply::{Applier, NotApplied, Served},
    clock::sleep_until_some,
};
use bellwether_ingress::Digest;
use bellwether_proto::{StoreHead, StoreId};
use fetch::FetchError;
pub(crate) use fetch::Fetcher;
use pace::Pace;
use tokio::{sync::watch, time::Instant};
use tokio_util::sync::CancellationToken;

/// How often a sync that was overtaken by a push begins anew at once; after that the next beat has to ask for it.
const OVERTAKEN_LIMIT: usize = 3;

/// What a controller says the agent should serve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// The store and its head.
    pub(crate) head: StoreHead,
    /// The digest of the set, when it is known.
    pub(crate) digest: Option<Digest>,
}

/// Asks for a sync. Requests that come while one runs merge into one more.
#[derive(Clone)]
pub(crate) struct SyncTrigger {
    wanted: watch::Sender<Option<Wanted>>,
}

impl SyncTrigger {
    /// Asks for a sync, because `wanted` is not what serves.
    pub(crate) fn request(&self, wanted: Wanted) {
        self.wanted.send_replace(Some(wanted));
    }
}

/// What the sync task owns.
pub(crate) struct Sync {
    fetcher: Fetcher,
    applier: Applier,
    served: watch::Receiver<Served>,
    wanted: watch::Receiver<Option<Wanted>>,
    pace: Pace,
}

impl Sync {
    /// A sync task, and how to ask it.
    pub(crate) fn new(
        fetcher: Fetcher,
        applier: Applier,
        served: watch::Receiver<Served>,
    ) -> (Self, SyncTrigger) {
        let trigger = SyncTrigger { wanted: watch::Sender::new(None) };
        let wanted = trigger.wanted.subscribe();
        (Self { fetcher, applier, served, wanted, pace: Pace::default() }, trigger)
    }

    /// Syncs whenever it is asked to, or what was refused may be tried again, until `shutdown`.
    pub(crate) async fn run(mut self, shutdown: CancellationToken) {
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = self.run_on() => {}
        }
    }

    async fn run_on(&mut self) {
        loop {
            let retry_at = self.pace.retry_at(self.served.borrow_and_update().retry_at);
            tokio::select! {
                biased;
                asked = self.wanted.changed() => match asked {
                    Ok(()) => self.answer_request().await,
                    Err(_) => return,
                },
                changed = self.served.changed() => if changed.is_err() { return },
                () = sleep_until_some(retry_at) => self.sync().await,
            }
        }
    }

    async fn answer_request(&mut self) {
        let Some(wanted) = self.wanted.borrow_and_update().clone() else { return };
        let served = self.served.borrow().clone();
        if self.pace.is_due(&wanted, &served, Instant::now()) {
            self.sync().await;
        }
    }

    /// One sync, from the first page to what became of it.
    async fn sync(&mut self) {
        let mut target = None;
        let outcome = self.try_often(&mut target).await;
        self.pace.ended(target, &outcome, Instant::now());
        match &outcome {
            Ok(()) => tracing::debug!("in sync"),
            Err(SyncError::NotApplied(NotApplied::Stopping)) => {}
            // Trouble with reaching a controller is the heartbeat's to tell, and refusals are the apply loop's.
            Err(SyncError::Fetch(FetchError::Call(_)) | SyncError::NotApplied(NotApplied::Failed { .. })) => {
                tracing::debug!(?outcome, "no sync");
            }
            Err(error) => tracing::warn!(%error, "no sync"),
        }
        let name = outcome.as_ref().err().map_or("ok", SyncError::name);
        metrics::counter!("bellwether_agent_syncs_total", "outcome" => name).increment(1);
    }

    async fn try_often(&self, target: &mut Option<(StoreId, Digest)>) -> Result<(), SyncError> {
        for _ in 1..OVERTAKEN_LIMIT {
            match self.try_once(target).await {
                Err(SyncError::NotApplied(NotApplied::LowerHead { .. })) => {}
                outcome => return outcome,
            }
        }
        self.try_once(target).await
    }

    /// Fetches the set and has it applied; notes in `target` which one it was.
    async fn try_once(&self, target: &mut Option<(StoreId, Digest)>) -> Result<(), SyncError> {
        let held = self.served.borrow().set.clone();
        let (whole, digest) = self.fetcher.whole_set(&held).await?;
        *target = Some((whole.head.store_id, digest));
        self.applier.switch(whole).await?;
        Ok(())
    }
}

/// Why a sync came to nothing, or not to all that it should.
#[derive(Debug, thiserror::Error)]
enum SyncError {
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error("the set is not served: {0}")]
    NotApplied(#[from] NotApplied),
}

impl SyncError {
    fn name(&self) -> &'static str {
        match self {
            Self::Fetch(FetchError::Call(_)) => "unreachable",
            Self::Fetch(FetchError::Inconsistent(_)) => "inconsistent",
            Self::Fetch(FetchError::Foreign { .. }) | Self::NotApplied(NotApplied::Foreign { .. }) => {
                "foreign_store"
            }
            Self::NotApplied(NotApplied::LowerHead { .. }) => "lower_head",
            Self::NotApplied(_) => "not_applied",
        }
    }
}
