//! The queues of the memory broker: who consumes what, what waits, what is unfinished.

use crate::{
    Address, Generation, Instance, Message, ReplyTo,
    message::DEFAULT_DEADLINE,
    transport::{ConsumeError, Deliveries, Delivery, Inbound, Link, Receipt, SendError},
};
use async_trait::async_trait;
use futures_util::stream;
use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};

/// Messages that may wait in one queue; beyond them the oldest is dropped.
const QUEUE_CAPACITY: usize = 65_536;

#[derive(Default)]
pub(super) struct Hub {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    links: HashMap<Instance, Attached>,
    shared: HashMap<Arc<str>, Queue>,
    peers: BTreeMap<u64, PeerQueue>,
    consumers: BTreeMap<u64, Consumer>,
    blocked: Option<String>,
    last_id: u64,
}

struct Attached {
    link: watch::Sender<Link>,
    generation: Generation,
    inbound: mpsc::Sender<Inbound>,
    /// Not while it is being cut.
    connected: bool,
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

#[derive(Clone)]
struct Stored {
    message: Message,
    expires: Instant,
    redelivered: bool,
}

#[derive(Clone, PartialEq, Eq)]
enum QueueKey {
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

impl Hub {
    pub(super) fn attach(&self, instance: Instance, inbound: mpsc::Sender<Inbound>) -> watch::Receiver<Link> {
        let mut state = self.lock();
        let link = watch::Sender::new(state.link_state(1));
        let watched = link.subscribe();
        state.links.insert(instance, Attached { link, generation: 1, inbound, connected: true });
        watched
    }

    /// Ends a link for good; returns where to say so, and of which generation.
    pub(super) fn detach(
        self: &Arc<Self>,
        instance: Instance,
    ) -> Option<(mpsc::Sender<Inbound>, Generation)> {
        let mut state = self.lock();
        let attached = state.links.remove(&instance)?;
        attached.link.send_replace(Link::Closed);
        self.drop_consumers(&mut state, instance);
        Some((attached.inbound, attached.generation))
    }

    /// Cuts a link, until it is reconnected; returns where to say so, and which generation was lost.
    pub(super) fn cut(self: &Arc<Self>, instance: Instance) -> Option<(mpsc::Sender<Inbound>, Generation)> {
        let mut state = self.lock();
        let attached = state.links.get_mut(&instance)?;
        attached.connected = false;
        attached.link.send_replace(Link::Down { reason: "cut".into() });
        let lost = (attached.inbound.clone(), attached.generation);
        self.drop_consumers(&mut state, instance);
        Some(lost)
    }

    /// Connects a link that was cut, as its next generation.
    pub(super) fn reconnect(&self, instance: Instance) {
        let mut state = self.lock();
        let blocked = state.blocked.clone();
        if let Some(attached) = state.links.get_mut(&instance).filter(|attached| !attached.connected) {
            attached.connected = true;
            attached.generation += 1;
            attached.link.send_replace(link_state(blocked, attached.generation));
        }
    }

    pub(super) fn block(&self, reason: Option<&str>) {
        let mut state = self.lock();
        state.blocked = reason.map(str::to_owned);
        for attached in state.links.values().filter(|attached| attached.connected) {
            attached.link.send_replace(link_state(reason.map(str::to_owned), attached.generation));
        }
    }

    pub(super) fn inbound(&self, instance: Instance) -> Option<mpsc::Sender<Inbound>> {
        self.lock().links.get(&instance).map(|attached| attached.inbound.clone())
    }

    /// The reply queue of a link that is connected.
    pub(super) fn reply_to(&self, instance: Instance) -> Option<ReplyTo> {
        let state = self.lock();
        let attached = state.links.get(&instance).filter(|attached| attached.connected)?;
        Some(reply_queue_of(instance, attached.generation))
    }

    /// Who reads this reply queue, while it exists.
    pub(super) fn reply_queue(&self, name: &ReplyTo) -> Option<mpsc::Sender<Inbound>> {
        let (instance, generation) = name.0.rsplit_once('.')?;
        let state = self.lock();
        let attached = state.links.get(&instance.parse().ok()?)?;
        let alive = attached.connected && attached.generation.to_string() == generation;
        alive.then(|| attached.inbound.clone())
    }

    pub(super) fn ensure_open(&self, instance: Instance) -> Result<(), SendError> {
        self.lock().open_link(instance).map(|_| ())
    }

    /// Puts a message into every queue of `to`; says whether there was one.
    pub(super) fn publish(
        self: &Arc<Self>,
        from: Instance,
        to: &Address,
        mut message: Message,
    ) -> Result<bool, SendError> {
        let mut state = self.lock();
        let generation = state.open_link(from)?;
        if message.expects_reply() {
            message.reply_to = Some(reply_queue_of(from, generation));
        }
        let now = Instant::now();
        let expires = now + message.deadline.unwrap_or(DEFAULT_DEADLINE);
        let queues = state.queues_of(to);
        for key in &queues {
            let stored = Stored { message: message.clone(), expires, redelivered: false };
            if let Some(queue) = state.queue(key) {
                queue.push(stored, now);
            }
            self.serve(&mut state, key);
        }
        Ok(!queues.is_empty())
    }

    pub(super) fn consume(
        self: &Arc<Self>,
        owner: Instance,
        address: &Address,
        prefetch: u16,
    ) -> Result<Deliveries, ConsumeError> {
        let prefetch = usize::from(prefetch.max(1));
        let (sender, receiver) = mpsc::channel(prefetch);
        let mut state = self.lock();
        state.connected(owner).ok_or(ConsumeError::NotConnected)?;
        let id = state.next_id();
        let queue = match address {
            Address::Shared { service } => {
                state.shared.entry(service.clone()).or_default();
                QueueKey::Shared(service.clone())
            }
            Address::Peer { service, name, .. } => {
                let peer =
                    PeerQueue { service: service.clone(), name: name.clone(), queue: Queue::default() };
                state.peers.insert(id, peer);
                QueueKey::Peer(id)
            }
            Address::Everyone { .. } => {
                return Err(ConsumeError::Invalid("a server has an address of its own".into()));
            }
        };
        let unfinished = BTreeMap::new();
        let consumer = Consumer { owner, queue: queue.clone(), sender, prefetch, unfinished, stopped: false };
        state.consumers.insert(id, consumer);
        if let Some(queue) = state.queue(&queue) {
            queue.consumers.push_back(id);
        }
        self.serve(&mut state, &queue);
        drop(state);
        let consuming = Consuming { receiver, hub: self.clone(), id };
        Ok(Box::pin(stream::unfold(consuming, |mut consuming| async move {
            let (_, delivery) = consuming.receiver.recv().await?;
            Some((delivery, consuming))
        })))
    }

    /// Hands out what waits in a queue, as far as its consumers have room.
    fn serve(self: &Arc<Self>, state: &mut State, key: &QueueKey) {
        let now = Instant::now();
        while let Some((consumer, stored)) = state.next_delivery(key, now) {
            let tag = state.next_id();
            let Some(consumer_state) = state.consumers.get_mut(&consumer) else { continue };
            consumer_state.unfinished.insert(tag, stored.clone());
            let delivery = Delivery {
                message: stored.message,
                redelivered: stored.redelivered,
                received: now,
                receipt: Box::new(MemoryReceipt { hub: self.clone(), consumer, tag }),
            };
            // There is room for it: no more than `prefetch` deliveries are unfinished.
            let _ = consumer_state.sender.try_send((tag, delivery));
        }
    }

    /// The consumers of a lost link are gone; the next in line gets what they had not finished.
    fn drop_consumers(self: &Arc<Self>, state: &mut State, owner: Instance) {
        for queue in state.drop_consumers_of(owner) {
            self.serve(state, &queue);
        }
    }

    /// A delivery is dealt with: its consumer has room for another.
    fn finish(self: &Arc<Self>, consumer: u64, tag: u64) {
        let mut state = self.lock();
        let Some(finished) = state.consumers.get_mut(&consumer) else { return };
        if finished.unfinished.remove(&tag).is_some() {
            let queue = finished.queue.clone();
            state.forget_if_done(consumer);
            self.serve(&mut state, &queue);
        }
    }

    /// A consumer stops; what it had not yet read goes back to the queue. All under one lock, or one more could be
    /// handed to it in between, and be read by nobody.
    fn stop(self: &Arc<Self>, consumer: u64, unread: &mut mpsc::Receiver<(u64, Delivery)>) {
        let mut state = self.lock();
        let Some(stopped) = state.consumers.get_mut(&consumer) else { return };
        stopped.stopped = true;
        let queue = stopped.queue.clone();
        let unread = std::iter::from_fn(|| unread.try_recv().ok());
        let back: Vec<_> = unread.filter_map(|(tag, _)| stopped.unfinished.remove(&tag)).collect();
        state.close_consumer(consumer, &queue);
        state.forget_if_done(consumer);
        state.put_back(&queue, back);
        self.serve(&mut state, &queue);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn link_state(&self, generation: Generation) -> Link {
        link_state(self.blocked.clone(), generation)
    }

    fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    fn connected(&self, instance: Instance) -> Option<&Attached> {
        self.links.get(&instance).filter(|attached| attached.connected)
    }

    /// The generation of a link that may send now.
    fn open_link(&self, instance: Instance) -> Result<Generation, SendError> {
        let attached = self.connected(instance).ok_or(SendError::NotConnected)?;
        match &self.blocked {
            Some(reason) => Err(SendError::Blocked(reason.clone())),
            None => Ok(attached.generation),
        }
    }

    /// The queues that a message to `address` goes to. A shared queue outlives its consumers; a peer's does not.
    fn queues_of(&self, address: &Address) -> Vec<QueueKey> {
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

    fn queue(&mut self, key: &QueueKey) -> Option<&mut Queue> {
        match key {
            QueueKey::Shared(service) => self.shared.get_mut(service),
            QueueKey::Peer(id) => self.peers.get_mut(id).map(|peer| &mut peer.queue),
        }
    }

    /// Takes the next message that is worth delivering, and the consumer whose turn it is.
    fn next_delivery(&mut self, key: &QueueKey, now: Instant) -> Option<(u64, Stored)> {
        self.queue(key)?.drop_expired(now);
        for _ in 0..self.queue(key)?.consumers.len() {
            let consumer = self.queue(key)?.next_consumer()?;
            if self.consumers.get(&consumer).is_some_and(|c| c.unfinished.len() < c.prefetch) {
                return Some((consumer, self.queue(key)?.waiting.pop_front()?));
            }
        }
        None
    }

    /// No more deliveries to a consumer. A peer's queue goes with its only one.
    fn close_consumer(&mut self, id: u64, key: &QueueKey) {
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

    fn drop_consumers_of(&mut self, owner: Instance) -> Vec<QueueKey> {
        let lost: Vec<_> =
            self.consumers.iter().filter(|(_, c)| c.owner == owner).map(|(id, _)| *id).collect();
        let mut queues = Vec::new();
        for id in lost {
            let Some(consumer) = self.consumers.remove(&id) else { continue };
            self.close_consumer(id, &consumer.queue);
            self.put_back(&consumer.queue, consumer.unfinished.into_values().collect());
            queues.push(consumer.queue);
        }
        queues
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

fn reply_queue_of(instance: Instance, generation: Generation) -> ReplyTo {
    ReplyTo(format!("{instance}.{generation}").into())
}

fn link_state(blocked: Option<String>, generation: Generation) -> Link {
    match blocked {
        Some(reason) => Link::Blocked { generation, reason },
        None => Link::Up { generation },
    }
}

/// The reading end of a consumer.
struct Consuming {
    receiver: mpsc::Receiver<(u64, Delivery)>,
    hub: Arc<Hub>,
    id: u64,
}

impl Drop for Consuming {
    fn drop(&mut self) {
        self.hub.stop(self.id, &mut self.receiver);
    }
}

struct MemoryReceipt {
    hub: Arc<Hub>,
    consumer: u64,
    tag: u64,
}

#[async_trait]
impl Receipt for MemoryReceipt {
    async fn ack(self: Box<Self>) {
        self.hub.finish(self.consumer, self.tag);
    }
}
