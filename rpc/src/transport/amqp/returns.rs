//! Requests that reached nobody: the broker returns them, and the calls they belong to end at once.

use crate::{CorrelationId, transport::Inbound};
use lapin::{Channel, PublisherConfirm, message::BasicReturnMessage};
use std::time::Duration;
use tokio::{
    sync::{Notify, mpsc},
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
pub(super) async fn await_confirm(confirm: PublisherConfirm, inbound: mpsc::Sender<Inbound>) {
    if let Ok(Some(returned)) = confirm.await.map(lapin::Confirmation::take_message) {
        tell(&returned, &inbound).await;
    }
}

/// Drains the returns of a channel without confirms, while there are young requests on it. Ends with the channel.
pub(super) async fn poll_returns(channel: Channel, requested: &Notify, inbound: mpsc::Sender<Inbound>) {
    loop {
        requested.notified().await;
        let mut last_request = Instant::now();
        while last_request.elapsed() < OLD {
            let pause = (last_request.elapsed() / PART).clamp(OFTEN, SELDOM);
            tokio::select! {
                () = sleep(pause) => {}
                () = requested.notified() => last_request = Instant::now(),
            }
            if !channel.status().connected() {
                return;
            }
            let Ok(returned) = channel.wait_for_confirms().await else { return };
            for message in &returned {
                tell(message, &inbound).await;
            }
        }
    }
}

async fn tell(returned: &BasicReturnMessage, inbound: &mpsc::Sender<Inbound>) {
    if let Some(id) = returned.delivery.properties.correlation_id() {
        let _ = inbound.send(Inbound::Returned(CorrelationId(id.as_str().to_owned()))).await;
    }
}
