//! Rollouts as people look at them: those that run here, and those that the store keeps.

use crate::{
    ledger::Ledger,
    store::{Store, StoreError},
};
use bellwether_proto::{
    AgentName, RolloutId,
    http::{RolloutState, RolloutView, Verdict},
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
    here: Mutex<HashMap<RolloutId, watch::Receiver<Running>>>,
}

/// A rollout that runs here.
pub(crate) struct Running {
    ledger: Ledger,
    started: Instant,
    kept: Option<RolloutView>,
}

impl Running {
    pub(crate) fn new(ledger: Ledger) -> Self {
        Self { ledger, started: Instant::now(), kept: None }
    }

    /// Takes down a target's verdict. Returns whether it is its first.
    pub(crate) fn record(&mut self, agent: AgentName, verdict: Verdict, reason: String) -> bool {
        self.ledger.record(agent, verdict, reason)
    }

    /// Who has no verdict yet.
    pub(crate) fn waiting(&self) -> Vec<AgentName> {
        self.ledger.waiting()
    }

    pub(crate) fn is_done(&self) -> bool {
        self.ledger.is_done()
    }

    /// What people see once it is [kept](Self::keep).
    pub(crate) fn result(&self) -> RolloutView {
        self.ledger.view(self.started.elapsed())
    }

    /// The store has been offered this result: from here on people see it.
    pub(crate) fn keep(&mut self, result: RolloutView) {
        self.kept = Some(result);
    }

    /// How it stands; it is not done before its result is kept.
    pub(crate) fn view(&self) -> RolloutView {
        let running = || RolloutView { state: RolloutState::Running, ..self.result() };
        self.kept.clone().unwrap_or_else(running)
    }
}

impl Rollouts {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self { store, here: Mutex::default() }
    }

    /// A rollout begins here; people see it as it stands whenever they look.
    pub(crate) fn begin(&self, id: RolloutId, running: Running) -> watch::Sender<Running> {
        let (sender, receiver) = watch::channel(running);
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

    fn lock(&self) -> MutexGuard<'_, HashMap<RolloutId, watch::Receiver<Running>>> {
        self.here.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn wait_here(mut running: watch::Receiver<Running>, wait: Duration) -> RolloutView {
    let _ = timeout(wait, running.wait_for(|running| running.kept.is_some())).await;
    running.borrow_and_update().view()
}
