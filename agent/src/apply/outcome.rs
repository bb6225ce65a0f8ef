//! Why something that the apply loop was asked for does not serve.

use bellwether_ingress::Revision;
use bellwether_proto::StoreId;
use bellwether_rpc::Fault;

/// Why it does not serve.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotApplied {
    /// Something newer is known of that name.
    #[error("revision {by} took its place")]
    Superseded { by: Revision },
    /// The driver refused it.
    #[error("{words}")]
    Rejected { words: String },
    /// It comes from a store that is not followed here.
    #[error("it comes from store {theirs}, and this agent follows store {ours}")]
    Foreign { ours: StoreId, theirs: StoreId },
    /// The whole set is older than what was taken before.
    #[error("the set is of revision {theirs}, and revision {ours} was taken before")]
    LowerHead { ours: Revision, theirs: Revision },
    /// The whole set of its store must be taken first.
    #[error("the whole set of that store is not known yet")]
    SyncFirst,
    /// It was not judged: trouble of our own, or a part of a whole set was refused.
    #[error("{words}")]
    Failed { words: String },
    /// Too much waits for the driver.
    #[error("too many changes wait for the proxy; try again later")]
    Busy,
    /// The agent stops.
    #[error("the agent is stopping")]
    Stopping,
}

impl From<NotApplied> for Fault {
    fn from(outcome: NotApplied) -> Self {
        let message = outcome.to_string();
        match outcome {
            NotApplied::Superseded { .. } => Self::superseded(message),
            NotApplied::Rejected { .. } | NotApplied::Foreign { .. } | NotApplied::LowerHead { .. } => {
                Self::rejected(message)
            }
            NotApplied::SyncFirst | NotApplied::Stopping => Self::unavailable(message),
            NotApplied::Failed { .. } => Self::internal(message),
            NotApplied::Busy => Self::overloaded(message),
        }
    }
}
