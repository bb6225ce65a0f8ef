//! The table of calls that wait for an answer.

use crate::{CallError, CorrelationId, Fault, FaultKind, Generation, Instance, message::FAULT};
use crate::{Message, message::decode};
use bytes::Bytes;
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};
use tokio::sync::oneshot;

/// How a call ends: the encoded reply, or why there is none.
pub(crate) type Outcome = Result<Bytes, CallError>;

/// The calls that wait for an answer, by correlation id. Each leaves it exactly once.
#[derive(Debug)]
pub(crate) struct InFlight {
    calls: Mutex<HashMap<CorrelationId, Waiter>>,
    limit: usize,
}

#[derive(Debug)]
struct Waiter {
    address: String,
    meant: Option<Instance>,
    over: Generation,
    outcome: oneshot::Sender<Outcome>,
}

/// A place in the table. Dropping it frees the place at once.
pub(crate) struct Place<'a> {
    table: &'a InFlight,
    id: CorrelationId,
    outcome: oneshot::Receiver<Outcome>,
}

impl Place<'_> {
    /// Waits for the outcome.
    pub(crate) async fn outcome(&mut self) -> Outcome {
        (&mut self.outcome).await.unwrap_or(Err(CallError::Disconnected))
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.table.lock().remove(&self.id);
    }
}

/// What became of an answer that arrived.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// It ended its call.
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
        &self,
        id: CorrelationId,
        address: String,
        meant: Option<Instance>,
        over: Generation,
    ) -> Option<Place<'_>> {
        let (sender, outcome) = oneshot::channel();
        let mut calls = self.lock();
        if calls.len() >= self.limit {
            return None;
        }
        calls.insert(id.clone(), Waiter { address, meant, over, outcome: sender });
        drop(calls);
        Some(Place { table: self, id, outcome })
    }

    /// An answer has arrived.
    pub(crate) fn answered(&self, message: &Message) -> Arrival {
        let Some(id) = &message.correlation_id else { return Arrival::Unexpected };
        let mut calls = self.lock();
        let Some(waiter) = calls.get(id) else { return Arrival::Unexpected };
        let outcome = read_answer(message);
        if is_from_another_instance(waiter, message, &outcome) {
            return Arrival::WrongInstance;
        }
        if let Some(waiter) = calls.remove(id) {
            let _ = waiter.outcome.send(outcome);
        }
        Arrival::Delivered
    }

    /// The broker found nobody at the call's address.
    pub(crate) fn returned(&self, id: &CorrelationId) {
        if let Some(waiter) = self.lock().remove(id) {
            let _ = waiter.outcome.send(Err(CallError::Unroutable { address: waiter.address }));
        }
    }

    /// The reply queue of this generation is gone: no answer can come to what went over it, or one before. What goes
    /// over the next may be in the table already.
    pub(crate) fn fail_through(&self, lost: Generation) -> usize {
        let failed: Vec<_> = self.lock().extract_if(|_, waiter| waiter.over <= lost).collect();
        let count = failed.len();
        for (_, waiter) in failed {
            let _ = waiter.outcome.send(Err(CallError::Disconnected));
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

fn read_answer(message: &Message) -> Outcome {
    if message.kind != FAULT {
        return Ok(message.body.clone());
    }
    let fault = decode::<Fault>(&message.body)
        .unwrap_or_else(|error| Fault::internal(format!("a fault that cannot be read: {error}")));
    Err(fault.into())
}

fn is_from_another_instance(waiter: &Waiter, message: &Message, outcome: &Outcome) -> bool {
    let unavailable = matches!(outcome, Err(CallError::Fault(fault)) if fault.kind == FaultKind::Unavailable);
    unavailable && waiter.meant.is_some() && message.sender != waiter.meant
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    fn table() -> InFlight {
        InFlight::new(2)
    }

    fn id(text: &str) -> CorrelationId {
        CorrelationId(text.to_owned())
    }

    fn reply(to: &str, sender: Instance) -> Message {
        Message::answer(Some(id(to)), sender, Ok(Bytes::from_static(b"1")))
    }

    #[test]
    fn an_answer_ends_its_own_call_and_a_second_one_is_unexpected() {
        let table = table();
        let server = Instance::new();
        let mut a = table.enter(id("a"), "x".into(), None, 1).expect("room");
        let mut b = table.enter(id("b"), "x".into(), None, 1).expect("room");
        assert_eq!(table.answered(&reply("a", server)), Arrival::Delivered);
        assert_eq!(table.answered(&reply("a", server)), Arrival::Unexpected);
        assert_eq!(a.outcome().now_or_never(), Some(Ok(Bytes::from_static(b"1"))));
        assert_eq!(b.outcome().now_or_never(), None);
    }

    #[test]
    fn a_full_table_takes_no_more_and_a_dropped_place_is_free_at_once() {
        let table = table();
        let a = table.enter(id("a"), "x".into(), None, 1);
        let _b = table.enter(id("b"), "x".into(), None, 1);
        assert!(table.enter(id("c"), "x".into(), None, 1).is_none());
        drop(a);
        assert_eq!(table.len(), 1);
        assert!(table.enter(id("c"), "x".into(), None, 1).is_some());
    }

    #[test]
    fn a_lost_reply_queue_fails_every_call_in_flight() {
        let table = table();
        let mut a = table.enter(id("a"), "x".into(), None, 1).expect("room");
        assert_eq!(table.fail_through(1), 1);
        assert_eq!(a.outcome().now_or_never(), Some(Err(CallError::Disconnected)));
        assert_eq!(table.len(), 0);
    }

    #[test]
    fn news_of_a_lost_reply_queue_that_come_late_end_no_call_over_the_next() {
        let table = table();
        let mut a = table.enter(id("a"), "x".into(), None, 1).expect("room");
        let mut b = table.enter(id("b"), "x".into(), None, 2).expect("room");
        assert_eq!(table.fail_through(1), 1);
        assert_eq!(a.outcome().now_or_never(), Some(Err(CallError::Disconnected)));
        assert_eq!(b.outcome().now_or_never(), None);
    }

    #[test]
    fn the_right_instance_wins_over_another_of_the_same_name() {
        let table = table();
        let (meant, other) = (Instance::new(), Instance::new());
        let mut call = table.enter(id("a"), "x".into(), Some(meant), 1).expect("room");
        let not_me = Message::answer(Some(id("a")), other, Err(Fault::unavailable("not me")));
        assert_eq!(table.answered(&not_me), Arrival::WrongInstance);
        assert_eq!(table.answered(&reply("a", meant)), Arrival::Delivered);
        assert!(matches!(call.outcome().now_or_never(), Some(Ok(_))));
    }

    #[test]
    fn a_return_says_who_is_not_there() {
        let table = table();
        let mut call = table.enter(id("a"), "agent/node-7".into(), None, 1).expect("room");
        table.returned(&id("a"));
        let unroutable = CallError::Unroutable { address: "agent/node-7".into() };
        assert_eq!(call.outcome().now_or_never(), Some(Err(unroutable)));
    }
}
