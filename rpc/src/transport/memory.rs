//! A broker within the process: for tests, simulations and `dev`, with the same promises as the real one.

mod hub;
mod links;
mod queues;

use super::{ConsumeError, Deliveries, Inbound, Link, SendError, Transport};
use crate::{Address, Instance, Message, ReplyTo};
use async_trait::async_trait;
use hub::Hub;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{mpsc, watch};

/// Answers that may wait to be read by one connection.
const INBOUND_CAPACITY: usize = 65_536;

/// The broker: every link made by the same one reaches every other.
#[derive(Clone, Default)]
pub struct Memory {
    hub: Arc<Hub>,
}

impl Memory {
    /// A broker that nobody is connected to.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A new link, of a new process as far as anyone can tell.
    #[must_use]
    pub fn connect(&self) -> Arc<dyn Transport> {
        let instance = Instance::new();
        let (sender, inbound) = mpsc::channel(INBOUND_CAPACITY);
        let link = self.hub.attach(instance, sender);
        Arc::new(MemoryTransport {
            hub: self.hub.clone(),
            instance,
            link,
            inbound: Mutex::new(Some(inbound)),
        })
    }

    /// Cuts the link of `instance`, as a broker's restart would: its consumers, peer queues and reply queue are gone,
    /// and it is connected again at once, as a new generation.
    pub async fn cut(&self, instance: Instance) {
        if let Some(lost) = self.hub.cut(instance) {
            lost.tell().await;
            self.hub.reconnect(instance);
        }
    }

    /// Takes no messages for `reason` from now on, or takes them again.
    pub fn block(&self, reason: Option<&str>) {
        self.hub.block(reason);
    }
}

struct MemoryTransport {
    hub: Arc<Hub>,
    instance: Instance,
    link: watch::Receiver<Link>,
    inbound: Mutex<Option<mpsc::Receiver<Inbound>>>,
}

#[async_trait]
impl Transport for MemoryTransport {
    fn instance(&self) -> Instance {
        self.instance
    }

    fn link(&self) -> watch::Receiver<Link> {
        self.link.clone()
    }

    fn inbound(&self) -> Option<mpsc::Receiver<Inbound>> {
        self.inbound.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    async fn send(&self, to: &Address, message: Message) -> Result<(), SendError> {
        let id = message.correlation_id.clone();
        let routed = self.hub.publish(self.instance, to, message)?;
        if let (false, Some(id)) = (routed, id) {
            self.tell_self(Inbound::Returned(id)).await;
        }
        Ok(())
    }

    async fn reply(&self, to: &ReplyTo, message: Message) -> Result<(), SendError> {
        self.hub.ensure_open(self.instance)?;
        if let Some(caller) = self.hub.reader_of(to) {
            let _ = caller.send(Inbound::Answer(message)).await;
        }
        Ok(())
    }

    fn reply_to(&self) -> Option<ReplyTo> {
        self.hub.reply_to(self.instance)
    }

    async fn consume(&self, address: &Address, prefetch: u16) -> Result<Deliveries, ConsumeError> {
        self.hub.consume(self.instance, address, prefetch)
    }

    async fn close(&self) {
        if let Some(lost) = self.hub.detach(self.instance) {
            lost.tell().await;
        }
    }
}

impl MemoryTransport {
    async fn tell_self(&self, event: Inbound) {
        if let Some(inbound) = self.hub.inbound(self.instance) {
            let _ = inbound.send(event).await;
        }
    }
}

impl Drop for MemoryTransport {
    fn drop(&mut self) {
        self.hub.detach(self.instance);
    }
}
