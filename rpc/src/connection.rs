//! The handle that calls and serves: calls in flight over one transport.

mod everyone;
mod waiting;

pub use everyone::Outcomes;

use crate::{
    Address, CallError, CorrelationId, Deadline, Encoding, Fault, Generation, Instance, Limits, Link,
    Message, Method, Peer, Router, Scope, Server, Transport,
    in_flight::{Arrival, InFlight, NoAnswer, outcome_of},
    trace,
    transport::{Inbound, SendError},
};
use bytes::Bytes;
use std::{collections::HashMap, sync::Arc};
use tokio::{
    sync::watch,
    time::{Instant, timeout_at},
};
use tracing::Instrument;
use waiting::{changed, connected, remaining};

/// Calls that may wait for an answer at the same time over one connection.
const IN_FLIGHT_LIMIT: usize = 65_536;

/// The largest answer that is looked at, in bytes.
const ANSWER_BYTES: usize = 16 * 1024 * 1024;

/// Calls methods and serves them over one transport. Cloning it is cheap: clients and servers are handles on it.
#[derive(Clone)]
pub struct Connection {
    shared: Arc<Shared>,
    instance: Instance,
    encoding: Encoding,
}

struct Shared {
    transport: Arc<dyn Transport>,
    in_flight: Arc<InFlight>,
}

impl Connection {
    /// Takes over a transport.
    ///
    /// # Panics
    /// When the transport already has a connection: that is a mistake in the program.
    #[must_use]
    pub fn new(transport: Arc<dyn Transport>) -> Self {
        let in_flight = Arc::new(InFlight::new(IN_FLIGHT_LIMIT));
        let waiting = in_flight.clone();
        let first = transport.deliver_to(Arc::new(move |inbound| take_in(&waiting, inbound)));
        assert!(first, "a transport has one connection");
        let instance = transport.instance();
        Self { shared: Arc::new(Shared { transport, in_flight }), instance, encoding: Encoding::default() }
    }

    /// The same connection, for one of several peers that share it: what that one sends and serves bears an instance of
    /// its own, and to everybody else it is a process by itself. They share the rest: the link and its generation, the
    /// limit of calls in flight, and [`Connection::close`].
    #[must_use]
    pub fn as_another_process(&self) -> Self {
        Self { instance: Instance::new(), ..self.clone() }
    }

    /// The same connection, for callers that write their requests in this encoding. Servers answer in it.
    #[must_use]
    pub fn encoding(self, encoding: Encoding) -> Self {
        Self { encoding, ..self }
    }

    /// The process that speaks.
    #[must_use]
    pub fn instance(&self) -> Instance {
        self.instance
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
        scope: impl Into<Scope>,
    ) -> Result<M::Reply, CallError> {
        let started = Instant::now();
        let scope = scope.into();
        let (span, trace) = trace::calling(M::NAME, address, scope.trace);
        let calling = async {
            let body = self.write(request)?;
            let reply = self.exchange(address, M::NAME, body, Scope { trace, ..scope }).await?;
            read_reply(&reply)
        };
        let outcome = calling.instrument(span).await;
        record_call(M::NAME, outcome.as_ref().err(), started);
        outcome
    }

    /// Calls `M` at every peer of `service` by one publish. Each of `peers` has exactly one outcome, at the latest by
    /// the deadline; a peer that has gone is known before it. Whoever else hears it is not waited for.
    ///
    /// # Errors
    /// When nothing was sent, or perhaps nothing: then no peer has an outcome of its own.
    pub async fn call_everyone<M: Method>(
        &self,
        service: &Arc<str>,
        request: &M::Request,
        peers: impl IntoIterator<Item = Peer>,
        scope: impl Into<Scope>,
    ) -> Result<Outcomes<M>, CallError> {
        let (started, scope) = (Instant::now(), scope.into());
        let address = Address::everyone(service.clone());
        let (span, trace) = trace::calling(M::NAME, &address, scope.trace);
        let scope = Scope { trace, ..scope };
        let waiting: HashMap<_, _> = peers.into_iter().map(|peer| (peer.instance, peer.name)).collect();
        let asking = async {
            let body = self.write(request)?;
            let enter = |in_flight: &Arc<InFlight>, id, over| {
                in_flight.enter_each(id, waiting.keys().copied().collect(), over)
            };
            self.send_request(&address, M::NAME, body, scope, enter).await
        };
        let asked = asking.instrument(span).await;
        if let Err(error) = &asked {
            record_call(M::NAME, Some(error), started);
        }
        Ok(Outcomes::new(self.clone(), service.clone(), asked?, waiting, scope, started))
    }

    /// Sends `M` to `address` and asks for no answer. It is worthless after the deadline: no queue keeps it longer.
    ///
    /// # Errors
    /// When it was surely not, or perhaps not, handed to the broker.
    pub async fn notify<M: Method>(
        &self,
        address: &Address,
        request: &M::Request,
        scope: impl Into<Scope>,
    ) -> Result<(), CallError> {
        let Scope { deadline, trace } = scope.into();
        let body = self.write(request)?;
        let mut link = self.link();
        loop {
            connected(&mut link, deadline).await?;
            let notification =
                self.request(address, M::NAME, None, body.clone(), Scope { deadline, trace })?;
            match self.send(address, notification, deadline).await {
                Ok(()) => return Ok(()),
                Err(Unsent::NoLink) => changed(&mut link, deadline).await?,
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
        let Shared { transport, in_flight } = &*self.shared;
        let generation = connected(&mut self.link(), deadline).await?;
        let reply_to = transport.reply_to().ok_or(CallError::Disconnected)?;
        let id = CorrelationId::new();
        let Some(mut place) = in_flight.enter(id.clone(), None, generation) else { return Err(full()) };
        let echo = Message::answer(Some(id), self.instance(), Encoding::default(), Ok(Bytes::new()));
        let there_and_back = async {
            match transport.reply(&reply_to, echo).await.map_err(Unsent::from) {
                Ok(()) => place.answer().await.map(drop).map_err(|_| CallError::Disconnected),
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
        Server::new(self.shared.transport.clone(), self.instance, address, router, limits)
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

    /// Asks one address, and waits for its answer.
    async fn exchange(
        &self,
        address: &Address,
        method: &str,
        body: Bytes,
        scope: Scope,
    ) -> Result<Message, CallError> {
        if let Address::Everyone { .. } = address {
            let reason = "everyone has many outcomes: see `call_everyone`".to_owned();
            return Err(CallError::Invalid { reason });
        }
        let meant = address.instance();
        let enter = |in_flight: &Arc<InFlight>, id, over| in_flight.enter(id, meant, over);
        let mut place = self.send_request(address, method, body, scope, enter).await?;
        match timeout_at(scope.deadline.instant(), place.answer()).await {
            Ok(Ok(answer)) => outcome_of(answer),
            Ok(Err(NoAnswer::Returned)) => Err(CallError::unroutable(address)),
            Ok(Err(NoAnswer::Lost)) => Err(CallError::Disconnected),
            Err(_) => Err(CallError::DeadlineExceeded { sent: true }),
        }
    }

    /// Sends a request, over the next link if this one is lost just before, and gives the place its answers come to.
    async fn send_request<P>(
        &self,
        address: &Address,
        method: &str,
        body: Bytes,
        scope: Scope,
        enter: impl Fn(&Arc<InFlight>, CorrelationId, Generation) -> Option<P>,
    ) -> Result<P, CallError> {
        let mut link = self.link();
        loop {
            let generation = connected(&mut link, scope.deadline).await?;
            let id = CorrelationId::new();
            let request = self.request(address, method, Some(id.clone()), body.clone(), scope)?;
            let place = enter(&self.shared.in_flight, id, generation).ok_or_else(full)?;
            match self.send(address, request, scope.deadline).await {
                Ok(()) => return Ok(place),
                Err(Unsent::NoLink) => {
                    drop(place);
                    changed(&mut link, scope.deadline).await?;
                }
                Err(Unsent::Ended(error)) => return Err(error),
            }
        }
    }

    /// A request with what is left of its deadline. With nothing left it is not sent.
    fn request(
        &self,
        address: &Address,
        method: &str,
        id: Option<CorrelationId>,
        body: Bytes,
        scope: Scope,
    ) -> Result<Message, CallError> {
        let remaining = remaining(scope.deadline)?;
        let (me, meant) = (self.instance(), address.instance());
        let request = Message::request(method, id, me, meant, remaining, self.encoding, body);
        Ok(Message { trace: scope.trace, ..request })
    }

    async fn send(&self, address: &Address, message: Message, deadline: Deadline) -> Result<(), Unsent> {
        let sending = self.shared.transport.send(address, message);
        match timeout_at(deadline.instant(), sending).await {
            Ok(sent) => sent.map_err(Unsent::from),
            Err(_) => Err(Unsent::Ended(CallError::DeadlineExceeded { sent: true })),
        }
    }

    fn write<T: serde::Serialize>(&self, request: &T) -> Result<Bytes, CallError> {
        self.encoding.write(request).map_err(|reason| CallError::Invalid { reason })
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

fn full() -> CallError {
    CallError::Overloaded { reason: format!("{IN_FLIGHT_LIMIT} calls are in flight") }
}

fn read_reply<T: serde::de::DeserializeOwned>(reply: &Message) -> Result<T, CallError> {
    let unreadable =
        |why: &str| CallError::from(Fault::internal(format!("a reply that cannot be read: {why}")));
    if reply.body.len() > ANSWER_BYTES {
        return Err(unreadable(&format!("it has more than {ANSWER_BYTES} bytes")));
    }
    let encoding = reply.encoding.ok_or_else(|| unreadable("its content_type is unknown here"))?;
    encoding.read(&reply.body).map_err(|error| unreadable(&error))
}

fn record_call(method: &'static str, error: Option<&CallError>, started: Instant) {
    let outcome = error.map_or("ok", CallError::name);
    metrics::counter!("bellwether_rpc_calls_total", "method" => method, "outcome" => outcome).increment(1);
    metrics::histogram!("bellwether_rpc_call_duration_seconds", "method" => method)
        .record(started.elapsed().as_secs_f64());
}

/// Hands what comes back to the call that waits for it.
fn take_in(in_flight: &InFlight, inbound: Inbound) {
    match inbound {
        Inbound::Answer(message) if !message.is_answer() => count_dropped("not_an_answer"),
        Inbound::Answer(message) => match in_flight.answered(message) {
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

fn count_dropped(reason: &'static str) {
    metrics::counter!("bellwether_rpc_answers_dropped_total", "reason" => reason).increment(1);
}
