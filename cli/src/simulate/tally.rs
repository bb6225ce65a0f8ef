//! Counts what simulated agents do, where it leaves for the broker and where their proxies are asked.

use async_trait::async_trait;
use bellwether_proto::controller::OnlineAgent;
use bellwether_rpc::{
    Address, Instance, Link, Message, Method, ReplyTo, Transport,
    transport::{ConsumeError, Deliveries, Inbox, SendError},
};
use futures_util::StreamExt;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use tokio::sync::watch;

/// What all simulated agents have done so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    reachable: AtomicU64,
    beats: AtomicU64,
    applied: AtomicU64,
    rejected: AtomicU64,
    stalled: AtomicU64,
    failed: AtomicU64,
}

/// A tally at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Figures {
    /// Agents whose queue is there and consumed.
    pub(crate) reachable: u64,
    pub(crate) beats: u64,
    pub(crate) applied: u64,
    pub(crate) rejected: u64,
    pub(crate) stalled: u64,
    pub(crate) failed: u64,
}

/// What a proxy did with a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    Applied,
    Rejected,
    Stalled,
    Failed,
}

impl Tally {
    pub(crate) fn figures(&self) -> Figures {
        let Counts { reachable, beats, applied, rejected, stalled, failed } = &*self.0;
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Figures {
            reachable: read(reachable),
            beats: read(beats),
            applied: read(applied),
            rejected: read(rejected),
            stalled: read(stalled),
            failed: read(failed),
        }
    }

    pub(crate) fn count(&self, deed: Deed) {
        let Counts { applied, rejected, stalled, failed, .. } = &*self.0;
        let count = match deed {
            Deed::Applied => applied,
            Deed::Rejected => rejected,
            Deed::Stalled => stalled,
            Deed::Failed => failed,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    /// A transport that counts what goes over `inner`.
    pub(crate) fn of(&self, inner: Arc<dyn Transport>) -> Arc<dyn Transport> {
        Arc::new(Counted { inner, tally: self.clone() })
    }
}

struct Counted {
    inner: Arc<dyn Transport>,
    tally: Tally,
}

/// One more agent can be reached, for as long as this lives.
struct Reachable(Tally);

impl Reachable {
    fn new(tally: &Tally) -> Self {
        tally.0.reachable.fetch_add(1, Ordering::Relaxed);
        Self(tally.clone())
    }
}

impl Drop for Reachable {
    fn drop(&mut self) {
        self.0.0.reachable.fetch_sub(1, Ordering::Relaxed);
    }
}

#[async_trait]
impl Transport for Counted {
    fn instance(&self) -> Instance {
        self.inner.instance()
    }

    fn link(&self) -> watch::Receiver<Link> {
        self.inner.link()
    }

    fn deliver_to(&self, inbox: Inbox) -> bool {
        self.inner.deliver_to(inbox)
    }

    async fn send(&self, to: &Address, message: Message) -> Result<(), SendError> {
        let is_beat = message.kind == OnlineAgent::NAME;
        self.inner.send(to, message).await?;
        if is_beat {
            self.tally.0.beats.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    async fn reply(&self, to: &ReplyTo, message: Message) -> Result<(), SendError> {
        self.inner.reply(to, message).await
    }

    fn reply_to(&self) -> Option<ReplyTo> {
        self.inner.reply_to()
    }

    async fn consume(&self, address: &Address, prefetch: u16) -> Result<Deliveries, ConsumeError> {
        let deliveries = self.inner.consume(address, prefetch).await?;
        let reachable = Reachable::new(&self.tally);
        Ok(deliveries.inspect(move |_| _ = &reachable).boxed())
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}
