//! The queues of the memory broker: who consumes what, what waits, what is unfinished.

use crate::{
    Address, Instance, Message,
    transport::{ConsumeError, Delivery},
};
use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
};
use tokio::{sync::mpsc, time::Instant};

/// Messages that may wait in one queue; beyond them the oldest is dropped.
const QUEUE_CAPACITY: usize = 65_536;

#[derive(Default)]
pub(super) struct Queues {
    shared: HashMap<Arc<str>, Queue>,
    peers: BTreeMap<u64, PeerQueue>,
    consumers: BTreeMap<u64, Consumer>,
    last_id: u64,
}

/// A queue with its waiting messages and its consumers, the next to be served first.
#[derive(Default)]
struct Queue {
    waiting: VecDeque<Stored>,
    consumers: VecDeque<u64>,
}

struct PeerQueue {
    service: Arc<str>,
    name: Arc<str>,
    queue: Queue,
}

/// A message in a queue, or given out and not yet finished.
#[derive(Clone)]
pub(super) struct Stored {
    pub(super) message: Message,
    pub(super) expires: Instant,
    pub(super) redelivered: bool,
}

#[derive(Clone, PartialEq, Eq)]
pub(super) enum QueueKey {
    Shared(Arc<str>),
    Peer(u64),
}

struct Consumer {
    owner: Instance,
    queue: QueueKey,
    sender: mpsc::Sender<(u64, Delivery)>,
    prefetch: usize,
    unfinished: BTreeMap<u64, Stored>,
    /// It gets no more deliveries; what is unfinished can still be finished.
    stopped: bool,
}

/// A message whose turn it is, and the consumer it goes to.
pub(super) struct Due {
    pub(super) consumer: u64,
    pub(super) tag: u64,
    pub(super) stored: Stored,
    pub(super) sender: mpsc::Sender<(u64, Delivery)>,
}

impl Queues {
    /// A consumer of `address`, with a queue to consume.
    pub(super) fn add_consumer(
        &mut self,
        owner: Instance,
        address: &Address,
        prefetch: usize,
        sender: mpsc::Sender<(u64, Delivery)>,
    ) -> Result<(u64, QueueKey), ConsumeError> {
        let id = self.next_id();
        let key = self.declare(address, id)?;
        let unfinished = BTreeMap::new();
        let consumer = Consumer { owner, queue: key.clone(), sender, prefetch, unfinished, stopped: false };
        self.consumers.insert(id, consumer);
        if let Some(queue) = self.queue(&key) {
            queue.consumers.push_back(id);
        }
        Ok((id, key))
    }

    fn declare(&mut self, address: &Address, id: u64) -> Result<QueueKey, ConsumeError> {
        match address {
            Address::Shared { service } => {
                self.shared.entry(service.clone()).or_default();
                Ok(QueueKey::Shared(service.clone()))
            }
            Address::Peer { service, name, .. } => {
                let queue = Queue::default();
                self.peers.insert(id, PeerQueue { service: service.clone(), name: name.clone(), queue });
                Ok(QueueKey::Peer(id))
            }
            Address::Everyone { .. } => {
                Err(ConsumeError::Invalid("a server has an address of its own".into()))
            }
        }
    }

    /// The queues that a message to `address` goes to. A shared queue outlives its consumers; a peer's does not.
    pub(super) fn queues_of(&self, address: &Address) -> Vec<QueueKey> {
        let peers = |wanted: &dyn Fn(&PeerQueue) -> bool| {
            self.peers.iter().filter(|(_, peer)| wanted(peer)).map(|(id, _)| QueueKey::Peer(*id)).collect()
        };
        match address {
            Address::Shared { service } if self.shared.contains_key(service) => {
                vec![QueueKey::Shared(service.clone())]
            }
            Address::Shared { .. } => Vec::new(),
            Address::Peer { service, name, .. } => {
                peers(&|peer| peer.service == *service && peer.name == *name)
            }
            Address::Everyone { service } => peers(&|peer| peer.service == *service),
        }
    }

    pub(super) fn push(&mut self, key: &QueueKey, stored: Stored, now: Instant) {
        if let Some(queue) = self.queue(key) {
            queue.push(stored, now);
        }
    }

    /// Takes the next message that is worth delivering, for the consumer whose turn it is.
    pub(super) fn next_due(&mut self, key: &QueueKey, now: Instant) -> Option<Due> {
        self.queue(key)?.drop_expired(now);
        for _ in 0..self.queue(key)?.consumers.len() {
            let id = self.queue(key)?.next_consumer()?;
            if self.consumers.get(&id).is_none_or(|consumer| consumer.unfinished.len() >= consumer.prefetch) {
                continue;
            }
            let stored = self.queue(key)?.waiting.pop_front()?;
            let tag = self.next_id();
            let consumer = self.consumers.get_mut(&id)?;
            consumer.unfinished.insert(tag, stored.clone());
            return Some(Due { consumer: id, tag, stored, sender: consumer.sender.clone() });
        }
        None
    }

    /// A delivery is dealt with; returns the queue whose consumer has room for another. None when the delivery had
    /// been taken back.
    pub(super) fn finish(&mut self, consumer: u64, tag: u64) -> Option<QueueKey> {
        let finished = self.consumers.get_mut(&consumer)?;
        finished.unfinished.remove(&tag)?;
        let queue = finished.queue.clone();
        self.forget_if_done(consumer);
        Some(queue)
    }

    /// A delivery goes back to its queue, if it is still there.
    pub(super) fn hand_back(&mut self, consumer: u64, tag: u64) -> Option<QueueKey> {
        let giver = self.consumers.get_mut(&consumer)?;
        let stored = giver.unfinished.remove(&tag)?;
        let queue = giver.queue.clone();
        self.forget_if_done(consumer);
        self.put_back(&queue, vec![stored]);
        Some(queue)
    }

    /// A consumer stops, and gives back what it had not yet read; what it has read it can still finish.
    pub(super) fn stop(&mut self, consumer: u64, unread: impl Iterator<Item = u64>) -> Option<QueueKey> {
        let stopped = self.consumers.get_mut(&consumer)?;
        stopped.stopped = true;
        let queue = stopped.queue.clone();
        let back = unread.filter_map(|tag| stopped.unfinished.remove(&tag)).collect();
        self.close(consumer, &queue);
        self.forget_if_done(consumer);
        self.put_back(&queue, back);
        Some(queue)
    }

    /// The consumers of a lost link are gone, and what they had not finished is back in its queues.
    pub(super) fn drop_consumers_of(&mut self, owner: Instance) -> Vec<QueueKey> {
        let of_owner = |(id, consumer): (&u64, &Consumer)| (consumer.owner == owner).then_some(*id);
        let lost: Vec<_> = self.consumers.iter().filter_map(of_owner).collect();
        lost.into_iter().filter_map(|id| self.drop_consumer(id)).collect()
    }

    /// A consumer is gone, and what it had not finished is back in its queue.
    pub(super) fn drop_consumer(&mut self, id: u64) -> Option<QueueKey> {
        let consumer = self.consumers.remove(&id)?;
        self.close(id, &consumer.queue);
        self.put_back(&consumer.queue, consumer.unfinished.into_values().collect());
        Some(consumer.queue)
    }

    /// No more deliveries to a consumer. A peer's queue goes with its only one.
    fn close(&mut self, id: u64, key: &QueueKey) {
        match key {
            QueueKey::Shared(service) => {
                if let Some(queue) = self.shared.get_mut(service) {
                    queue.consumers.retain(|consumer| *consumer != id);
                }
            }
            QueueKey::Peer(peer) => {
                self.peers.remove(peer);
            }
        }
    }

    fn forget_if_done(&mut self, id: u64) {
        if self.consumers.get(&id).is_some_and(|consumer| consumer.stopped && consumer.unfinished.is_empty())
        {
            self.consumers.remove(&id);
        }
    }

    fn put_back(&mut self, key: &QueueKey, unfinished: Vec<Stored>) {
        let Some(queue) = self.queue(key) else { return };
        for stored in unfinished.into_iter().rev() {
            queue.waiting.push_front(Stored { redelivered: true, ..stored });
        }
    }

    fn queue(&mut self, key: &QueueKey) -> Option<&mut Queue> {
        match key {
            QueueKey::Shared(service) => self.shared.get_mut(service),
            QueueKey::Peer(id) => self.peers.get_mut(id).map(|peer| &mut peer.queue),
        }
    }

    fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }
}

impl Queue {
    fn push(&mut self, stored: Stored, now: Instant) {
        self.drop_expired(now);
        if self.waiting.len() >= QUEUE_CAPACITY {
            self.waiting.pop_front();
        }
        self.waiting.push_back(stored);
    }

    /// As a broker does: what has expired is dropped when it comes to the head.
    fn drop_expired(&mut self, now: Instant) {
        while self.waiting.front().is_some_and(|stored| stored.expires <= now) {
            self.waiting.pop_front();
        }
    }

    fn next_consumer(&mut self) -> Option<u64> {
        let consumer = self.consumers.pop_front()?;
        self.consumers.push_back(consumer);
        Some(consumer)
    }
}
