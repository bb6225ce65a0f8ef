//! Requests that reached nobody: the broker returns them, and the calls they belong to end at once.

use crate::{
    CorrelationId,
    transport::{Inbound, InboxSlot},
};
use lapin::{Channel, PublisherConfirm, message::BasicReturnMessage};
use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};
use tokio::{
    sync::Notify,
    time::{Instant, sleep},
};

/// A return comes within a round trip: the younger the last request, the more often returns are looked for. A busy
/// broker may take its time, so looking goes on, ever more seldom, until the request is this old.
const OLD: Duration = Duration::from_secs(15);
const OFTEN: Duration = Duration::from_millis(1);
const SELDOM: Duration = Duration::from_millis(500);
/// The pause between two looks, as a part of the request's age.
const PART: u32 = 20;

/// Waits for one publish to be confirmed. The return that comes with it may be another's: each names its own call.
pub(super) async fn await_confirm(confirm: PublisherConfirm, inbox: &InboxSlot) {
    if let Ok(Some(returned)) = confirm.await.map(lapin::Confirmation::take_message) {
        tell(&returned, inbox);
    }
}

/// When the last request was sent that can come back, and whether whoever looks for it rests.
///
/// A busy caller wakes nobody: while requests are young they are looked for anyway.
#[derive(Debug)]
pub(super) struct Requests {
    began: Instant,
    /// In microseconds since the beginning; nothing before the first.
    last: AtomicU64,
    resting: AtomicBool,
    woken: Notify,
}

impl Requests {
    pub(super) fn new() -> Self {
        Self { began: Instant::now(), last: 0.into(), resting: false.into(), woken: Notify::new() }
    }

    /// A request has been sent.
    pub(super) fn sent(&self) {
        let now = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX).max(1);
        self.last.store(now, Ordering::SeqCst);
        if self.resting.load(Ordering::SeqCst) {
            self.woken.notify_one();
        }
    }

    /// How long ago that was, while it is worth looking for what comes back.
    fn age(&self) -> Option<Duration> {
        let last = Some(self.last.load(Ordering::SeqCst)).filter(|last| *last > 0)?;
        let age = self.began.elapsed().saturating_sub(Duration::from_micros(last));
        (age < OLD).then_some(age)
    }

    /// Waits until it is time to look again.
    async fn pause(&self) {
        let pause = self.age().map(pause_at);
        if pause == Some(OFTEN) {
            return sleep(OFTEN).await;
        }
        self.resting.store(true, Ordering::SeqCst);
        // One that was sent just before has woken nobody.
        if self.age().map(pause_at) != Some(OFTEN) {
            tokio::select! {
                () = self.woken.notified() => {}
                () = sleep(pause.unwrap_or(OLD)) => {}
            }
        }
        self.resting.store(false, Ordering::SeqCst);
    }
}

fn pause_at(age: Duration) -> Duration {
    (age / PART).clamp(OFTEN, SELDOM)
}

/// Drains the returns of a channel without confirms, while there are young requests on it. Ends with the channel.
pub(super) async fn poll_returns(channel: Channel, requests: &Requests, inbox: &InboxSlot) {
    loop {
        requests.pause().await;
        if !channel.status().connected() {
            return;
        }
        let Ok(returned) = channel.wait_for_confirms().await else { return };
        for message in &returned {
            tell(message, inbox);
        }
    }
}

fn tell(returned: &BasicReturnMessage, inbox: &InboxSlot) {
    if let Some(id) = returned.delivery.properties.correlation_id() {
        inbox.put(Inbound::Returned(CorrelationId(id.as_str().to_owned())));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[tokio::test(start_paused = true)]
    async fn nobody_is_woken_while_requests_are_young_and_whoever_rests_is_woken_at_once() {
        let requests = Requests::new();
        tokio::time::advance(Duration::from_secs(1)).await;
        requests.sent();
        assert_eq!(requests.age().map(pause_at), Some(OFTEN));
        requests.pause().await;
        assert_eq!(requests.woken.notified().now_or_never(), None);

        tokio::time::advance(OLD).await;
        assert_eq!(requests.age(), None);
        let (resting, started) = (requests.pause(), Instant::now());
        tokio::join!(resting, async { requests.sent() });
        assert_eq!(started.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn looking_goes_on_ever_more_seldom_until_a_request_is_old() {
        let requests = Requests::new();
        tokio::time::advance(Duration::from_secs(1)).await;
        requests.sent();
        let (mut looks, sent) = (0, Instant::now());
        while sent.elapsed() < OLD {
            requests.pause().await;
            looks += 1;
        }
        assert!((40..400).contains(&looks), "{looks}");
    }
}
