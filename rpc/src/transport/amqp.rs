//! RabbitMQ: addresses as queues and exchanges, over connections that come back by themselves.
//!
//! The only place that names lapin. Each life of the connection is a `session`; the `supervisor` makes a new one
//! when it ends. Names are in `names`, properties in `wire`, acknowledgements in
//! `receipts`, unroutable requests in `returns`; what lapin is given to read
//! passes the `sieve` in `stream`.

mod backoff;
mod consume;
mod names;
mod receipts;
mod returns;
mod session;
mod settings;
mod sieve;
mod stream;
mod supervisor;
mod tls;
mod wire;

pub use settings::{AmqpSettings, AmqpUrl, AmqpUrlError, Connections};
pub use tls::{Tls, TlsError};

use super::{ConsumeError, Deliveries, Inbox, Link, SendError, Transport};
use crate::{Address, Instance, Message, ReplyTo};
use async_trait::async_trait;
use std::sync::Arc;
use supervisor::Supervisor;
use tokio::sync::watch;

/// A filter directive for every program that logs: lapin writes returned messages, bodies and all, to its log.
pub const LOG_FILTER: &str = "lapin::returned_messages=off";

/// Whose traces no program may write: lapin's hold every frame, the password and all bodies among them.
pub const LOG_UNTRACED: &str = "lapin";

/// A transport over RabbitMQ.
pub struct Amqp {
    supervisor: Supervisor,
}

impl Amqp {
    /// Starts to connect, and keeps connecting; [`Transport::link`] says how it stands. Needs a tokio runtime.
    #[must_use]
    pub fn start(settings: AmqpSettings) -> Arc<dyn Transport> {
        Arc::new(Self { supervisor: Supervisor::start(settings) })
    }
}

#[async_trait]
impl Transport for Amqp {
    fn instance(&self) -> Instance {
        self.supervisor.instance()
    }

    fn link(&self) -> watch::Receiver<Link> {
        self.supervisor.link()
    }

    fn deliver_to(&self, inbox: Inbox) -> bool {
        self.supervisor.deliver_to(inbox)
    }

    async fn send(&self, to: &Address, message: Message) -> Result<(), SendError> {
        let session = self.supervisor.session().ok_or(SendError::NotConnected)?;
        session.send(to, message).await
    }

    async fn reply(&self, to: &ReplyTo, message: Message) -> Result<(), SendError> {
        let session = self.supervisor.session().ok_or(SendError::NotConnected)?;
        session.reply(to, message).await
    }

    fn reply_to(&self) -> Option<ReplyTo> {
        self.supervisor.session().map(|session| session.reply_to())
    }

    async fn consume(&self, address: &Address, prefetch: u16) -> Result<Deliveries, ConsumeError> {
        let session = self.supervisor.session().ok_or(ConsumeError::NotConnected)?;
        session.consume(address, prefetch).await
    }

    async fn close(&self) {
        self.supervisor.close().await;
    }
}
