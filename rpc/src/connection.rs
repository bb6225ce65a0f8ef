//! The handle that calls and serves: calls in flight over one transport.

use crate::{
    Address, CallError, CorrelationId, Deadline, Fault, Generation, Instance, Limits, Link, Message, Method,
    Router, Server, Transport,
    in_flight::{Arrival, InFlight},
    message::{decode, encode},
    transport::{Inbound, SendError},
};
use bytes::Bytes;
use std::sync::Arc;
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
    time::{Instant, timeout_at},
};

/// Calls that may wait for an answer at the same time over one connection.
const IN_FLIGHT_LIMIT: usize = 65_536;

/// Calls methods and serves them over one transport. Cloning it is cheap: clients and servers are handles on it.
#[derive(Clone)]
pub struct Connection {
    shared: Arc<Shared>,
}

struct Shared {
    transport: Arc<dyn Transport>,
    in_flight: Arc<InFlight>,
    dispatcher: JoinHandle<()>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.dispatcher.abort();
    }
}

impl Connection {
    /// Takes over a transport.
    ///
    /// # Panics
    /// When the transport already has a connection, or outside a tokio runtime.
    #[must_use]
    #[expect(clippy::expect_used, reason = "two connections on one transport is a mistake in the program")]
    pub fn new(transport: Arc<dyn Transport>) -> Self {
        let inbound = transport.inbound().expect("a transport has one connection");
        let in_flight = Arc::new(InFlight::new(IN_FLIGHT_LIMIT));
        let dispatcher = tokio::spawn(dispatch(inbound, in_flight.clone()));
        Self { shared: Arc::new(Shared { transport, in_flight, dispatcher }) }
    }

    /// The process that speaks.
    #[must_use]
    pub fn instance(&self) -> Instance {
        self.shared.transport.instance()
    }

    /// How the link to the broker stands, and every change of it.
    #[must_use]
    pub fn link(&self) -> watch::Receiver<Link> {
        self.shared.transport.link()
    }

    /// Calls `M` at `address`. It ends exactly once, at the latest by the deadline.
    ///
    /// # Errors
    /// Every way a call can end other than well: see [`CallError`].
    pub async fn call<M: Method>(
        &self,
        address: &Address,
        request: &M::Request,
        deadline: Deadline,
    ) -> Result<M::Reply, CallError> {
        let started = Instant::now();
        let outcome = match encode(request) {
            Ok(body) => {
                self.exchange(address, M::NAME, body, deadline).await.and_then(|body| read_reply(&body))
            }
            Err(error) => Err(CallError::Invalid { reason: error.to_string() }),
        };
        record_call(M::NAME, outcome.as_ref().err(), started);
        outcome
    }

    /// Sends `M` to `address` and asks for no answer. It is worthless after `time_to_live`: no queue keeps it longer.
    ///
    /// # Errors
    /// When it was surely not, or perhaps not, handed to the broker.
    pub async fn notify<M: Method>(
        &self,
        address: &Address,
        request: &M::Request,
        time_to_live: Deadline,
    ) -> Result<(), CallError> {
        let body = encode(request).map_err(|error| CallError::Invalid { reason: error.to_string() })?;
        let mut link = self.link();
        loop {
            connected(&mut link, time_to_live).await?;
            let remaining = remaining(time_to_live)?;
            let (me, meant) = (self.instance(), address.instance());
            let message = Message::notification(M::NAME, me, meant, remaining, body.clone());
            match self.send(address, message, time_to_live).await {
                Ok(()) => return Ok(()),
                Err(Unsent::NoLink) => changed(&mut link, time_to_live).await?,
                Err(Unsent::Ended(error)) => return Err(error),
            }
        }
    }

    /// Sends a message to this process itself, through the broker, and waits until it is back: both ways work.
    ///
    /// A link that is up proves less: a broker that stands still keeps its connections for a while.
    ///
    /// # Errors
    /// Every way a call can end other than well.
    pub async fn round_trip(&self, deadline: Deadline) -> Result<(), CallError> {
        let Shared { transport, in_flight, .. } = &*self.shared;
        let generation = connected(&mut self.link(), deadline).await?;
        let reply_to = transport.reply_to().ok_or(CallError::Disconnected)?;
        let id = CorrelationId::new();
        let Some(mut place) = in_flight.enter(id.clone(), "this process".to_owned(), None, generation) else {
            return Err(CallError::Overloaded { reason: format!("{IN_FLIGHT_LIMIT} calls are in flight") });
        };
        let echo = Message::answer(Some(id), self.instance(), Ok(Bytes::new()));
        let there_and_back = async {
            match transport.reply(&reply_to, echo).await.map_err(Unsent::from) {
                Ok(()) => place.outcome().await.map(drop),
                Err(Unsent::NoLink) => Err(CallError::Disconnected),
                Err(Unsent::Ended(error)) => Err(error),
            }
        };
        let ended = timeout_at(deadline.instant(), there_and_back).await;
        ended.unwrap_or(Err(CallError::DeadlineExceeded { sent: true }))
    }

    /// A server of `address` on this connection.
    #[must_use]
    pub fn server(&self, address: Address, router: Router, limits: Limits) -> Server {
        Server::new(self.shared.transport.clone(), address, router, limits)
    }

    /// How many calls wait for an answer now.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.shared.in_flight.len()
    }

    /// Waits until answers can arrive, and says over which connection.
    ///
    /// # Errors
    /// `DeadlineExceeded` when the deadline comes first, `Disconnected` when the connection was closed.
    pub async fn wait_for_link(&self, deadline: Deadline) -> Result<Generation, CallError> {
        connected(&mut self.link(), deadline).await
    }

    /// Ends the transport: calls in flight end as `Disconnected`.
    pub async fn close(&self) {
        self.shared.transport.close().await;
        self.shared.in_flight.fail_all();
    }

    async fn exchange(
        &self,
        address: &Address,
        method: &str,
        body: Bytes,
        deadline: Deadline,
    ) -> Result<Bytes, CallError> {
        let mut link = self.link();
        let (me, meant) = (self.instance(), address.instance());
        loop {
            let generation = connected(&mut link, deadline).await?;
            let id = CorrelationId::new();
            let in_flight = &self.shared.in_flight;
            let Some(mut place) = in_flight.enter(id.clone(), address.to_string(), meant, generation) else {
                return Err(CallError::Overloaded {
                    reason: format!("{IN_FLIGHT_LIMIT} calls are in flight"),
                });
            };
            let request = Message::request(method, id, me, meant, remaining(deadline)?, body.clone());
            match self.send(address, request, deadline).await {
                Ok(()) => {}
                Err(Unsent::NoLink) => {
                    drop(place);
                    changed(&mut link, deadline).await?;
                    continue;
                }
                Err(Unsent::Ended(error)) => return Err(error),
            }
            return match timeout_at(deadline.instant(), place.outcome()).await {
                Ok(outcome) => outcome,
                Err(_) => Err(CallError::DeadlineExceeded { sent: true }),
            };
        }
    }

    async fn send(&self, address: &Address, message: Message, deadline: Deadline) -> Result<(), Unsent> {
        let sending = self.shared.transport.send(address, message);
        match timeout_at(deadline.instant(), sending).await {
            Ok(sent) => sent.map_err(Unsent::from),
            Err(_) => Err(Unsent::Ended(CallError::DeadlineExceeded { sent: true })),
        }
    }
}

/// Why a message was not sent.
enum Unsent {
    /// The link was lost just before: it can be sent over the next.
    NoLink,
    /// The call has ended.
    Ended(CallError),
}

impl From<SendError> for Unsent {
    fn from(error: SendError) -> Self {
        match error {
            SendError::NotConnected => Self::NoLink,
            SendError::Lost => Self::Ended(CallError::Disconnected),
            SendError::Blocked(reason) => Self::Ended(CallError::Overloaded { reason }),
            SendError::Invalid(reason) => Self::Ended(CallError::Invalid { reason }),
        }
    }
}

/// Waits until there is a link.
async fn connected(link: &mut watch::Receiver<Link>, deadline: Deadline) -> Result<Generation, CallError> {
    let ready = link.wait_for(|link| link.generation().is_some() || *link == Link::Closed);
    match timeout_at(deadline.instant(), ready).await {
        Ok(Ok(link)) => link.generation().ok_or(CallError::Disconnected),
        Ok(Err(_)) => Err(CallError::Disconnected),
        Err(_) => Err(CallError::DeadlineExceeded { sent: false }),
    }
}

/// Waits until the link is another than when it was last looked at.
async fn changed(link: &mut watch::Receiver<Link>, deadline: Deadline) -> Result<(), CallError> {
    match timeout_at(deadline.instant(), link.changed()).await {
        Ok(changed) => changed.map_err(|_| CallError::Disconnected),
        Err(_) => Err(CallError::DeadlineExceeded { sent: false }),
    }
}

/// What is left of a deadline; a call with nothing left is not sent.
fn remaining(deadline: Deadline) -> Result<std::time::Duration, CallError> {
    let now = Instant::now();
    if deadline.has_passed(now) {
        return Err(CallError::DeadlineExceeded { sent: false });
    }
    Ok(deadline.remaining(now))
}

fn read_reply<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, CallError> {
    decode(body).map_err(|error| Fault::internal(format!("a reply that cannot be read: {error}")).into())
}

fn record_call(method: &'static str, error: Option<&CallError>, started: Instant) {
    let outcome = error.map_or("ok", CallError::name);
    metrics::counter!("bellwether_rpc_calls_total", "method" => method, "outcome" => outcome).increment(1);
    metrics::histogram!("bellwether_rpc_call_duration_seconds", "method" => method)
        .record(started.elapsed().as_secs_f64());
}

/// Hands what comes back to the calls that wait for it.
async fn dispatch(mut inbound: mpsc::Receiver<Inbound>, in_flight: Arc<InFlight>) {
    while let Some(event) = inbound.recv().await {
        match event {
            Inbound::Answer(message) if !message.is_answer() => count_dropped("not_an_answer"),
            Inbound::Answer(message) => match in_flight.answered(&message) {
                Arrival::Delivered => {}
                Arrival::Unexpected => count_dropped("late_answer"),
                Arrival::WrongInstance => count_dropped("wrong_instance"),
            },
            Inbound::Returned(id) => in_flight.returned(&id),
            Inbound::Lost { generation } => {
                let failed = in_flight.fail_through(generation);
                tracing::debug!(failed, generation, "the reply queue is gone");
            }
        }
    }
    in_flight.fail_all();
}

fn count_dropped(reason: &'static str) {
    metrics::counter!("bellwether_rpc_answers_dropped_total", "reason" => reason).increment(1);
}
