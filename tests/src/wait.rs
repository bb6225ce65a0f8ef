//! Waiting for a condition, or holding one to be true, without a fixed sleep.

use std::fmt::Display;
use std::panic::Location;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout, timeout_at};

/// What anything may take on a busy machine before a test gives up.
pub const BOUND: Duration = Duration::from_secs(60);

const POLL: Duration = Duration::from_millis(50);
/// What one look may take while a condition must hold throughout.
const LOOK: Duration = Duration::from_secs(10);

/// One look at a condition: `bool`, `Option` or `Result`, of which the error says what was seen instead.
pub trait Attempt {
    /// What a successful look brings.
    type Value;

    /// The value, or what was seen instead.
    ///
    /// # Errors
    /// When the condition does not hold.
    fn seen(self) -> Result<Self::Value, String>;
}

impl Attempt for bool {
    type Value = ();

    fn seen(self) -> Result<(), String> {
        if self { Ok(()) } else { Err("it is not so".to_owned()) }
    }
}

impl<T> Attempt for Option<T> {
    type Value = T;

    fn seen(self) -> Result<T, String> {
        self.ok_or_else(|| "there is none".to_owned())
    }
}

impl<T, E: Display> Attempt for Result<T, E> {
    type Value = T;

    fn seen(self) -> Result<T, String> {
        self.map_err(|error| format!("{error:#}"))
    }
}

/// Looks about every 50 ms until `check` succeeds, for up to [`BOUND`].
///
/// # Panics
/// When it does not; the message holds `what` and what was seen last.
#[track_caller]
pub fn eventually<R: Attempt>(
    what: impl Into<String>,
    check: impl AsyncFnMut() -> R,
) -> impl Future<Output = R::Value> {
    eventually_within(BOUND, what, check)
}

/// [`eventually`] with a bound of its own.
///
/// # Panics
/// When `check` does not succeed within the bound.
#[track_caller]
pub fn eventually_within<R: Attempt>(
    bound: Duration,
    what: impl Into<String>,
    mut check: impl AsyncFnMut() -> R,
) -> impl Future<Output = R::Value> {
    let (place, what) = (Location::caller(), what.into());
    async move {
        let end = Instant::now() + bound;
        let mut last = "nothing: the first look never ended".to_owned();
        while let Ok(attempt) = timeout_at(end, check()).await {
            match attempt.seen() {
                Ok(value) => return value,
                Err(seen) => last = seen,
            }
            if Instant::now() + POLL >= end {
                break;
            }
            sleep(POLL).await;
        }
        panic!("{place}: not within {bound:?}: {what}; last seen: {last}");
    }
}

/// Looks about every 50 ms for as long as `period`, and `check` has to succeed each time.
///
/// # Panics
/// At the first look that fails or takes over 10 s; the message holds `what`, when it was and what was seen.
#[track_caller]
pub fn always_for<R: Attempt>(
    period: Duration,
    what: impl Into<String>,
    mut check: impl AsyncFnMut() -> R,
) -> impl Future<Output = ()> {
    let (place, what) = (Location::caller(), what.into());
    async move {
        let start = Instant::now();
        while start.elapsed() < period {
            let seen = match timeout(LOOK, check()).await {
                Ok(attempt) => attempt.seen().err(),
                Err(_) => Some(format!("no answer within {LOOK:?}")),
            };
            if let Some(seen) = seen {
                panic!("{place}: after {:?} no longer: {what}; seen: {seen}", start.elapsed());
            }
            sleep(POLL).await;
        }
    }
}
