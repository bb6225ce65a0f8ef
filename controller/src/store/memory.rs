//! The store within one process, with the same promises as the shared one: for `dev`, simulations and tests.

use super::{ROLLOUT_LIFE, Snapshot, Store, StoreError, StoredConfig, Succession};
use async_trait::async_trait;
use bellwether_ingress::{ConfigName, IngressConfig, Revision, clashes};
use bellwether_proto::{
    RolloutId, StoreHead, StoreId,
    http::{RolloutState, RolloutView},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::time::Instant;

/// A store that all controllers of one process share. Time is tokio's, so tests can pause it.
pub struct MemoryStore {
    state: Mutex<State>,
}

struct State {
    live: Arc<Snapshot>,
    rollouts: HashMap<RolloutId, Rollout>,
    rollouts_saved: u64,
}

struct Rollout {
    view: RolloutView,
    /// The number of the rollout, in the order in which they were first saved.
    number: u64,
    kept_until: Instant,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryStore {
    /// A store of its own, with no documents.
    #[must_use]
    pub fn new() -> Self {
        let head = StoreHead { store_id: StoreId::new(), succeeds: Vec::new(), revision: Revision::ZERO };
        let live = Arc::new(Snapshot { head, configs: Vec::new() });
        Self { state: Mutex::new(State { live, rollouts: HashMap::new(), rollouts_saved: 0 }) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn head(&self) -> Result<StoreHead, StoreError> {
        Ok(self.state().live.head.clone())
    }

    async fn snapshot(&self) -> Result<Arc<Snapshot>, StoreError> {
        Ok(self.state().live.clone())
    }

    async fn put(
        &self,
        config: IngressConfig,
        author: &str,
        now: &str,
    ) -> Result<Arc<StoredConfig>, StoreError> {
        let mut state = self.state();
        let existing: Vec<_> = state.live.configs.iter().map(|stored| &stored.config).collect();
        clashes(&existing, &config)?;
        let revision = state.live.head.revision.next();
        let (author, updated_at) = (author.to_owned(), now.to_owned());
        let stored = Arc::new(StoredConfig { config, revision, author, updated_at });
        state.live = Arc::new(state.live.with(stored.clone()));
        Ok(stored)
    }

    async fn delete(&self, name: &ConfigName) -> Result<(Arc<StoredConfig>, Revision), StoreError> {
        let mut state = self.state();
        let deleted = state.live.get(name).cloned().ok_or_else(|| StoreError::no_config(name))?;
        let revision = state.live.head.revision.next();
        state.live = Arc::new(state.live.without(name, revision));
        Ok((deleted, revision))
    }

    async fn adopt(&self, succession: &Succession) -> Result<StoreHead, StoreError> {
        let mut state = self.state();
        let head = succession.of(&state.live.head);
        if head != state.live.head {
            state.live = Arc::new(Snapshot { head: head.clone(), configs: state.live.configs.clone() });
        }
        Ok(head)
    }

    async fn save_rollout(&self, rollout: &RolloutView) -> Result<(), StoreError> {
        let mut state = self.state();
        let now = Instant::now();
        state.rollouts.retain(|_, kept| kept.kept_until > now);
        state.rollouts_saved += 1;
        let before = state.rollouts.get(&rollout.rollout);
        if before
            .is_some_and(|kept| kept.view.state == RolloutState::Done && rollout.state != RolloutState::Done)
        {
            return Ok(());
        }
        let number = before.map_or(state.rollouts_saved, |before| before.number);
        let saved = Rollout { view: rollout.clone(), number, kept_until: now + ROLLOUT_LIFE };
        state.rollouts.insert(rollout.rollout, saved);
        Ok(())
    }

    async fn rollout(&self, id: RolloutId) -> Result<RolloutView, StoreError> {
        let state = self.state();
        let kept = state.rollouts.get(&id).filter(|kept| kept.kept_until > Instant::now());
        kept.map(|kept| kept.view.clone()).ok_or_else(|| StoreError::no_rollout(id))
    }

    async fn rollouts(&self, limit: usize) -> Result<Vec<RolloutView>, StoreError> {
        let (now, state) = (Instant::now(), self.state());
        let mut kept: Vec<_> = state.rollouts.values().filter(|kept| kept.kept_until > now).collect();
        kept.sort_by_key(|kept| std::cmp::Reverse(kept.number));
        let newest = kept.into_iter().take(limit);
        Ok(newest.map(|kept| RolloutView { failures: None, ..kept.view.clone() }).collect())
    }
}
