//! A transport as the simulation sees it: every request sent and every lost link is noted, and a bug may be put in.

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
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

/// A bug that is put in on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bug {
    /// A server answers with the correlation id of another call.
    CrossedReplies,
    /// Requests travel without their deadline.
    DeadlineForgotten,
    /// Nobody is told that a reply queue is gone.
    LossSwallowed,
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
    last: Mutex<Option<(ReplyTo, CorrelationId)>>,
}

impl Tap {
    pub(crate) fn new(inner: Arc<dyn Transport>, process: u32, trace: Trace, bug: Option<Bug>) -> Self {
        let links = Links::follow(inner.link());
        Self { inner, process, trace, bug, links, last: Mutex::default() }
    }

    /// The correlation id of the answer before this one to the same caller, or its own.
    fn crossed(&self, to: &ReplyTo, id: CorrelationId) -> CorrelationId {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match last.replace((to.clone(), id.clone())) {
            Some((caller, other)) if caller == *to => other,
            _ => id,
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
        self.inner.deliver_to(Arc::new(move |event| {
            if let Inbound::Lost { generation } = event {
                trace.note(Step::Lost { process, generation });
                if bug == Some(Bug::LossSwallowed) {
                    return;
                }
            }
            inbox(event);
        }))
    }

    async fn send(&self, to: &Address, mut message: Message) -> Result<(), SendError> {
        let generation = self.inner.link().borrow().generation().unwrap_or_default();
        let call = call_of(&message);
        if self.bug == Some(Bug::DeadlineForgotten) {
            message.deadline = None;
        }
        self.inner.send(to, message).await?;
        if let Some(call) = call {
            self.trace.note(Step::Sent { call, process: self.process, generation });
            if self.bug == Some(Bug::SentButRefused) && call % 4 == 0 {
                return Err(SendError::Blocked("a bug on purpose".into()));
            }
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
        self.inner.consume(address, prefetch).await
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}
