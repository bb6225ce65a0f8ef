//! Serves an address: takes deliveries, judges them, runs their handlers, drains on shutdown.

use crate::{
    Address, Context, Deadline, Fault, FaultKind, Generation, Instance, Message, PROTOCOL, Router,
    TraceParent, Transport,
    complaints::{Complaints, printable},
    message::DEFAULT_DEADLINE,
    router::{Answer, Duty, Handling},
    stall::{StallWatch, TICK},
    trace,
    transport::{ConsumeError, Deliveries, Delivery},
};
use futures_util::StreamExt;
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{Semaphore, watch},
    time::{Instant, MissedTickBehavior, interval, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::Instrument;

/// A deadline off the wire counts as no more than this.
const LONGEST_DEADLINE: Duration = Duration::from_secs(24 * 60 * 60);

/// How long to wait, at least, before an address that the broker refuses is tried again.
const RETRY: Duration = Duration::from_millis(500);

/// What a server takes on at a time.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Handlers that run at the same time; a call beyond them is answered `Overloaded` at once.
    pub concurrency: u16,
    /// Deliveries that the broker may have outstanding here. More than `concurrency`, so that what needs no permit
    /// is never stuck behind calls that do.
    pub prefetch: u16,
    /// The largest body that is looked at, unless a method sets itself a [lower bound](crate::Method::LARGEST_REQUEST).
    pub body_bytes: usize,
    /// How long handlers may go on after shutdown has begun.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { concurrency: 64, prefetch: 256, body_bytes: 16 * 1024 * 1024, drain: Duration::from_secs(5) }
    }
}

/// Serves one address until told to stop, over any number of reconnects.
pub struct Server {
    transport: Arc<dyn Transport>,
    instance: Instance,
    address: Address,
    router: Arc<Router>,
    limits: Limits,
    permits: Arc<Semaphore>,
    complaints: Arc<Complaints>,
    handlers: TaskTracker,
    /// Cancelled when handlers did not finish in time: what they have not answered goes back to the broker.
    given_up: CancellationToken,
    bound: watch::Sender<Option<Generation>>,
}

/// Why a run of deliveries ended.
enum Ended {
    Shutdown,
    Lost,
    Stalled(Duration),
}

impl Server {
    pub(crate) fn new(
        transport: Arc<dyn Transport>,
        instance: Instance,
        address: Address,
        router: Router,
        limits: Limits,
    ) -> Self {
        let permits = Arc::new(Semaphore::new(limits.concurrency.into()));
        Self {
            transport,
            instance,
            complaints: Arc::new(Complaints::new(address.clone())),
            address,
            router: Arc::new(router),
            limits,
            permits,
            handlers: TaskTracker::new(),
            given_up: CancellationToken::new(),
            bound: watch::Sender::new(None),
        }
    }

    /// Over which connection the address reaches this server now; `None` while it does not.
    #[must_use]
    pub fn bound(&self) -> watch::Receiver<Option<Generation>> {
        self.bound.subscribe()
    }

    /// Serves until `shutdown`, then finishes the handlers that run, within [`Limits::drain`]. Those that have not
    /// finished then are ended, and their requests go back to the broker, for other servers of the address.
    pub async fn run(self, shutdown: CancellationToken) {
        loop {
            let deliveries = tokio::select! {
                biased;
                () = shutdown.cancelled() => break,
                deliveries = self.bind() => deliveries,
            };
            let ended = self.serve(deliveries, &shutdown).await;
            self.bound.send_replace(None);
            match ended {
                Ended::Shutdown => break,
                Ended::Lost => tracing::debug!(address = %self.address, "the consumer was lost"),
                Ended::Stalled(pause) => tracing::warn!(
                    address = %self.address, ?pause,
                    "this process stood still: deliveries that waited for it are handed back"
                ),
            }
        }
        self.drain().await;
    }

    /// Consumes the address, as often as it takes.
    async fn bind(&self) -> Deliveries {
        let mut link = self.transport.link();
        let mut refused = None;
        loop {
            let up =
                link.wait_for(|link| link.generation().is_some()).await.ok().and_then(|l| l.generation());
            let Some(generation) = up else { return std::future::pending().await };
            match self.transport.consume(&self.address, self.limits.prefetch).await {
                Ok(deliveries) => {
                    self.bound.send_replace(Some(generation));
                    return deliveries;
                }
                Err(ConsumeError::NotConnected) => {}
                Err(error) if refused.as_ref() == Some(&error) => {}
                Err(error) => {
                    tracing::error!(address = %self.address, %error, "cannot consume; trying again");
                    refused = Some(error);
                }
            }
            let _ = timeout(rand::random_range(RETRY..=RETRY * 3), link.changed()).await;
        }
    }

    async fn serve(&self, mut deliveries: Deliveries, shutdown: &CancellationToken) -> Ended {
        let mut stall = StallWatch::new(Instant::now());
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let delivery = tokio::select! {
                biased;
                () = shutdown.cancelled() => return Ended::Shutdown,
                _ = tick.tick() => None,
                delivery = deliveries.next() => match delivery {
                    Some(delivery) => Some(delivery),
                    None => return Ended::Lost,
                },
            };
            if let Some(pause) = stall.runs(Instant::now()) {
                return Ended::Stalled(pause);
            }
            if let Some(delivery) = delivery {
                self.take(delivery);
            }
        }
    }

    /// Deals with one delivery without ever waiting.
    fn take(&self, delivery: Delivery) {
        let now = Instant::now();
        let verdict = judge(&delivery, &self.router, self.instance, self.limits.body_bytes, now);
        if let Verdict::Drop(reason) = verdict {
            self.note_dropped(&delivery.message, reason);
        }
        let method = self.router.name(&delivery.message.kind);
        let (span, trace) = trace::handling(method, &delivery.message);
        let context = context(&delivery, trace);
        let (transport, complaints) = (self.transport.clone(), self.complaints.clone());
        let duty = Duty { method, delivery, instance: self.instance, transport, complaints };
        let answer = Answer::new(duty, self.given_up.clone());
        match verdict {
            Verdict::Handle(Handling::Queued(intake)) => intake(context, answer),
            Verdict::Handle(Handling::Spawned(handler)) => match self.permits.clone().try_acquire_owned() {
                Ok(permit) => {
                    let running = handler(context, answer);
                    let given_up = self.given_up.clone();
                    let handling = async move {
                        given_up.run_until_cancelled(running).await;
                        drop(permit);
                    };
                    self.handlers.spawn(handling.instrument(span));
                }
                Err(_) => answer.send_later(Fault::overloaded("every handler is busy; try again later")),
            },
            Verdict::Fault(fault) => answer.send_later(fault),
            Verdict::Drop(_) => answer.finish_unanswered(),
        }
    }

    /// What comes too late, or to a process that was replaced, is nobody's mistake.
    fn note_dropped(&self, message: &Message, reason: &'static str) {
        metrics::counter!("bellwether_rpc_requests_dropped_total", "reason" => reason).increment(1);
        if [EXPIRED, REPLACED].contains(&reason) {
            tracing::debug!(method = printable(&message.kind), reason, "a message was dropped");
        } else {
            self.complaints.about(message, reason);
        }
    }

    async fn drain(self) {
        self.handlers.close();
        if timeout(self.limits.drain, self.handlers.wait()).await.is_err() {
            let left = self.handlers.len();
            tracing::warn!(address = %self.address, left, "handlers did not finish in time: their requests are handed back");
            self.given_up.cancel();
            self.handlers.wait().await;
        }
    }
}

/// Why what came after its deadline is dropped.
const EXPIRED: &str = "expired";
/// Why a notification to another process of this name is dropped.
const REPLACED: &str = "another_instance";

/// What to do with a delivery.
enum Verdict<'a> {
    Handle(&'a Handling),
    Fault(Fault),
    Drop(&'static str),
}

/// Decides what to do with a delivery: purely from what it says, and when it came.
fn judge<'a>(
    delivery: &Delivery,
    router: &'a Router,
    me: Instance,
    body_limit: usize,
    now: Instant,
) -> Verdict<'a> {
    let message = &delivery.message;
    if message.is_answer() {
        return Verdict::Drop("answer_on_a_request_queue");
    }
    let notification = message.reply_to.is_none();
    let refuse = |fault: Fault| match fault.kind {
        _ if !notification => Verdict::Fault(fault),
        FaultKind::Unavailable => Verdict::Drop(REPLACED),
        _ => Verdict::Drop("bad_notification"),
    };
    if message.protocol > PROTOCOL {
        let fault = format!("protocol {} is newer than {PROTOCOL}, which is spoken here", message.protocol);
        return refuse(Fault::bad_request(fault));
    }
    if message.target.is_some_and(|meant| meant != me) {
        return refuse(Fault::unavailable(format!("this is instance {me}, not the one that was meant")));
    }
    let Some(route) = router.route(&message.kind) else {
        return refuse(Fault::new(FaultKind::UnknownMethod, printable(&message.kind)));
    };
    if notification && !route.notifiable {
        return Verdict::Drop("no_reply_to");
    }
    let most = route.largest.min(body_limit);
    if message.body.len() > most {
        return refuse(Fault::bad_request(format!("a body of more than {most} bytes")));
    }
    if message.encoding.is_none() {
        return refuse(Fault::bad_request("its content_type is not spoken here"));
    }
    if deadline_of(delivery).has_passed(now) {
        return Verdict::Drop(EXPIRED);
    }
    Verdict::Handle(&route.handling)
}

fn deadline_of(delivery: &Delivery) -> Deadline {
    Deadline::at(
        delivery.received + delivery.message.deadline.unwrap_or(DEFAULT_DEADLINE).min(LONGEST_DEADLINE),
    )
}

fn context(delivery: &Delivery, trace: Option<TraceParent>) -> Context {
    let message: &Message = &delivery.message;
    Context {
        deadline: deadline_of(delivery),
        caller: message.sender,
        redelivered: delivery.redelivered,
        notification: message.reply_to.is_none(),
        trace,
    }
}
