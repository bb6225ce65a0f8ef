//! A transport as the simulation sees it: whatever passes it is noted, and a bug may be put in.

use super::{
    links::Links,
    service::call_of,
    trace::{Step, Trace},
};
use async_trait::async_trait;
use bellwether_rpc::{
    Address, CorrelationId, Instance, Link, Message, ReplyTo, Transport,
    transport::{ConsumeError, Deliveries, Inbound, Inbox, SendError},
};
use futures_util::{StreamExt, stream};
use std::{
    collections::HashMap,
    mem::replace,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::watch;

/// A bug that is put in on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bug {
    /// An answer that has come is neither taken nor counted.
    AnswerSwallowed,
    /// A server answers with the correlation id of another call.
    CrossedReplies,
    /// Requests travel without their deadline.
    DeadlineForgotten,
    /// Requests travel without the instance that is meant.
    InstanceForgotten,
    /// Nobody is told that a reply queue is gone.
    LossSwallowed,
    /// A notification asks for an answer.
    NotificationAsks,
    /// A notification is sent twice.
    NotificationRepeated,
    /// What waits for a server reaches it in another order.
    QueueReversed,
    /// An answer is taken for one of the peer that answered before.
    SendersMixedUp,
    /// A request that was sent is said to be refused.
    SentButRefused,
    /// A call that is dropped keeps its waiter.
    WaiterLeaked,
}

pub(crate) struct Tap {
    inner: Arc<dyn Transport>,
    process: u32,
    trace: Trace,
    bug: Option<Bug>,
    links: Links,
    asked: Asked,
    last_answered: Mutex<Option<(ReplyTo, CorrelationId)>>,
}

/// The calls that have asked for an answer, by the ids that they went with.
type Asked = Arc<Mutex<HashMap<CorrelationId, u32>>>;

impl Tap {
    pub(crate) fn new(inner: Arc<dyn Transport>, process: u32, trace: Trace, bug: Option<Bug>) -> Self {
        let links = Links::follow(inner.link());
        Self { inner, process, trace, bug, links, asked: Asked::default(), last_answered: Mutex::default() }
    }

    /// The correlation id of the answer before this one to the same caller, or its own.
    fn crossed(&self, to: &ReplyTo, id: CorrelationId) -> CorrelationId {
        match lock(&self.last_answered).replace((to.clone(), id.clone())) {
            Some((caller, other)) if caller == *to => other,
            _ => id,
        }
    }

    /// Puts a bug into a request, if it is one for requests.
    fn spoil(&self, message: &mut Message) {
        match self.bug {
            Some(Bug::DeadlineForgotten) => message.deadline = None,
            Some(Bug::InstanceForgotten) => message.target = None,
            Some(Bug::NotificationAsks) if !message.expects_reply() => {
                message.correlation_id = Some(CorrelationId(message.message_id.clone()));
            }
            _ => {}
        }
    }
}

#[async_trait]
impl Transport for Tap {
    fn instance(&self) -> Instance {
        self.inner.instance()
    }

    fn link(&self) -> watch::Receiver<Link> {
        self.links.watch()
    }

    fn deliver_to(&self, inbox: Inbox) -> bool {
        let (process, trace, bug) = (self.process, self.trace.clone(), self.bug);
        let back = Back { process, trace, bug, asked: self.asked.clone(), last_sender: Mutex::default() };
        self.inner.deliver_to(Arc::new(move |event| {
            if let Some(event) = back.pass(event) {
                inbox(event);
            }
        }))
    }

    async fn send(&self, to: &Address, mut message: Message) -> Result<(), SendError> {
        let generation = self.inner.link().borrow().generation().unwrap_or_default();
        let call = call_of(&message);
        self.spoil(&mut message);
        if let (Some(id), Some(call)) = (&message.correlation_id, call) {
            lock(&self.asked).insert(id.clone(), call);
        }
        if self.bug == Some(Bug::NotificationRepeated) && !message.expects_reply() {
            self.inner.send(to, message.clone()).await?;
        }
        self.inner.send(to, message).await?;
        let Some(call) = call else {
            self.trace.note(Step::Probed { process: self.process });
            return Ok(());
        };
        self.trace.note(Step::Sent { call, process: self.process, generation });
        if self.bug == Some(Bug::SentButRefused) && call % 4 == 0 {
            return Err(SendError::Blocked("a bug on purpose".into()));
        }
        Ok(())
    }

    async fn reply(&self, to: &ReplyTo, mut message: Message) -> Result<(), SendError> {
        if self.bug == Some(Bug::CrossedReplies) {
            message.correlation_id = message.correlation_id.map(|id| self.crossed(to, id));
        }
        self.inner.reply(to, message).await
    }

    fn reply_to(&self) -> Option<ReplyTo> {
        self.inner.reply_to()
    }

    async fn consume(&self, address: &Address, prefetch: u16) -> Result<Deliveries, ConsumeError> {
        let (process, trace) = (self.process, self.trace.clone());
        let deliveries = self.inner.consume(address, prefetch).await?.inspect(move |delivery| {
            if let Some(call) = call_of(&delivery.message) {
                trace.note(Step::Delivered { call, process });
            }
        });
        if self.bug == Some(Bug::QueueReversed) {
            let waiting = deliveries.ready_chunks(8).map(|chunk| stream::iter(chunk.into_iter().rev()));
            return Ok(waiting.flatten().boxed());
        }
        Ok(deliveries.boxed())
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}

/// The way back to a caller.
struct Back {
    process: u32,
    trace: Trace,
    bug: Option<Bug>,
    asked: Asked,
    last_sender: Mutex<Option<Instance>>,
}

impl Back {
    /// What of it comes through.
    fn pass(&self, mut event: Inbound) -> Option<Inbound> {
        self.note(&event);
        if self.swallows(&event) {
            return None;
        }
        if let (Some(Bug::SendersMixedUp), Inbound::Answer(answer)) = (self.bug, &mut event) {
            answer.sender = replace(&mut *lock(&self.last_sender), answer.sender).or(answer.sender);
        }
        Some(event)
    }

    fn note(&self, event: &Inbound) {
        match event {
            Inbound::Answer(Message { correlation_id: Some(id), .. }) => {
                if let Some(call) = lock(&self.asked).get(id) {
                    self.trace.note(Step::Arrived { call: *call });
                }
            }
            Inbound::Lost { generation } => {
                self.trace.note(Step::Lost { process: self.process, generation: *generation });
            }
            Inbound::Answer(_) | Inbound::Returned(_) => {}
        }
    }

    fn swallows(&self, event: &Inbound) -> bool {
        match event {
            Inbound::Answer(_) => self.bug == Some(Bug::AnswerSwallowed),
            Inbound::Lost { .. } => self.bug == Some(Bug::LossSwallowed),
            Inbound::Returned(_) => false,
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
