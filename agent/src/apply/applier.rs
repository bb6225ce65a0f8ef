//! How the other tasks ask the apply loop to serve something.

use super::NotApplied;
use crate::set::{Change, WholeSet};
use bellwether_proto::{Known, StoreHead};
use tokio::sync::{mpsc, oneshot};

/// Requests that may wait while the driver is busy. Handlers are fewer, and there is one sync.
pub(super) const CAPACITY: usize = 256;

pub(super) type Ticket = oneshot::Sender<Result<Known, NotApplied>>;

pub(super) enum Request {
    Change { at: StoreHead, change: Change, ticket: Ticket },
    Switch { whole: WholeSet, ticket: Ticket },
}

/// Asks the apply loop to serve something.
#[derive(Clone)]
pub(crate) struct Applier {
    pub(super) requests: mpsc::Sender<Request>,
}

impl Applier {
    /// Has one change taken, and returns when it serves, or will not.
    pub(crate) async fn change(&self, at: StoreHead, change: Change) -> Result<Known, NotApplied> {
        let (ticket, answer) = oneshot::channel();
        self.requests.try_send(Request::Change { at, change, ticket }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => NotApplied::Busy,
            mpsc::error::TrySendError::Closed(_) => NotApplied::Stopping,
        })?;
        answer.await.unwrap_or(Err(NotApplied::Stopping))
    }

    /// Has a whole set taken, and returns when all of it serves, or will not.
    pub(crate) async fn switch(&self, whole: WholeSet) -> Result<Known, NotApplied> {
        let (ticket, answer) = oneshot::channel();
        let sent = self.requests.send(Request::Switch { whole, ticket }).await;
        sent.map_err(|_| NotApplied::Stopping)?;
        answer.await.unwrap_or(Err(NotApplied::Stopping))
    }
}
