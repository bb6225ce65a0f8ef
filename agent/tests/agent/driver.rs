//! A driver without a proxy: it notes what it is given, refuses what tests name, and waits when they say so.

use async_trait::async_trait;
use bellwether_agent::driver::{ApplyError, Driver, EffectiveSet, Failure, Refused, Step};
use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::sync::{Semaphore, watch};

#[derive(Clone)]
pub(crate) struct FakeDriver {
    /// Every set it was given, and whether it took it.
    calls: watch::Sender<Vec<Called>>,
    refused: Arc<Mutex<BTreeSet<String>>>,
    /// Whether it says which document it refuses.
    names: Arc<AtomicBool>,
    gate: Arc<Semaphore>,
}

/// One call.
#[derive(Clone, Debug)]
pub(crate) struct Called {
    pub(crate) set: EffectiveSet,
    pub(crate) taken: bool,
}

impl Called {
    pub(crate) fn names(&self) -> Vec<String> {
        self.set.documents.iter().map(|document| document.name().to_string()).collect()
    }
}

impl FakeDriver {
    /// A driver that takes everything at once.
    pub(crate) fn new() -> Self {
        let gate = Arc::new(Semaphore::new(Semaphore::MAX_PERMITS));
        Self { calls: watch::Sender::default(), refused: Arc::default(), names: Arc::default(), gate }
    }

    /// A driver that finishes a call only when it is let.
    pub(crate) fn slow() -> Self {
        Self { gate: Arc::new(Semaphore::new(0)), ..Self::new() }
    }

    /// Lets this many calls finish.
    pub(crate) fn let_finish(&self, calls: usize) {
        self.gate.add_permits(calls);
    }

    /// Refuses sets with a document of this name.
    pub(crate) fn refuse(&self, name: &str) {
        self.refused.lock().unwrap().insert(name.to_owned());
    }

    /// From now on it says which documents it refuses.
    pub(crate) fn name_the_refused(&self) {
        self.names.store(true, Ordering::Relaxed);
    }

    pub(crate) fn accept(&self, name: &str) {
        self.refused.lock().unwrap().remove(name);
    }

    pub(crate) fn calls(&self) -> Vec<Called> {
        self.calls.borrow().clone()
    }

    /// Waits until it has been called so often.
    pub(crate) async fn called(&self, times: usize) -> Vec<Called> {
        super::fixture::eventually(self.calls.subscribe(), |calls| calls.len() >= times).await
    }
}

#[async_trait]
impl Driver for FakeDriver {
    async fn apply(&mut self, set: &EffectiveSet) -> Result<(), ApplyError> {
        let refused = self.refused.lock().unwrap().clone();
        let bad = set.documents.iter().find(|document| refused.contains(document.name().as_str()));
        self.calls.send_modify(|calls| calls.push(Called { set: set.clone(), taken: bad.is_none() }));
        self.gate.acquire().await.expect("the gate is never closed").forget();
        match bad {
            Some(document) if self.names.load(Ordering::Relaxed) => {
                let (document, words) = (document.name().clone(), "is bad".to_owned());
                Err(Failure::of_documents(vec![Refused { document, words }]).at(Step::Render))
            }
            Some(document) => Err(Failure::of_set(format!("{} is bad", document.name())).at(Step::Check)),
            None => Ok(()),
        }
    }
}
