//! Times that the product promises, measured and shown.

use std::time::{Duration, Instant};

/// What a machine of two cores that runs other tests too may add to a promised time.
pub(crate) const ALLOWANCE: Duration = Duration::from_millis(1_500);

/// Shows how long it took since `start`, and checks that it is within the promise.
#[track_caller]
pub(crate) fn promised(what: &str, start: Instant, promise: Duration) {
    let took = start.elapsed();
    eprintln!("measured: {what}: {took:.2?} (promised: {promise:?})");
    assert!(took <= promise + ALLOWANCE, "{what} took {took:?}, and {promise:?} is promised");
}
