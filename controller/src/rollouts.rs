//! Rollouts as people look at them: those that run here, and those that the store keeps.

use crate::store::{Store, StoreError};
use bellwether_proto::{
    RolloutId,
    http::{RolloutState, RolloutView},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout},
};

/// How often a rollout that runs on another replica is looked at while somebody waits for it.
const LOOK: Duration = Duration::from_millis(100);

/// Rollouts as people look at them.
pub(crate) struct Rollouts {
    store: Arc<dyn Store>,
    here: Mutex<HashMap<RolloutId, watch::Receiver<RolloutView>>>,
}

impl Rollouts {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self { store, here: Mutex::default() }
    }

    /// A rollout begins here; what is sent from now on is what people see.
    pub(crate) fn begin(&self, view: RolloutView) -> watch::Sender<RolloutView> {
        let id = view.rollout;
        let (sender, receiver) = watch::channel(view);
        self.lock().insert(id, receiver);
        sender
    }

    /// A rollout has ended here, and the store has it.
    pub(crate) fn end(&self, id: RolloutId) {
        self.lock().remove(&id);
    }

    /// A rollout as it stands, or, when it still runs, as it stands once it is done, or after `wait`.
    pub(crate) async fn wait(&self, id: RolloutId, wait: Duration) -> Result<RolloutView, StoreError> {
        let here = self.lock().get(&id).cloned();
        match here {
            Some(running) => Ok(wait_here(running, wait).await),
            None => self.wait_elsewhere(id, wait).await,
        }
    }

    async fn wait_elsewhere(&self, id: RolloutId, wait: Duration) -> Result<RolloutView, StoreError> {
        let until = Instant::now() + wait;
        loop {
            let view = self.store.rollout(id).await?;
            if view.state == RolloutState::Done || Instant::now() >= until {
                return Ok(view);
            }
            sleep(LOOK.min(until - Instant::now())).await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<RolloutId, watch::Receiver<RolloutView>>> {
        self.here.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn wait_here(mut running: watch::Receiver<RolloutView>, wait: Duration) -> RolloutView {
    let done = running.wait_for(|view| view.state == RolloutState::Done);
    let _ = timeout(wait, done).await;
    running.borrow_and_update().clone()
}
