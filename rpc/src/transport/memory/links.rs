//! The links of the memory broker: who is connected, as which generation, and who reads which reply queue.

use crate::{
    Generation, Instance, ReplyTo,
    transport::{Inbound, InboxSlot, Link, SendError},
};
use std::{collections::BTreeMap, sync::Arc};
use tokio::sync::watch;

/// Every link, oldest process first.
#[derive(Default)]
pub(super) struct Links {
    attached: BTreeMap<Instance, Attached>,
    blocked: Option<String>,
}

struct Attached {
    link: watch::Sender<Link>,
    generation: Generation,
    inbox: Arc<InboxSlot>,
    /// Not while it is being cut.
    connected: bool,
}

/// A reply queue that is gone, and where to say so.
pub(super) struct Lost {
    generation: Generation,
    inbox: Arc<InboxSlot>,
}

impl Lost {
    pub(super) fn tell(self) {
        self.inbox.put(Inbound::Lost { generation: self.generation });
    }
}

impl Links {
    pub(super) fn attach(&mut self, instance: Instance, inbox: Arc<InboxSlot>) -> watch::Receiver<Link> {
        let (link, watched) = watch::channel(self.link_state(1));
        self.attached.insert(instance, Attached { link, generation: 1, inbox, connected: true });
        watched
    }

    /// Ends a link for good.
    pub(super) fn detach(&mut self, instance: Instance) -> Option<Lost> {
        let attached = self.attached.remove(&instance)?;
        attached.link.send_replace(Link::Closed);
        Some(Lost { generation: attached.generation, inbox: attached.inbox })
    }

    /// Cuts a link, until it is reconnected.
    pub(super) fn cut(&mut self, instance: Instance) -> Option<Lost> {
        let attached = self.attached.get_mut(&instance).filter(|attached| attached.connected)?;
        attached.connected = false;
        attached.link.send_replace(Link::Down { reason: "cut".into() });
        Some(Lost { generation: attached.generation, inbox: attached.inbox.clone() })
    }

    /// Connects a link that was cut, as its next generation.
    pub(super) fn reconnect(&mut self, instance: Instance) {
        let blocked = self.blocked.clone();
        if let Some(attached) = self.attached.get_mut(&instance).filter(|attached| !attached.connected) {
            attached.connected = true;
            attached.generation += 1;
            attached.link.send_replace(link_state(blocked, attached.generation));
        }
    }

    pub(super) fn block(&mut self, reason: Option<&str>) {
        self.blocked = reason.map(str::to_owned);
        for attached in self.attached.values().filter(|attached| attached.connected) {
            attached.link.send_replace(self.link_state(attached.generation));
        }
    }

    pub(super) fn is_connected(&self, instance: Instance) -> bool {
        self.connected(instance).is_some()
    }

    /// The generation of a link that may send now.
    pub(super) fn open(&self, instance: Instance) -> Result<Generation, SendError> {
        let attached = self.connected(instance).ok_or(SendError::NotConnected)?;
        match &self.blocked {
            Some(reason) => Err(SendError::Blocked(reason.clone())),
            None => Ok(attached.generation),
        }
    }

    pub(super) fn inbox(&self, instance: Instance) -> Option<Arc<InboxSlot>> {
        self.attached.get(&instance).map(|attached| attached.inbox.clone())
    }

    /// The reply queue of a link that is connected.
    pub(super) fn reply_to(&self, instance: Instance) -> Option<ReplyTo> {
        Some(reply_queue_of(instance, self.connected(instance)?.generation))
    }

    /// Who reads this reply queue, while it exists.
    pub(super) fn reader_of(&self, queue: &ReplyTo) -> Option<Arc<InboxSlot>> {
        let (instance, generation) = queue.0.rsplit_once('.')?;
        let attached = self.connected(instance.parse().ok()?)?;
        (attached.generation.to_string() == generation).then(|| attached.inbox.clone())
    }

    fn connected(&self, instance: Instance) -> Option<&Attached> {
        self.attached.get(&instance).filter(|attached| attached.connected)
    }

    fn link_state(&self, generation: Generation) -> Link {
        link_state(self.blocked.clone(), generation)
    }
}

pub(super) fn reply_queue_of(instance: Instance, generation: Generation) -> ReplyTo {
    ReplyTo(format!("{instance}.{generation}").into())
}

fn link_state(blocked: Option<String>, generation: Generation) -> Link {
    match blocked {
        Some(reason) => Link::Blocked { generation, reason },
        None => Link::Up { generation },
    }
}
