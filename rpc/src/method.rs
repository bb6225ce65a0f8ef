//! What can be asked: a name, a request and a reply.

use serde::{Serialize, de::DeserializeOwned};

/// One method of a service. The type itself is only a name; client and server agree on it.
pub trait Method: 'static {
    /// The name on the wire: the message's `type`.
    const NAME: &'static str;
    /// Whether it may be sent as a notification, that is without asking for a reply.
    const NOTIFIABLE: bool = false;
    /// The largest request that makes sense, in bytes: a larger one is refused unread. What a request can make of a
    /// server's memory is a few times that, for each one that is being dealt with.
    const LARGEST_REQUEST: usize = usize::MAX;
    /// What the caller sends.
    type Request: Serialize + DeserializeOwned + Send + Sync + 'static;
    /// What the server answers.
    type Reply: Serialize + DeserializeOwned + Send + Sync + 'static;
}
