//! Which handler answers which method, and how each answers exactly once.

use crate::{
    Context, Encoding, Fault, Instance, Message, Method, Transport,
    complaints::{Complaints, makes_no_sense},
    transport::Delivery,
};
use bytes::Bytes;
use std::{collections::HashMap, future::Future, marker::PhantomData, pin::Pin, sync::Arc};
use tokio::{runtime::Handle, sync::mpsc};
use tokio_util::sync::CancellationToken;

/// The methods that a server answers.
#[derive(Default)]
pub struct Router {
    routes: HashMap<&'static str, Route>,
}

pub(crate) struct Route {
    pub(crate) notifiable: bool,
    /// In bytes.
    pub(crate) largest: usize,
    pub(crate) handling: Handling,
}

impl Route {
    fn of<M: Method>(handling: Handling) -> Self {
        Self { notifiable: M::NOTIFIABLE, largest: M::LARGEST_REQUEST, handling }
    }
}

pub(crate) enum Handling {
    /// Runs as a task of its own, under one of the server's permits.
    Spawned(Handler),
    /// Goes to a queue at once, past all permits.
    Queued(Intake),
}

type Running = Pin<Box<dyn Future<Output = ()> + Send>>;
type Handler = Arc<dyn Fn(Context, Answer) -> Running + Send + Sync>;
type Intake = Arc<dyn Fn(Context, Answer) + Send + Sync>;

impl Router {
    /// No methods yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Answers `M` by a handler that runs concurrently with others, within the server's limits. A panic is a fault.
    #[must_use]
    pub fn on<M, F, H>(mut self, handler: F) -> Self
    where
        M: Method,
        F: Fn(Context, M::Request) -> H + Send + Sync + 'static,
        H: Future<Output = Result<M::Reply, Fault>> + Send + 'static,
    {
        let handler = Arc::new(handler);
        let run: Handler = Arc::new(move |context, answer| {
            let handler = handler.clone();
            Box::pin(async move {
                match answer.request::<M>() {
                    Ok(request) => answer.reply::<M>(handler(context, request).await).await,
                    Err(fault) => answer.send(Err(fault)).await,
                }
            })
        });
        self.routes.insert(M::NAME, Route::of::<M>(Handling::Spawned(run)));
        self
    }

    /// Hands every `M` to `take`, in order of arrival and whatever else the server is doing, past all permits: for
    /// messages that are dealt with in batches. `take` must not wait: see [`Call::hand_to`].
    #[must_use]
    pub fn queued<M: Method>(mut self, take: impl Fn(Call<M>) + Send + Sync + 'static) -> Self {
        let intake: Intake = Arc::new(move |context, answer| match answer.request::<M>() {
            Ok(request) => {
                let responder = Responder { answer, method: PhantomData };
                take(Call { request, context, responder });
            }
            Err(fault) => answer.send_later(fault),
        });
        self.routes.insert(M::NAME, Route::of::<M>(Handling::Queued(intake)));
        self
    }

    /// The names of the methods, sorted.
    #[must_use]
    pub fn methods(&self) -> Vec<String> {
        let mut names: Vec<_> = self.routes.keys().map(|name| (*name).to_owned()).collect();
        names.sort_unstable();
        names
    }

    pub(crate) fn route(&self, method: &str) -> Option<&Route> {
        self.routes.get(method)
    }

    /// The method as this router names it: a name off the wire may be anything.
    pub(crate) fn name(&self, method: &str) -> &'static str {
        self.routes.get_key_value(method).map_or("unknown", |(name, _)| name)
    }
}

/// One request that waits in a queue for its answer. Dropped without one, it is answered with a fault.
pub struct Call<M: Method> {
    /// What was asked.
    pub request: M::Request,
    /// What else is known about it.
    pub context: Context,
    responder: Responder<M>,
}

/// The duty to answer a [`Call`], parted from what was asked.
pub struct Responder<M: Method> {
    answer: Answer,
    method: PhantomData<fn() -> M>,
}

impl<M: Method> Call<M> {
    /// Puts it into a queue for somebody who answers. It answers `Overloaded` when the queue is full, `Unavailable`
    /// when nobody reads it any more.
    pub fn hand_to(self, queue: &mpsc::Sender<Self>) {
        use mpsc::error::TrySendError::{Closed, Full};
        match queue.try_send(self) {
            Ok(()) => {}
            Err(Full(call)) => call.refuse(Fault::overloaded("the queue of this method is full")),
            Err(Closed(call)) => call.refuse(Fault::unavailable("shutting down")),
        }
    }

    /// Answers it, and finishes the delivery. A notification is only finished.
    pub async fn answer(self, result: Result<M::Reply, Fault>) {
        self.responder.answer(result).await;
    }

    /// Parts what was asked from the duty to answer it.
    #[must_use]
    pub fn split(self) -> (M::Request, Responder<M>) {
        (self.request, self.responder)
    }

    fn refuse(self, fault: Fault) {
        self.responder.answer.send_later(fault);
    }
}

impl<M: Method> Responder<M> {
    /// Answers, and finishes the delivery. A notification is only finished.
    pub async fn answer(self, result: Result<M::Reply, Fault>) {
        self.answer.reply::<M>(result).await;
    }
}

/// The duty to answer one delivery exactly once. It outlives a panic of the handler: dropped unanswered, it answers
/// with an `Internal` fault by itself; or hands the delivery back, once the server has given up.
pub(crate) struct Answer {
    duty: Option<Duty>,
    given_up: CancellationToken,
}

pub(crate) struct Duty {
    pub(crate) method: &'static str,
    pub(crate) delivery: Delivery,
    /// Who answers.
    pub(crate) instance: Instance,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) complaints: Arc<Complaints>,
}

impl Answer {
    pub(crate) fn new(duty: Duty, given_up: CancellationToken) -> Self {
        Self { duty: Some(duty), given_up }
    }

    fn request<M: Method>(&self) -> Result<M::Request, Fault> {
        let (encoding, body) = self
            .duty
            .as_ref()
            .map_or((Encoding::default(), &[][..]), |duty| (duty.encoding(), &duty.delivery.message.body));
        encoding
            .read(body)
            .map_err(|error| Fault::bad_request(format!("{} cannot be read: {error}", M::NAME)))
    }

    async fn reply<M: Method>(self, result: Result<M::Reply, Fault>) {
        let encoding = self.duty.as_ref().map(Duty::encoding).unwrap_or_default();
        let encoded = result.and_then(|reply| {
            let unwritable = |error| Fault::internal(format!("the reply cannot be written: {error}"));
            encoding.write(&reply).map_err(unwritable)
        });
        self.send(encoded).await;
    }

    /// Answers, then acknowledges.
    pub(crate) async fn send(mut self, answer: Result<Bytes, Fault>) {
        if let Some(duty) = self.duty.take() {
            duty.done(answer).await;
        }
    }

    /// Answers with a fault without waiting for it.
    pub(crate) fn send_later(mut self, fault: Fault) {
        self.spawn_fault(fault);
    }

    /// Finishes the delivery without an answer: nobody waits for one.
    pub(crate) fn finish_unanswered(mut self) {
        if let Some(duty) = self.duty.take() {
            duty.delivery.receipt.settle();
        }
    }

    fn spawn_fault(&mut self, fault: Fault) {
        if let (Some(duty), Ok(runtime)) = (self.duty.take(), Handle::try_current()) {
            runtime.spawn(duty.done(Err(fault)));
        }
    }

    fn spawn_hand_back(&mut self) {
        if let (Some(duty), Ok(runtime)) = (self.duty.take(), Handle::try_current()) {
            metrics::counter!("bellwether_rpc_requests_handed_back_total", "method" => duty.method)
                .increment(1);
            runtime.spawn(duty.delivery.receipt.hand_back());
        }
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        if self.given_up.is_cancelled() {
            self.spawn_hand_back();
        } else {
            self.spawn_fault(Fault::internal("the handler ended without an answer"));
        }
    }
}

impl Duty {
    /// The answer is written as the request was.
    fn encoding(&self) -> Encoding {
        self.delivery.message.encoding.unwrap_or_default()
    }

    async fn done(self, answer: Result<Bytes, Fault>) {
        let Delivery { message, receipt, received, redelivered } = self.delivery;
        // Another instance's request is refused alike each time, and its caller waits for the one that was meant.
        let meant = message.target.is_none_or(|meant| meant == self.instance);
        let answer = if redelivered && meant { answer.map_err(Fault::of_a_redelivery) } else { answer };
        let outcome = answer.as_ref().err().map_or("ok", |fault| fault.kind.name());
        metrics::counter!("bellwether_rpc_requests_total", "method" => self.method, "outcome" => outcome)
            .increment(1);
        metrics::histogram!("bellwether_rpc_request_duration_seconds", "method" => self.method)
            .record(received.elapsed());
        if let Err(fault) = &answer
            && makes_no_sense(fault.kind)
        {
            self.complaints.about(&message, outcome);
        }
        if answer.as_ref().is_err_and(|fault| fault.kind.denies_a_run()) {
            // Were it delivered again, its handler could run after all: so first it is off the queue.
            if receipt.ack().await {
                answer_message(&*self.transport, &message, self.instance, answer).await;
            }
            return;
        }
        answer_message(&*self.transport, &message, self.instance, answer).await;
        receipt.settle();
    }
}

/// Sends the answer to a request; a notification has none.
async fn answer_message(
    transport: &dyn Transport,
    request: &Message,
    sender: Instance,
    answer: Result<Bytes, Fault>,
) {
    let Some(reply_to) = &request.reply_to else { return };
    let encoding = request.encoding.unwrap_or_default();
    let message = Message::answer(request.correlation_id.clone(), sender, encoding, answer);
    if let Err(error) = transport.reply(reply_to, message).await {
        metrics::counter!("bellwether_rpc_answers_unsent_total").increment(1);
        tracing::debug!(method = request.kind, %error, "an answer was not sent");
    }
}
