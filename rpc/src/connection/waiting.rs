//! What a caller waits for before it can send, and for how long.

use crate::{CallError, Deadline, Generation, Link};
use std::time::Duration;
use tokio::{
    sync::watch,
    time::{Instant, timeout_at},
};

/// Waits until there is a link.
pub(super) async fn connected(
    link: &mut watch::Receiver<Link>,
    deadline: Deadline,
) -> Result<Generation, CallError> {
    let ready = link.wait_for(|link| link.generation().is_some() || *link == Link::Closed);
    match timeout_at(deadline.instant(), ready).await {
        Ok(Ok(link)) => link.generation().ok_or(CallError::Disconnected),
        Ok(Err(_)) => Err(CallError::Disconnected),
        Err(_) => Err(CallError::DeadlineExceeded { sent: false }),
    }
}

/// Waits until the link is another than when it was last looked at.
pub(super) async fn changed(link: &mut watch::Receiver<Link>, deadline: Deadline) -> Result<(), CallError> {
    match timeout_at(deadline.instant(), link.changed()).await {
        Ok(changed) => changed.map_err(|_| CallError::Disconnected),
        Err(_) => Err(CallError::DeadlineExceeded { sent: false }),
    }
}

/// What is left of a deadline; a call with nothing left is not sent.
pub(super) fn remaining(deadline: Deadline) -> Result<Duration, CallError> {
    let now = Instant::now();
    if deadline.has_passed(now) {
        return Err(CallError::DeadlineExceeded { sent: false });
    }
    Ok(deadline.remaining(now))
}
