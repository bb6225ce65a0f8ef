//! The way between the processes and the memory broker: what goes wrong on it, and what is still on it.

use super::faults::{Chance, Faults};
use std::{
    future::Future,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::{runtime::Handle, task::JoinSet, time::sleep};

/// What is on its way when the wire is dropped never arrives.
pub(super) struct Wire {
    chance: Mutex<Chance>,
    under_way: Mutex<JoinSet<()>>,
}

impl Wire {
    pub(super) fn new(faults: Faults) -> Self {
        Self { chance: Mutex::new(Chance::new(faults)), under_way: Mutex::default() }
    }

    /// What chance says.
    pub(super) fn draw<T>(&self, drawn: impl FnOnce(&mut Chance) -> T) -> T {
        drawn(&mut self.chance.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Lets something arrive, or happen, after a while. Outside of a runtime, it never does.
    pub(super) fn after(&self, delay: Duration, arrival: impl Future<Output = ()> + Send + 'static) {
        let Ok(runtime) = Handle::try_current() else { return };
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        while under_way.try_join_next().is_some() {}
        let later = async move {
            sleep(delay).await;
            arrival.await;
        };
        under_way.spawn_on(later, &runtime);
    }
}
