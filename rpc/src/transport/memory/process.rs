//! The transport of one process on the memory broker.

use super::hub::Hub;
use crate::{
    Address, Instance, Message, ReplyTo,
    transport::{ConsumeError, Deliveries, Inbox, InboxSlot, Link, SendError, Transport},
};
use async_trait::async_trait;
use std::sync::Arc;
use tokio::sync::watch;

pub(super) struct MemoryTransport {
    hub: Arc<Hub>,
    instance: Instance,
    link: watch::Receiver<Link>,
    inbox: Arc<InboxSlot>,
}

impl MemoryTransport {
    pub(super) fn connect(hub: Arc<Hub>) -> Self {
        let instance = Instance::new();
        let inbox = Arc::new(InboxSlot::default());
        let link = hub.attach(instance, inbox.clone());
        Self { hub, instance, link, inbox }
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

    fn deliver_to(&self, inbox: Inbox) -> bool {
        self.inbox.fill(inbox)
    }

    async fn send(&self, to: &Address, message: Message) -> Result<(), SendError> {
        self.hub.send(self.instance, to, message)
    }

    async fn reply(&self, to: &ReplyTo, message: Message) -> Result<(), SendError> {
        self.hub.reply(self.instance, to, message)
    }

    fn reply_to(&self) -> Option<ReplyTo> {
        self.hub.reply_to(self.instance)
    }

    async fn consume(&self, address: &Address, prefetch: u16) -> Result<Deliveries, ConsumeError> {
        self.hub.consume(self.instance, address, prefetch)
    }

    async fn close(&self) {
        self.hub.detach(self.instance);
    }
}

impl Drop for MemoryTransport {
    fn drop(&mut self) {
        self.hub.detach(self.instance);
    }
}
