//! Waiting for a moment that may never come.

use tokio::time::{Instant, sleep_until};

/// Waits for `moment`; for ever when there is none.
pub(crate) async fn sleep_until_some(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}
