//! The transport of one process on the memory broker.

use super::hub::Hub;
use crate::{
    Address, Instance, Message, ReplyTo,
    transport::{ConsumeError, Deliveries, Inbound, Link, SendError, Transport},
};
use async_trait::async_trait;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{mpsc, watch};

/// Answers that may wait to be read by one connection.
const INBOUND_CAPACITY: usize = 65_536;

pub(super) struct MemoryTransport {
    hub: Arc<Hub>,
    instance: Instance,
    link: watch::Receiver<Link>,
    inbound: Mutex<Option<mpsc::Receiver<Inbound>>>,
}

impl MemoryTransport {
    pub(super) fn connect(hub: Arc<Hub>) -> Self {
        let instance = Instance::new();
        let (sender, inbound) = mpsc::channel(INBOUND_CAPACITY);
        let link = hub.attach(instance, sender);
        Self { hub, instance, link, inbound: Mutex::new(Some(inbound)) }
    }
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
        self.hub.send(self.instance, to, message).await
    }

    async fn reply(&self, to: &ReplyTo, message: Message) -> Result<(), SendError> {
        self.hub.reply(self.instance, to, message).await
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

impl Drop for MemoryTransport {
    fn drop(&mut self) {
        self.hub.detach(self.instance);
    }
}
