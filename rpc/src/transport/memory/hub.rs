//! The memory broker itself: its links and its queues under one lock, and the way of a message through them.

use super::{
    faults::{Chance, Faults},
    links::{Links, Lost, reply_queue_of},
    queues::{QueueKey, Queues, Stored},
    wire::Wire,
};
use crate::{
    Address, Instance, Message, ReplyTo,
    message::DEFAULT_DEADLINE,
    transport::{ConsumeError, Deliveries, Delivery, Inbound, InboxSlot, Link, Receipt, SendError},
};
use async_trait::async_trait;
use futures_util::stream;
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};

pub(super) struct Hub {
    state: Mutex<State>,
    wire: Wire,
}

#[derive(Default)]
struct State {
    links: Links,
    queues: Queues,
}

impl Hub {
    pub(super) fn new(faults: Faults) -> Self {
        Self { state: Mutex::default(), wire: Wire::new(faults) }
    }

    pub(super) fn calm(&self) {
        self.wire.draw(Chance::calm);
    }

    pub(super) fn attach(&self, instance: Instance, inbox: Arc<InboxSlot>) -> watch::Receiver<Link> {
        self.lock().links.attach(instance, inbox)
    }

    /// Ends a link for good, and its consumers.
    pub(super) fn detach(self: &Arc<Self>, instance: Instance) {
        let mut state = self.lock();
        let Some(lost) = state.links.detach(instance) else { return };
        self.drop_consumers(&mut state, instance);
        drop(state);
        lost.tell();
    }

    /// Cuts a link, and its consumers. It is connected again after the outage.
    pub(super) fn cut(self: &Arc<Self>, instance: Instance, outage: Duration) {
        let Some(lost) = self.disconnect(instance) else { return };
        lost.tell();
        if outage.is_zero() {
            return self.reconnect(instance);
        }
        let hub = Arc::downgrade(self);
        self.wire.after(outage, async move {
            if let Some(hub) = hub.upgrade() {
                hub.reconnect(instance);
            }
        });
    }

    fn disconnect(self: &Arc<Self>, instance: Instance) -> Option<Lost> {
        let mut state = self.lock();
        let lost = state.links.cut(instance)?;
        self.drop_consumers(&mut state, instance);
        Some(lost)
    }

    fn reconnect(&self, instance: Instance) {
        self.lock().links.reconnect(instance);
    }

    pub(super) fn block(&self, reason: Option<&str>) {
        self.lock().links.block(reason);
    }

    pub(super) fn reply_to(&self, instance: Instance) -> Option<ReplyTo> {
        self.lock().links.reply_to(instance)
    }

    /// Takes a request or a notification from a process, and lets it go its way.
    pub(super) fn send(
        self: &Arc<Self>,
        from: Instance,
        to: &Address,
        mut message: Message,
    ) -> Result<(), SendError> {
        let generation = self.lock().links.open(from)?;
        if message.expects_reply() {
            message.reply_to = Some(reply_queue_of(from, generation));
        }
        if let Some(cut) = self.wire.draw(Chance::cut) {
            if cut.sent {
                self.arrive(from, to, message);
            }
            self.cut(from, cut.outage);
            return Err(SendError::Lost);
        }
        match self.wire.draw(Chance::way) {
            None => {}
            Some(Duration::ZERO) => self.arrive(from, to, message),
            Some(delay) => {
                let (hub, to) = (Arc::downgrade(self), to.clone());
                self.wire.after(delay, async move {
                    if let Some(hub) = hub.upgrade() {
                        hub.arrive(from, &to, message);
                    }
                });
            }
        }
        Ok(())
    }

    /// Takes an answer from a process, and lets it go its way.
    pub(super) fn reply(
        self: &Arc<Self>,
        from: Instance,
        to: &ReplyTo,
        message: Message,
    ) -> Result<(), SendError> {
        self.lock().links.open(from)?;
        if let Some(cut) = self.wire.draw(Chance::cut) {
            if cut.sent {
                self.arrive_back(to, message);
            }
            self.cut(from, cut.outage);
            return Err(SendError::Lost);
        }
        for delay in self.wire.draw(Chance::ways) {
            if delay.is_zero() {
                self.arrive_back(to, message.clone());
                continue;
            }
            let (hub, to, message) = (Arc::downgrade(self), to.clone(), message.clone());
            self.wire.after(delay, async move {
                if let Some(hub) = hub.upgrade() {
                    hub.arrive_back(&to, message);
                }
            });
        }
        Ok(())
    }

    /// A request or a notification has come to the broker. What reaches nobody goes back.
    fn arrive(self: &Arc<Self>, from: Instance, to: &Address, message: Message) {
        let id = message.correlation_id.clone();
        let routed = self.publish(to, message);
        let Some(id) = id.filter(|_| !routed) else { return };
        let inbox = self.lock().links.inbox(from);
        if let Some(inbox) = inbox {
            inbox.put(Inbound::Returned(id));
        }
    }

    /// An answer has come to the broker.
    fn arrive_back(&self, to: &ReplyTo, message: Message) {
        let reader = self.lock().links.reader_of(to);
        if let Some(reader) = reader {
            reader.put(Inbound::Answer(message));
        }
    }

    /// Puts a message into every queue of `to`; says whether there was one.
    fn publish(self: &Arc<Self>, to: &Address, message: Message) -> bool {
        let mut state = self.lock();
        let now = Instant::now();
        let expires = now + message.deadline.unwrap_or(DEFAULT_DEADLINE);
        let queues = state.queues.queues_of(to);
        for key in &queues {
            let stored = Stored { message: message.clone(), expires, redelivered: false };
            state.queues.push(key, stored, now);
            self.serve(&mut state, key);
        }
        !queues.is_empty()
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
        if !state.links.is_connected(owner) {
            return Err(ConsumeError::NotConnected);
        }
        let (id, queue) = state.queues.add_consumer(owner, address, prefetch, sender)?;
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
        while let Some(due) = state.queues.next_due(key, now) {
            let delivery = Delivery {
                message: due.stored.message,
                redelivered: due.stored.redelivered,
                received: now,
                receipt: Box::new(MemoryReceipt { hub: self.clone(), consumer: due.consumer, tag: due.tag }),
            };
            // There is room for it: no more than `prefetch` deliveries are unfinished.
            let _ = due.sender.try_send((due.tag, delivery));
            if let Some(soon) = self.wire.draw(Chance::cancelled) {
                self.cancel_after(soon, due.consumer);
            }
        }
    }

    fn cancel_after(self: &Arc<Self>, soon: Duration, consumer: u64) {
        let hub = Arc::downgrade(self);
        self.wire.after(soon, async move {
            let Some(hub) = hub.upgrade() else { return };
            let mut state = hub.lock();
            if let Some(queue) = state.queues.drop_consumer(consumer) {
                hub.serve(&mut state, &queue);
            }
        });
    }

    /// The consumers of a lost link are gone; the next in line gets what they had not finished.
    fn drop_consumers(self: &Arc<Self>, state: &mut State, owner: Instance) {
        for queue in state.queues.drop_consumers_of(owner) {
            self.serve(state, &queue);
        }
    }

    /// A delivery is dealt with: its consumer has room for another. Not when it had been taken back.
    fn finish(self: &Arc<Self>, consumer: u64, tag: u64) -> bool {
        let mut state = self.lock();
        let Some(queue) = state.queues.finish(consumer, tag) else { return false };
        self.serve(&mut state, &queue);
        true
    }

    /// A delivery is not dealt with: it is the next of its queue again.
    fn hand_back(self: &Arc<Self>, consumer: u64, tag: u64) {
        let mut state = self.lock();
        if let Some(queue) = state.queues.hand_back(consumer, tag) {
            self.serve(&mut state, &queue);
        }
    }

    /// A consumer stops; what it had not yet read goes back to the queue. All under one lock, or one more could be
    /// handed to it in between, and be read by nobody.
    fn stop(self: &Arc<Self>, consumer: u64, unread: &mut mpsc::Receiver<(u64, Delivery)>) {
        let mut state = self.lock();
        let unread = std::iter::from_fn(|| unread.try_recv().ok()).map(|(tag, _)| tag);
        if let Some(queue) = state.queues.stop(consumer, unread) {
            self.serve(&mut state, &queue);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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
    fn settle(self: Box<Self>) {
        self.hub.finish(self.consumer, self.tag);
    }

    async fn ack(self: Box<Self>) -> bool {
        self.hub.finish(self.consumer, self.tag)
    }

    async fn hand_back(self: Box<Self>) {
        self.hub.hand_back(self.consumer, self.tag);
    }
}
