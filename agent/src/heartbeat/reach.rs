//! Tells in the log when controllers come, go or disagree: once for each change.

use crate::set::Standing;
use bellwether_proto::StoreHead;
use bellwether_rpc::CallError;

/// What was last said about controllers.
#[derive(Debug, Default)]
pub(super) struct Reach {
    answer: Option<Answer>,
    odd: Option<Odd>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Heard,
    NoController,
    Silent,
}

/// A store that is not the one the agent can follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Odd {
    Behind,
    Foreign,
}

impl Reach {
    /// Notes how an asking beat ended.
    pub(super) fn heard(&mut self, error: Option<&CallError>) {
        let now = match error {
            None | Some(CallError::Fault(_)) => Answer::Heard,
            Some(CallError::Unroutable { .. }) => Answer::NoController,
            Some(_) => Answer::Silent,
        };
        if self.answer.replace(now) == Some(now) {
            return;
        }
        match (now, error) {
            (Answer::Heard, None) => tracing::info!("a controller answers"),
            (Answer::NoController, _) => tracing::warn!("no controller yet; what is remembered serves on"),
            (_, Some(error)) => tracing::warn!(%error, "no good answer from a controller"),
            (Answer::Silent, None) => {}
        }
    }

    /// Notes how the agent stands to what a controller wants.
    pub(super) fn stands(&mut self, standing: Standing, head: &StoreHead) {
        let now = match standing {
            Standing::Converged | Standing::Stale => None,
            Standing::StoreBehind => Some(Odd::Behind),
            Standing::Foreign { .. } => Some(Odd::Foreign),
        };
        if std::mem::replace(&mut self.odd, now) == now {
            return;
        }
        let store = head.store_id;
        match standing {
            Standing::StoreBehind => {
                tracing::warn!(%store, revision = %head.revision, "the store is behind this agent; what serves stays");
            }
            Standing::Foreign { ours } => {
                tracing::warn!(%store, %ours, "the store is not the one followed here; what serves stays");
            }
            Standing::Converged | Standing::Stale => {
                tracing::info!(%store, "the store can be followed again")
            }
        }
    }
}
