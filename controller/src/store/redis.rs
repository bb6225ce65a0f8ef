//! The store in Redis, shared by all controllers of a fleet. A change is decided here and taken by a script that
//! compares: it is refused, and decided again, if anything was changed meanwhile.

mod keys;
mod reading;

use super::{ROLLOUT_LIFE, Snapshot, Store, StoreError, StoredConfig, Succession};
use crate::{
    redis_url::RedisUrl,
    registry::redis::link::{Link, LinkError, ScriptCall},
};
use async_trait::async_trait;
use bellwether_ingress::{ConfigName, IngressConfig, Revision, clashes};
use bellwether_proto::{Fleet, RolloutId, StoreHead, StoreId, http::RolloutView};
use keys::Keys;
use reading::{Contents, HEAD_FIELDS, RawHead};
use redis::{Script, cmd, pipe};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::Semaphore,
    time::{Instant, sleep, timeout_at},
};
use tracing::warn;
use uuid::Uuid;

/// For how long a change is tried again because other replicas were first.
const TRY_FOR: Duration = Duration::from_secs(5);
/// The longest pause before another try, in milliseconds.
const LONGEST_PAUSE_MS: u8 = 16;
/// Rollouts that are listed at most.
const MOST_ROLLOUTS: usize = 1_000;

/// The store of one fleet. It connects when it is first asked, and again after a failure.
pub struct RedisStore {
    link: Link,
    keys: Keys,
    make: Script,
    commit: Script,
    adopt: Script,
    save_rollout: Script,
    last_read: Mutex<Option<Arc<Snapshot>>>,
    /// One change at a time from this process: more would only make each other try again.
    turn: Semaphore,
}

/// What becomes of a document, and at which revision.
struct Change {
    kind: Kind,
    /// As it is put, or as it was before it is deleted.
    stored: Arc<StoredConfig>,
    revision: Revision,
}

enum Kind {
    Put,
    Delete,
}

impl RedisStore {
    /// The store of `fleet` in the Redis at `url`. Does not connect yet.
    ///
    /// # Errors
    /// When `url` is nothing that can be connected to.
    pub fn new(url: &RedisUrl, fleet: &Fleet) -> Result<Self, StoreError> {
        Ok(Self {
            link: Link::new(url).map_err(|error| StoreError::Unavailable(error.to_string()))?,
            keys: Keys::new(fleet),
            make: Script::new(include_str!("redis/make.lua")),
            commit: Script::new(include_str!("redis/commit.lua")),
            adopt: Script::new(include_str!("redis/adopt.lua")),
            save_rollout: Script::new(include_str!("redis/save_rollout.lua")),
            last_read: Mutex::default(),
            turn: Semaphore::new(1),
        })
    }

    /// The same, but waiting this long for an answer, and not one second.
    #[must_use]
    pub fn answer_within(self, answer_within: Duration) -> Self {
        Self { link: self.link.answer_within(answer_within), ..self }
    }

    async fn make(&self) -> Result<StoreHead, StoreError> {
        let call = ScriptCall::new(&[&self.keys.store]).with(StoreId::new());
        let made: Vec<RawHead> =
            self.link.run(&self.make, &[call]).await.map_err(|error| self.error(error))?;
        let made = made.first().and_then(|head| head.read(&self.keys.store).transpose()).transpose()?;
        made.ok_or_else(|| StoreError::Corrupt(format!("{} has no store_id", self.keys.store)))
    }

    /// Everything that the store holds; read again only when it was changed.
    async fn contents(&self) -> Result<Contents, StoreError> {
        let head = self.head().await?;
        let last_read = self.last_read().clone();
        if let Some(live) = last_read.filter(|live| live.head == head) {
            return Ok(Contents { live, unreadable: Vec::new() });
        }
        let mut at_once = pipe();
        at_once.atomic().cmd("HMGET").arg(&self.keys.store).arg(HEAD_FIELDS);
        at_once.cmd("HGETALL").arg(&self.keys.configs);
        let answer: (RawHead, HashMap<Vec<u8>, Vec<u8>>) =
            self.link.ask_all(&at_once).await.map_err(|error| self.error(error))?;
        let contents = Contents::read(answer, &self.keys)?;
        if contents.unreadable.is_empty() {
            *self.last_read() = Some(contents.live.clone());
        }
        Ok(contents)
    }

    /// Decides and takes a change, again and again until nobody else was first.
    async fn change(
        &self,
        name: &ConfigName,
        decide: impl Fn(&Contents) -> Result<Change, StoreError> + Send + Sync,
    ) -> Result<Change, StoreError> {
        let end = Instant::now() + TRY_FOR;
        let _turn = timeout_at(end, self.turn.acquire()).await.map_err(|_| crowded())?;
        while Instant::now() < end {
            let contents = self.contents().await?;
            let change = decide(&contents)?;
            if self.commit(&contents.live.head, name, &change).await? {
                *self.last_read() = contents.after(&change).map(Arc::new);
                return Ok(change);
            }
            sleep(pause()).await;
        }
        Err(crowded())
    }

    /// Takes another head if the store still has this one.
    async fn replace_head(&self, head: &StoreHead, next: &StoreHead) -> Result<bool, StoreError> {
        let call = ScriptCall::new(&[&self.keys.store]).with(head.store_id).with(head.revision);
        let call = call.with(next.store_id).with(next.revision).with(json(&next.succeeds)?);
        let taken: Vec<bool> =
            self.link.run(&self.adopt, &[call]).await.map_err(|error| self.error(error))?;
        Ok(taken == [true])
    }

    /// Takes the change if the store is still as it was when that was decided.
    async fn commit(&self, head: &StoreHead, name: &ConfigName, change: &Change) -> Result<bool, StoreError> {
        let Keys { store, configs, tombstones, .. } = &self.keys;
        let call = ScriptCall::new(&[store, configs, tombstones]);
        let mut call = call.with(head.store_id).with(head.revision).with(name);
        if let Kind::Put = change.kind {
            call.argument(json(&change.stored)?);
        }
        let taken: Vec<bool> =
            self.link.run(&self.commit, &[call]).await.map_err(|error| self.error(error))?;
        Ok(taken == [true])
    }

    fn last_read(&self) -> MutexGuard<'_, Option<Arc<Snapshot>>> {
        self.last_read.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn error(&self, error: LinkError) -> StoreError {
        if error.wrong_type {
            StoreError::Corrupt(format!("{error}, in a key of {}", self.keys.all()))
        } else {
            StoreError::Unavailable(error.to_string())
        }
    }
}

#[async_trait]
impl Store for RedisStore {
    async fn head(&self) -> Result<StoreHead, StoreError> {
        let head = cmd("HMGET").arg(&self.keys.store).arg(HEAD_FIELDS).take();
        let head: RawHead = self.link.ask(&head).await.map_err(|error| self.error(error))?;
        match head.read(&self.keys.store)? {
            Some(head) => Ok(head),
            None => self.make().await,
        }
    }

    async fn snapshot(&self) -> Result<Arc<Snapshot>, StoreError> {
        let contents = self.contents().await?;
        contents.refuse_unreadable(&self.keys.configs, None)?;
        Ok(contents.live)
    }

    async fn put(
        &self,
        config: IngressConfig,
        author: &str,
        now: &str,
    ) -> Result<Arc<StoredConfig>, StoreError> {
        let change = self.change(config.name(), |contents| {
            // What cannot be read may be replaced: so it is mended.
            contents.refuse_unreadable(&self.keys.configs, Some(config.name()))?;
            let existing: Vec<_> = contents.live.configs.iter().map(|stored| &stored.config).collect();
            clashes(&existing, &config)?;
            let revision = contents.live.head.revision.next();
            let (author, updated_at) = (author.to_owned(), now.to_owned());
            let stored = Arc::new(StoredConfig { config: config.clone(), revision, author, updated_at });
            Ok(Change { kind: Kind::Put, stored, revision })
        });
        Ok(change.await?.stored)
    }

    async fn delete(&self, name: &ConfigName) -> Result<(Arc<StoredConfig>, Revision), StoreError> {
        let change = self.change(name, |contents| {
            contents.refuse_unreadable(&self.keys.configs, None)?;
            let stored = contents.live.get(name).cloned().ok_or_else(|| StoreError::no_config(name))?;
            Ok(Change { kind: Kind::Delete, stored, revision: contents.live.head.revision.next() })
        });
        let change = change.await?;
        Ok((change.stored, change.revision))
    }

    async fn adopt(&self, succession: &Succession) -> Result<StoreHead, StoreError> {
        let end = Instant::now() + TRY_FOR;
        let _turn = timeout_at(end, self.turn.acquire()).await.map_err(|_| crowded())?;
        while Instant::now() < end {
            let head = self.head().await?;
            let next = succession.of(&head);
            if next == head || self.replace_head(&head, &next).await? {
                return Ok(next);
            }
            sleep(pause()).await;
        }
        Err(crowded())
    }

    async fn save_rollout(&self, rollout: &RolloutView) -> Result<(), StoreError> {
        let call = ScriptCall::new(&[&self.keys.rollouts, &self.keys.rollout(rollout.rollout)]);
        let call = call.with(rollout.rollout).with(json(rollout)?).with(ROLLOUT_LIFE.as_secs());
        self.link.run::<()>(&self.save_rollout, &[call]).await.map_err(|error| self.error(error))?;
        Ok(())
    }

    async fn rollout(&self, id: RolloutId) -> Result<RolloutView, StoreError> {
        let key = self.keys.rollout(id);
        let kept: Option<Vec<u8>> =
            self.link.ask(cmd("GET").arg(&key)).await.map_err(|error| self.error(error))?;
        let kept = kept.ok_or_else(|| StoreError::no_rollout(id))?;
        serde_json::from_slice(&kept).map_err(|_| StoreError::Corrupt(key))
    }

    async fn rollouts(&self, limit: usize) -> Result<Vec<RolloutView>, StoreError> {
        let Some(last) = limit.min(MOST_ROLLOUTS).checked_sub(1) else { return Ok(Vec::new()) };
        let newest = cmd("ZREVRANGE").arg(&self.keys.rollouts).arg(0).arg(last).take();
        let newest: Vec<Vec<u8>> = self.link.ask(&newest).await.map_err(|error| self.error(error))?;
        let ids = newest.iter().filter_map(|id| std::str::from_utf8(id).ok()?.parse().ok());
        let keys: Vec<String> = ids.map(|id| self.keys.rollout(id)).collect();
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let kept: Vec<Option<Vec<u8>>> =
            self.link.ask(cmd("MGET").arg(&keys)).await.map_err(|error| self.error(error))?;
        let kept = keys.iter().zip(kept).filter_map(|(key, kept)| listed(key, &kept?));
        Ok(kept.collect())
    }
}

fn crowded() -> StoreError {
    StoreError::Unavailable(format!("others changed it all the time for {TRY_FOR:?}: try again"))
}

/// A rollout as lists show it; none if it cannot be read.
fn listed(key: &str, kept: &[u8]) -> Option<RolloutView> {
    match serde_json::from_slice::<RolloutView>(kept) {
        Ok(view) => Some(RolloutView { failures: None, ..view }),
        Err(_) => {
            warn!(key, "a rollout that cannot be read is left out");
            None
        }
    }
}

fn json(value: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value)
        .map_err(|error| StoreError::Unavailable(format!("it cannot be written: {error}")))
}

/// Random, so that two who were in each other's way are not so again.
fn pause() -> Duration {
    let [random, ..] = *Uuid::new_v4().as_bytes();
    Duration::from_millis(u64::from(random % LONGEST_PAUSE_MS))
}
