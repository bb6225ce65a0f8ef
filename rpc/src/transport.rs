//! What carries messages: the seam between the framework and a broker.

pub mod amqp;
pub mod memory;

use crate::{Address, CorrelationId, Generation, Instance, Message, ReplyTo};
use async_trait::async_trait;
use futures_util::stream::BoxStream;
use std::{
    fmt,
    sync::{Arc, OnceLock},
};
use tokio::{sync::watch, time::Instant};

/// Carries messages to addresses, and answers back. It reconnects by itself; [`Transport::link`] says how it stands.
#[async_trait]
pub trait Transport: Send + Sync + 'static {
    /// The process that speaks.
    fn instance(&self) -> Instance;

    /// How the link to the broker stands, and every change of it.
    fn link(&self) -> watch::Receiver<Link>;

    /// Gives what comes back for calls in flight to `inbox`, as it arrives. There is one inbox: a second is refused.
    fn deliver_to(&self, inbox: Inbox) -> bool;

    /// Sends a request or a notification. `Ok` means handed to the broker; a request that reaches nobody comes back
    /// as [`Inbound::Returned`].
    async fn send(&self, to: &Address, message: Message) -> Result<(), SendError>;

    /// Sends an answer. One that nobody waits for any more is lost without a word.
    async fn reply(&self, to: &ReplyTo, message: Message) -> Result<(), SendError>;

    /// The reply queue of this process; none while there is no link.
    fn reply_to(&self) -> Option<ReplyTo>;

    /// Receives what is sent to `address`, at most `prefetch` deliveries unfinished at a time. Once this returns,
    /// the address reaches us. The stream ends when the link, or its queue, is lost.
    async fn consume(&self, address: &Address, prefetch: u16) -> Result<Deliveries, ConsumeError>;

    /// Ends the link, for good, once the broker knows what was dealt with.
    async fn close(&self);
}

/// The deliveries of one consumer. Dropping it stops the consumer; what is unfinished can still be finished.
pub type Deliveries = BoxStream<'static, Delivery>;

/// How the link to the broker stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Link {
    /// Not connected; being tried again.
    Down {
        /// Why, with host and cause, without secrets.
        reason: String,
    },
    /// Connected, with a reply queue of its own.
    Up {
        /// Which connection of this process it is.
        generation: Generation,
    },
    /// Connected, but the broker takes no messages now (it is short of memory or disk).
    Blocked {
        /// Which connection of this process it is.
        generation: Generation,
        /// What the broker says.
        reason: String,
    },
    /// Ended by [`Transport::close`].
    Closed,
}

impl Link {
    /// Whether answers can arrive: up, or blocked.
    #[must_use]
    pub fn generation(&self) -> Option<Generation> {
        match self {
            Self::Up { generation } | Self::Blocked { generation, .. } => Some(*generation),
            Self::Down { .. } | Self::Closed => None,
        }
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Down { reason } => write!(f, "not connected: {reason}"),
            Self::Up { .. } => f.write_str("connected"),
            Self::Blocked { reason, .. } => write!(f, "the broker takes no messages: {reason}"),
            Self::Closed => f.write_str("closed"),
        }
    }
}

/// Where what comes back goes. It must not wait: everything that comes back passes it.
pub type Inbox = Arc<dyn Fn(Inbound) + Send + Sync>;

/// What a transport knows of its inbox. What comes before there is one belongs to no call.
#[derive(Default)]
struct InboxSlot(OnceLock<Inbox>);

impl InboxSlot {
    /// Returns whether it was empty.
    fn fill(&self, inbox: Inbox) -> bool {
        self.0.set(inbox).is_ok()
    }

    fn put(&self, inbound: Inbound) {
        if let Some(inbox) = self.0.get() {
            inbox(inbound);
        }
    }
}

/// What comes back to a caller.
#[derive(Debug)]
pub enum Inbound {
    /// An answer arrived on the reply queue.
    Answer(Message),
    /// The broker found nobody at the address of this request.
    Returned(CorrelationId),
    /// A reply queue is gone: whatever was sent over its connection, or an earlier one, gets no answer.
    Lost {
        /// Which connection of this process it was.
        generation: Generation,
    },
}

/// A message that was delivered here, and must be finished.
pub struct Delivery {
    /// The message.
    pub message: Message,
    /// Whether the broker delivered it before.
    pub redelivered: bool,
    /// When it arrived in this process.
    pub received: Instant,
    /// How to tell the broker that it is dealt with.
    pub receipt: Box<dyn Receipt>,
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery").field("message", &self.message).finish_non_exhaustive()
    }
}

/// Tells the broker what became of a delivery. One that is dropped is delivered again when the consumer ends.
#[async_trait]
pub trait Receipt: Send {
    /// It is dealt with. The broker is told soon, together with others; [`Transport::close`] waits for that.
    fn settle(self: Box<Self>);

    /// It is dealt with, and the broker is told at once. Returns whether it can know: a delivery that it has taken back,
    /// because its consumer or link was lost, is delivered again all the same.
    async fn ack(self: Box<Self>) -> bool;

    /// It is not dealt with: whoever else consumes the queue may have it, as a redelivery.
    async fn hand_back(self: Box<Self>);
}

/// Why a message was not sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// There is no connection: surely not sent.
    #[error("not connected")]
    NotConnected,
    /// The broker takes no messages now: not sent.
    #[error("the broker takes no messages: {0}")]
    Blocked(String),
    /// The connection was lost while sending: it may have been sent.
    #[error("the connection was lost while sending")]
    Lost,
    /// It cannot be put on the wire: not sent.
    #[error("{0}")]
    Invalid(String),
}

/// Why an address cannot be consumed now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConsumeError {
    /// There is no connection.
    #[error("not connected")]
    NotConnected,
    /// The broker refuses.
    #[error("the broker refuses: {0}")]
    Refused(String),
    /// The address cannot be a queue's name.
    #[error("{0}")]
    Invalid(String),
}
