//! Times what goes to the registry and the store.

use metrics::{counter, histogram};
use std::time::Instant;

/// The two metrics of a backend.
pub(crate) struct Timing {
    pub(crate) duration: &'static str,
    pub(crate) errors: &'static str,
}

impl Timing {
    /// Does `work`, and takes down how long it took, and whether it is among the failures that `is_failure` knows.
    pub(crate) async fn of<T, E>(
        &self,
        operation: &'static str,
        work: impl Future<Output = Result<T, E>>,
        is_failure: impl FnOnce(&E) -> bool,
    ) -> Result<T, E> {
        let started = Instant::now();
        let outcome = work.await;
        histogram!(self.duration, "operation" => operation).record(started.elapsed());
        if outcome.as_ref().is_err_and(is_failure) {
            counter!(self.errors, "operation" => operation).increment(1);
        }
        outcome
    }
}
