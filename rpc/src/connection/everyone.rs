//! The outcomes of a call to everyone: one for each peer that was expected to answer.

use super::{Connection, read_reply, record_call};
use crate::{
    Address, CallError, Empty, Instance, Message, Method, Peer, Scope,
    in_flight::{Each, NoAnswer, outcome_of},
};
use futures_util::{
    Stream, StreamExt,
    future::BoxFuture,
    stream::{self, FuturesUnordered},
};
use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    marker::PhantomData,
    sync::Arc,
    time::Duration,
};
use tokio::time::{Instant, sleep_until};

/// The method that silent peers are asked for; they need not know it.
const PROBE: &str = "Ping";

/// Peers are probed once nobody has answered for this long; then after twice as long, and so on.
const QUIET: Duration = Duration::from_millis(250);
/// The longest pause between two probes of a silent peer.
const QUIET_AT_MOST: Duration = Duration::from_secs(4);

/// The outcomes of one call to everyone, each as it comes. Dropping it ends the call for all that have none yet.
pub struct Outcomes<M: Method> {
    connection: Connection,
    service: Arc<str>,
    scope: Scope,
    started: Instant,
    answers: Each,
    /// The longest-lived process first: a simulation that is run again goes the same way.
    waiting: BTreeMap<Instance, Arc<str>>,
    ended: VecDeque<(Peer, CallError)>,
    probes: FuturesUnordered<BoxFuture<'static, (Instance, bool)>>,
    quiet: Duration,
    probe_at: Instant,
    method: PhantomData<fn() -> M>,
}

impl<M: Method> Outcomes<M> {
    pub(super) fn new(
        connection: Connection,
        service: Arc<str>,
        answers: Each,
        waiting: HashMap<Instance, Arc<str>>,
        scope: Scope,
        started: Instant,
    ) -> Self {
        Self {
            connection,
            service,
            scope,
            started,
            answers,
            waiting: waiting.into_iter().collect(),
            ended: VecDeque::new(),
            probes: FuturesUnordered::new(),
            quiet: QUIET,
            probe_at: Instant::now() + QUIET,
            method: PhantomData,
        }
    }

    /// The next peer's outcome; none when each has had its own.
    pub async fn next(&mut self) -> Option<(Peer, Result<M::Reply, CallError>)> {
        loop {
            if let Some((peer, error)) = self.ended.pop_front() {
                return Some(self.recorded(peer, Err(error)));
            }
            if self.waiting.is_empty() {
                return None;
            }
            tokio::select! {
                biased;
                answer = self.answers.next() => match answer {
                    Ok((instance, answer)) => if let Some(outcome) = self.take(instance, answer) {
                        return Some(outcome);
                    },
                    Err(NoAnswer::Returned) => self.end_all(|address| CallError::unroutable(&address)),
                    Err(NoAnswer::Lost) => self.end_all(|_| CallError::Disconnected),
                },
                Some((instance, gone)) = self.probes.next() => if gone {
                    self.end_gone(instance);
                },
                () = sleep_until(self.probe_at), if self.probes.is_empty() => self.probe(),
                () = sleep_until(self.scope.deadline.instant()) => {
                    self.end_all(|_| CallError::DeadlineExceeded { sent: true });
                }
            }
        }
    }

    /// How many peers have no outcome yet.
    #[must_use]
    pub fn remaining(&self) -> usize {
        self.waiting.len() + self.ended.len()
    }

    /// The same as a stream.
    pub fn into_stream(self) -> impl Stream<Item = (Peer, Result<M::Reply, CallError>)> + Send {
        stream::unfold(self, async |mut outcomes| Some((outcomes.next().await?, outcomes)))
    }

    fn take(&mut self, instance: Instance, answer: Message) -> Option<(Peer, Result<M::Reply, CallError>)> {
        self.probe_at = Instant::now() + self.quiet;
        let peer = Peer { name: self.waiting.remove(&instance)?, instance };
        let outcome = outcome_of(answer).and_then(|reply| read_reply(&reply));
        Some(self.recorded(peer, outcome))
    }

    fn recorded(
        &self,
        peer: Peer,
        outcome: Result<M::Reply, CallError>,
    ) -> (Peer, Result<M::Reply, CallError>) {
        record_call(M::NAME, outcome.as_ref().err(), self.started);
        (peer, outcome)
    }

    fn end_all(&mut self, how: impl Fn(Address) -> CallError) {
        let ended = std::mem::take(&mut self.waiting).into_iter().map(|(instance, name)| {
            let error = how(Address::peer(self.service.clone(), name.clone()));
            (Peer { name, instance }, error)
        });
        self.ended.extend(ended);
    }

    /// Asks each that is silent, directly, whether it is there.
    fn probe(&mut self) {
        for (instance, name) in &self.waiting {
            let (connection, instance) = (self.connection.clone(), *instance);
            let address = Address::peer(self.service.clone(), name.clone()).at_instance(instance);
            let scope = self.scope.at_most(QUIET_AT_MOST);
            self.probes
                .push(Box::pin(async move { (instance, connection.finds_nobody(&address, scope).await) }));
        }
        self.quiet = (self.quiet * 2).min(QUIET_AT_MOST);
        self.probe_at = Instant::now() + self.quiet;
    }

    fn end_gone(&mut self, instance: Instance) {
        if let Some(name) = self.waiting.remove(&instance) {
            let address = Address::peer(self.service.clone(), name.clone()).to_string();
            self.ended.push_back((Peer { name, instance }, CallError::Unroutable { address, sent: true }));
        }
    }
}

impl Connection {
    /// Whether the broker knows nobody at this address any more. Any answer says that somebody is there, also that it
    /// knows no such method; silence says nothing.
    async fn finds_nobody(&self, address: &Address, scope: Scope) -> bool {
        let Ok(body) = self.write(&Empty {}) else { return false };
        matches!(self.exchange(address, PROBE, body, scope).await, Err(CallError::Unroutable { .. }))
    }
}
