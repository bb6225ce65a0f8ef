//! Tells the broker what became of deliveries: of many at once, where nothing hangs on it.
//!
//! The broker numbers the deliveries of a channel, and takes one frame for all up to a number. So what is merely dealt
//! with is gathered while the last frame is on its way, and all of it that no unfinished delivery precedes goes in one.

use crate::transport::Receipt;
use async_trait::async_trait;
use lapin::{
    Acker, Channel,
    message::Delivery,
    options::{BasicAckOptions, BasicNackOptions},
    types::DeliveryTag,
};
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;

/// The receipts of one channel.
pub(super) struct Receipts {
    /// Stays open until every delivery is dealt with, also when its consumer has stopped.
    channel: Channel,
    window: Mutex<Window>,
    /// What is still to be told. A connection that ends on purpose waits for it.
    telling: TaskTracker,
}

impl Receipts {
    pub(super) fn new(channel: Channel, telling: TaskTracker) -> Arc<Self> {
        Arc::new(Self { channel, window: Mutex::default(), telling })
    }

    /// The receipt of a delivery that arrived.
    pub(super) fn of(self: &Arc<Self>, delivery: &Delivery) -> Box<dyn Receipt> {
        self.window().arrived(delivery.delivery_tag);
        let (tag, acker) = (delivery.delivery_tag, delivery.acker.clone());
        Box::new(AmqpReceipt { receipts: self.clone(), tag, acker })
    }

    /// Tells the broker what is settled, until nothing is.
    async fn tell(self: Arc<Self>) {
        while let Some(settled) = self.next_settled() {
            if let Err(error) = self.acknowledge(settled).await {
                tracing::debug!(%error, "deliveries could not be acknowledged");
            }
        }
    }

    fn next_settled(&self) -> Option<Settled> {
        self.window().next()
    }

    async fn acknowledge(&self, settled: Settled) -> lapin::Result<()> {
        if let Some(last) = settled.all_up_to {
            self.channel.basic_ack(last, BasicAckOptions { multiple: true }).await?;
        }
        for tag in settled.singly {
            self.channel.basic_ack(tag, BasicAckOptions::default()).await?;
        }
        Ok(())
    }

    fn window(&self) -> MutexGuard<'_, Window> {
        self.window.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The deliveries of a channel that the broker counts as unfinished.
#[derive(Default)]
struct Window {
    unfinished: BTreeSet<DeliveryTag>,
    settled: Vec<DeliveryTag>,
    /// Whether somebody tells the broker already: two at a time could name a delivery that the other's frame covered,
    /// which costs the channel.
    telling: bool,
}

/// What the broker can be told now.
#[derive(Debug, PartialEq, Eq)]
struct Settled {
    all_up_to: Option<DeliveryTag>,
    singly: Vec<DeliveryTag>,
}

impl Window {
    fn arrived(&mut self, tag: DeliveryTag) {
        self.unfinished.insert(tag);
    }

    /// The broker knows of it by itself.
    fn told(&mut self, tag: DeliveryTag) {
        self.unfinished.remove(&tag);
    }

    /// It is dealt with. Returns whether somebody has to begin to tell.
    fn settle(&mut self, tag: DeliveryTag) -> bool {
        self.settled.push(tag);
        !std::mem::replace(&mut self.telling, true)
    }

    /// What has been settled since this was last asked; none ends the telling.
    fn next(&mut self) -> Option<Settled> {
        let settled = std::mem::take(&mut self.settled);
        for tag in &settled {
            self.unfinished.remove(tag);
        }
        self.telling = !settled.is_empty();
        let first_unfinished = self.unfinished.first().copied().unwrap_or(DeliveryTag::MAX);
        let (before, singly): (Vec<_>, _) = settled.into_iter().partition(|tag| *tag < first_unfinished);
        self.telling.then(|| Settled { all_up_to: before.into_iter().max(), singly })
    }
}

struct AmqpReceipt {
    receipts: Arc<Receipts>,
    tag: DeliveryTag,
    acker: Acker,
}

#[async_trait]
impl Receipt for AmqpReceipt {
    fn settle(self: Box<Self>) {
        // Without a runtime nobody can tell: it stays unfinished, as if it had been dropped.
        let Ok(runtime) = Handle::try_current() else { return };
        if self.receipts.window().settle(self.tag) {
            let receipts = self.receipts;
            runtime.spawn(receipts.telling.track_future(receipts.clone().tell()));
        }
    }

    async fn ack(self: Box<Self>) -> bool {
        let acknowledged = self.acker.ack(BasicAckOptions::default()).await;
        // Only now: while it counts as unfinished, no frame covers it.
        self.receipts.window().told(self.tag);
        acknowledged.unwrap_or_else(|error| {
            tracing::debug!(%error, "a delivery could not be acknowledged");
            false
        })
    }

    async fn hand_back(self: Box<Self>) {
        if let Err(error) = self.acker.nack(requeue()).await {
            tracing::debug!(%error, "a delivery could not be handed back");
        }
        self.receipts.window().told(self.tag);
    }
}

/// The delivery goes back to its queue.
pub(super) fn requeue() -> BasicNackOptions {
    BasicNackOptions { requeue: true, ..BasicNackOptions::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(arrived: std::ops::RangeInclusive<DeliveryTag>) -> Window {
        let mut window = Window::default();
        arrived.for_each(|tag| window.arrived(tag));
        window
    }

    fn told(all_up_to: Option<DeliveryTag>, singly: &[DeliveryTag]) -> Option<Settled> {
        Some(Settled { all_up_to, singly: singly.to_vec() })
    }

    #[test]
    fn what_nothing_unfinished_precedes_is_told_at_once() {
        let mut window = window(1..=9);
        for tag in [2, 1, 3, 7, 5] {
            window.settle(tag);
        }
        assert_eq!(window.next(), told(Some(3), &[7, 5]));
        for tag in [4, 6] {
            window.settle(tag);
        }
        // 7 and 5 are known to the broker: it would take no frame that names them.
        assert_eq!(window.next(), told(Some(6), &[]));
        assert_eq!(window.next(), None);
    }

    #[test]
    fn what_is_dropped_stays_unfinished_for_ever() {
        let mut window = window(1..=3);
        window.settle(2);
        assert_eq!(window.next(), told(None, &[2]));
        window.settle(3);
        assert_eq!(window.next(), told(None, &[3]));
    }

    #[test]
    fn what_was_told_by_itself_holds_nothing_back() {
        let mut window = window(1..=3);
        window.told(1);
        window.settle(2);
        window.told(3);
        assert_eq!(window.next(), told(Some(2), &[]));
    }

    #[test]
    fn one_tells_at_a_time() {
        let mut window = window(1..=3);
        assert!(window.settle(1));
        assert!(!window.settle(2));
        assert_eq!(window.next(), told(Some(2), &[]));
        assert!(!window.settle(3));
        assert_eq!(window.next(), told(Some(3), &[]));
        assert_eq!(window.next(), None);
        window.arrived(4);
        assert!(window.settle(4));
    }
}
