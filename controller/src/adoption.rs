//! Refuses to send what a store holds that is behind the fleet, until an operator adopts the fleet.

use crate::{
    behind::{Behind, Sight, succession},
    controller::Controller,
    push::PushError,
    registry::{AgentEntry, RegistryError},
    store::{Snapshot, StoreError},
};
use bellwether_proto::{StoreHead, http::AdoptionView};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

/// The longest that a change waits for agents to tell of another store.
const LONGEST_PATIENCE: Duration = Duration::from_secs(10);

/// How the store and the fleet stand to each other, as this replica last saw it.
pub(crate) struct StoreWatch {
    behind: watch::Sender<Option<Arc<Behind>>>,
    sight: Mutex<Option<Sight>>,
}

/// Why a fleet was not adopted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AdoptError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// Only agents that are offline follow another store.
    #[error(
        "the store is not behind the fleet: only agents that are offline have taken what it does not hold; wait until \
         one of them is back, or forget them with `bellwether agents forget NAME`"
    )]
    NotBehind,
}

/// What one look at the store and the fleet showed.
struct Seen {
    behind: Option<Arc<Behind>>,
    sight: Sight,
}

impl Default for StoreWatch {
    fn default() -> Self {
        Self { behind: watch::Sender::new(None), sight: Mutex::default() }
    }
}

impl StoreWatch {
    /// That the store is behind the fleet while it has this head, as far as is known. With another head it is no more
    /// what was judged: somebody adopted the fleet, or restored it.
    pub(crate) fn behind(&self, head: &StoreHead) -> Option<Arc<Behind>> {
        self.behind.borrow().clone().filter(|behind| behind.head == *head)
    }

    /// The store was lost from sight: what comes back may be another one.
    pub(crate) fn lose_sight(&self) {
        *self.sight() = None;
    }

    fn see(&self, head: &StoreHead, agents: &[AgentEntry]) -> Seen {
        let behind = Behind::of(head, agents).map(Arc::new);
        metrics::gauge!("bellwether_controller_store_behind_fleet").set(u8::from(behind.is_some()));
        let before = self.behind.send_replace(behind.clone());
        match (before.is_some(), &behind) {
            (false, Some(behind)) => tracing::warn!("{behind}"),
            (true, None) => tracing::info!(store = %head.store_id, "the store is no longer behind the fleet"),
            _ => {}
        }
        let mut sight = self.sight();
        let before = sight.take();
        Seen { behind, sight: *sight.insert(Sight::after(before, head, Instant::now())) }
    }

    fn sight(&self) -> MutexGuard<'_, Option<Sight>> {
        self.sight.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Controller {
    /// Compares the store with what these agents report, and notes how they stand. The head is read now, after the
    /// agents were listed: what any of them has taken is in it.
    pub(crate) async fn watch_store(&self, agents: &[AgentEntry]) -> Result<(), StoreError> {
        let head = self.store.head().await?;
        self.store_watch.see(&head, agents);
        Ok(())
    }

    /// The agents to send to, unless the store is behind them.
    pub(crate) async fn agents_of_the_store(&self) -> Result<Vec<AgentEntry>, PushError> {
        let patience = (self.pace.interval() * 2).min(LONGEST_PATIENCE);
        let (mut agents, mut seen) = self.look_at_store().await?;
        if let Some(wait) = seen.sight.must_wait_for(&agents, Instant::now(), patience) {
            sleep(wait).await;
            (agents, seen) = self.look_at_store().await?;
        }
        match seen.behind {
            Some(behind) => Err(PushError::Behind(behind)),
            None => Ok(agents),
        }
    }

    async fn look_at_store(&self) -> Result<(Vec<AgentEntry>, Seen), PushError> {
        let agents = self.registry.list().await?;
        let head = self.store.head().await?;
        let seen = self.store_watch.see(&head, &agents);
        Ok((agents, seen))
    }

    /// Puts the store in the place of every store that agents follow, if it is behind the fleet.
    pub(crate) async fn adopt(&self) -> Result<AdoptionView, AdoptError> {
        let agents = self.registry.list().await?;
        let snapshot = self.store.snapshot().await?;
        let seen = self.store_watch.see(&snapshot.head, &agents);
        let Some(succession) = succession(&snapshot.head, &agents) else {
            return Ok(view(false, snapshot.head.clone(), &snapshot));
        };
        if seen.behind.is_none() {
            return Err(AdoptError::NotBehind);
        }
        let head = self.store.adopt(&succession).await?;
        self.store_watch.see(&head, &agents);
        tracing::warn!(store = %head.store_id, revision = %head.revision, succeeds = ?succession.stores,
            configs = snapshot.configs.len(), "the fleet was adopted: agents take what this store holds");
        Ok(view(true, head, &snapshot))
    }
}

fn view(adopted: bool, head: StoreHead, snapshot: &Snapshot) -> AdoptionView {
    let StoreHead { store_id, succeeds, revision } = head;
    AdoptionView { adopted, store_id, revision, succeeds, configs: snapshot.configs.len() }
}
