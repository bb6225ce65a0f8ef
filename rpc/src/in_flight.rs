//! The table of calls that wait for an answer.

use crate::{
    CallError, CorrelationId, Encoding, Fault, FaultKind, Generation, Instance, Message, message::FAULT,
};
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::{mpsc, oneshot};

/// How a call ends: the reply, still encoded, or why there is none.
pub(crate) type Outcome = Result<Message, CallError>;

/// The calls that wait for an answer, by correlation id. Each leaves it exactly once.
#[derive(Debug)]
pub(crate) struct InFlight {
    calls: Mutex<HashMap<CorrelationId, Waiter>>,
    limit: usize,
}

#[derive(Debug)]
struct Waiter {
    /// Which generation of the link the answer comes over.
    over: Generation,
    awaited: Awaited,
}

#[derive(Debug)]
enum Awaited {
    /// One answer, of the instance that was meant if one was.
    One { meant: Option<Instance>, outcome: oneshot::Sender<Result<Message, NoAnswer>> },
    /// One answer of each of these.
    Each { pending: HashSet<Instance>, answers: mpsc::Sender<Result<(Instance, Message), NoAnswer>> },
}

/// Why no answer can come any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoAnswer {
    /// The broker found nobody there.
    Returned,
    /// The reply queue is gone.
    Lost,
}

/// A place in the table. Dropping it frees the place at once.
#[derive(Debug)]
struct Place {
    table: Arc<InFlight>,
    id: CorrelationId,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.table.lock().remove(&self.id);
    }
}

/// The place of a call with one answer.
#[derive(Debug)]
pub(crate) struct One {
    _place: Place,
    outcome: oneshot::Receiver<Result<Message, NoAnswer>>,
}

impl One {
    /// Waits for the answer.
    pub(crate) async fn answer(&mut self) -> Result<Message, NoAnswer> {
        (&mut self.outcome).await.unwrap_or(Err(NoAnswer::Lost))
    }
}

/// The place of a call with an answer of each peer.
#[derive(Debug)]
pub(crate) struct Each {
    _place: Place,
    answers: mpsc::Receiver<Result<(Instance, Message), NoAnswer>>,
}

impl Each {
    /// Waits for the next answer, and who gave it.
    pub(crate) async fn next(&mut self) -> Result<(Instance, Message), NoAnswer> {
        self.answers.recv().await.unwrap_or(Err(NoAnswer::Lost))
    }
}

/// What became of an answer that arrived.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// It ended its call, or its part of it.
    Delivered,
    /// Nobody waits for it: late, a duplicate, or never ours.
    Unexpected,
    /// Another instance says that it is not the one meant; the right one may still answer.
    WrongInstance,
}

impl InFlight {
    pub(crate) fn new(limit: usize) -> Self {
        Self { calls: Mutex::default(), limit }
    }

    /// Takes a place for a call that is to go over this generation of the link, or none when the table is full.
    pub(crate) fn enter(
        self: &Arc<Self>,
        id: CorrelationId,
        meant: Option<Instance>,
        over: Generation,
    ) -> Option<One> {
        let (sender, outcome) = oneshot::channel();
        let place = self.take_place(id, Waiter { over, awaited: Awaited::One { meant, outcome: sender } })?;
        Some(One { _place: place, outcome })
    }

    /// The same, for a call that each of `pending` is to answer.
    pub(crate) fn enter_each(
        self: &Arc<Self>,
        id: CorrelationId,
        pending: HashSet<Instance>,
        over: Generation,
    ) -> Option<Each> {
        let (sender, answers) = mpsc::channel(pending.len() + 1);
        let awaited = Awaited::Each { pending, answers: sender };
        let place = self.take_place(id, Waiter { over, awaited })?;
        Some(Each { _place: place, answers })
    }

    fn take_place(self: &Arc<Self>, id: CorrelationId, waiter: Waiter) -> Option<Place> {
        let mut calls = self.lock();
        if calls.len() >= self.limit {
            return None;
        }
        calls.insert(id.clone(), waiter);
        drop(calls);
        Some(Place { table: self.clone(), id })
    }

    /// An answer has arrived.
    pub(crate) fn answered(&self, message: Message) -> Arrival {
        let Some(id) = &message.correlation_id else { return Arrival::Unexpected };
        let mut calls = self.lock();
        let Some(waiter) = calls.get_mut(id) else { return Arrival::Unexpected };
        match &mut waiter.awaited {
            Awaited::One { meant, .. } if is_from_another_instance(*meant, &message) => {
                Arrival::WrongInstance
            }
            Awaited::One { .. } => {
                if let Some(Waiter { awaited: Awaited::One { outcome, .. }, .. }) = calls.remove(id) {
                    let _ = outcome.send(Ok(message));
                }
                Arrival::Delivered
            }
            Awaited::Each { pending, answers } => match message.sender {
                // There is room: no more answers are let through than were waited for.
                Some(sender) if pending.remove(&sender) => {
                    let _ = answers.try_send(Ok((sender, message)));
                    Arrival::Delivered
                }
                _ => Arrival::Unexpected,
            },
        }
    }

    /// The broker found nobody at the call's address.
    pub(crate) fn returned(&self, id: &CorrelationId) {
        if let Some(waiter) = self.lock().remove(id) {
            waiter.awaited.end(NoAnswer::Returned);
        }
    }

    /// The reply queue of this generation is gone: no answer can come to what went over it, or one before. What goes
    /// over the next may be in the table already.
    pub(crate) fn fail_through(&self, lost: Generation) -> usize {
        let mut failed: Vec<_> = self.lock().extract_if(|_, waiter| waiter.over <= lost).collect();
        // The oldest call first: a simulation that is run again goes the same way.
        failed.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        let count = failed.len();
        for (_, waiter) in failed {
            waiter.awaited.end(NoAnswer::Lost);
        }
        count
    }

    /// Nothing comes any more.
    pub(crate) fn fail_all(&self) {
        self.fail_through(Generation::MAX);
    }

    /// How many calls wait now.
    pub(crate) fn len(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<CorrelationId, Waiter>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Awaited {
    fn end(self, why: NoAnswer) {
        match self {
            Self::One { outcome, .. } => drop(outcome.send(Err(why))),
            Self::Each { answers, .. } => drop(answers.try_send(Err(why))),
        }
    }
}

/// What an answer says: itself, as long as it is no fault.
pub(crate) fn outcome_of(answer: Message) -> Outcome {
    match fault_in(&answer) {
        Some(fault) => Err(fault.into()),
        None => Ok(answer),
    }
}

fn fault_in(answer: &Message) -> Option<Fault> {
    if answer.kind != FAULT {
        return None;
    }
    let read = answer.encoding.unwrap_or(Encoding::Json).read::<Fault>(&answer.body);
    Some(read.unwrap_or_else(|error| Fault::internal(format!("a fault that cannot be read: {error}"))))
}

fn is_from_another_instance(meant: Option<Instance>, answer: &Message) -> bool {
    let another = meant.is_some() && answer.sender != meant;
    another && fault_in(answer).is_some_and(|fault| fault.kind == FaultKind::Unavailable)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use futures_util::FutureExt;

    fn table() -> Arc<InFlight> {
        Arc::new(InFlight::new(2))
    }

    fn id(text: &str) -> CorrelationId {
        CorrelationId(text.to_owned())
    }

    fn reply(to: &str, sender: Instance) -> Message {
        Message::answer(Some(id(to)), sender, Encoding::Json, Ok(Bytes::from_static(b"1")))
    }

    fn unavailable(to: &str, sender: Instance) -> Message {
        Message::answer(Some(id(to)), sender, Encoding::Json, Err(Fault::unavailable("not me")))
    }

    fn ended(call: &mut One) -> Option<Result<Message, NoAnswer>> {
        call.answer().now_or_never()
    }

    #[test]
    fn an_answer_ends_its_own_call_and_a_second_one_is_unexpected() {
        let (table, server) = (table(), Instance::new());
        let mut a = table.enter(id("a"), None, 1).expect("room");
        let mut b = table.enter(id("b"), None, 1).expect("room");
        assert_eq!(table.answered(reply("a", server)), Arrival::Delivered);
        assert_eq!(table.answered(reply("a", server)), Arrival::Unexpected);
        assert!(matches!(ended(&mut a), Some(Ok(answer)) if answer.body == "1"));
        assert!(ended(&mut b).is_none());
    }

    #[test]
    fn a_full_table_takes_no_more_and_a_dropped_place_is_free_at_once() {
        let table = table();
        let a = table.enter(id("a"), None, 1);
        let _b = table.enter(id("b"), None, 1);
        assert!(table.enter(id("c"), None, 1).is_none());
        drop(a);
        assert_eq!(table.len(), 1);
        assert!(table.enter(id("c"), None, 1).is_some());
    }

    #[test]
    fn a_lost_reply_queue_fails_every_call_in_flight() {
        let table = table();
        let mut a = table.enter(id("a"), None, 1).expect("room");
        let mut each = table.enter_each(id("each"), HashSet::from([Instance::new()]), 1).expect("room");
        assert_eq!(table.fail_through(1), 2);
        assert!(matches!(ended(&mut a), Some(Err(NoAnswer::Lost))));
        assert!(matches!(each.next().now_or_never(), Some(Err(NoAnswer::Lost))));
        assert_eq!(table.len(), 0);
    }

    #[test]
    fn news_of_a_lost_reply_queue_that_come_late_end_no_call_over_the_next() {
        let table = table();
        let mut a = table.enter(id("a"), None, 1).expect("room");
        let mut b = table.enter(id("b"), None, 2).expect("room");
        assert_eq!(table.fail_through(1), 1);
        assert!(matches!(ended(&mut a), Some(Err(NoAnswer::Lost))));
        assert!(ended(&mut b).is_none());
    }

    #[test]
    fn the_right_instance_wins_over_another_of_the_same_name() {
        let table = table();
        let (meant, other) = (Instance::new(), Instance::new());
        let mut call = table.enter(id("a"), Some(meant), 1).expect("room");
        assert_eq!(table.answered(unavailable("a", other)), Arrival::WrongInstance);
        assert_eq!(table.answered(reply("a", meant)), Arrival::Delivered);
        assert!(matches!(ended(&mut call), Some(Ok(_))));
    }

    #[test]
    fn a_return_ends_the_call() {
        let table = table();
        let mut call = table.enter(id("a"), None, 1).expect("room");
        table.returned(&id("a"));
        assert!(matches!(ended(&mut call), Some(Err(NoAnswer::Returned))));
    }

    #[test]
    fn each_is_heard_once_and_strangers_never() {
        let table = table();
        let (a, b, stranger) = (Instance::new(), Instance::new(), Instance::new());
        let mut call = table.enter_each(id("x"), HashSet::from([a, b]), 1).expect("room");
        for (sender, arrival) in [
            (b, Arrival::Delivered),
            (b, Arrival::Unexpected),
            (stranger, Arrival::Unexpected),
            (a, Arrival::Delivered),
        ] {
            assert_eq!(table.answered(reply("x", sender)), arrival);
        }
        for expected in [b, a] {
            let next = call.next().now_or_never();
            assert!(matches!(next, Some(Ok((sender, _))) if sender == expected));
        }
        assert!(call.next().now_or_never().is_none());
    }
}
