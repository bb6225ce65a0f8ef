//! A call to everyone: one publish, and one outcome for each peer that was expected.

use std::collections::BTreeMap;
use std::sync::Arc;

use bellwether_rpc::{Address, CallError, Connection, Deadline, FaultKind, Instance, Method, Outcomes, Peer};
use bellwether_tests::eventually;

use crate::fixture::Broker;
use crate::service::{Echo, Handlers, Refuse, Serving, Wait, assert_fault, long, next, short, within};

/// A peer of the service `abacus` that is served.
struct Bead {
    connection: Connection,
    handlers: Handlers,
    serving: Serving,
    peer: Peer,
}

impl Bead {
    async fn start(broker: &impl Broker, name: &str) -> Self {
        let connection = broker.connection().await;
        let mut handlers = Handlers::new();
        let router = std::mem::take(&mut handlers.router);
        let serving = Serving::start(&connection, &Address::peer("abacus", name), router).await;
        let peer = Peer::new(name, connection.instance());
        Self { connection, handlers, serving, peer }
    }
}

async fn beads<const N: usize>(broker: &impl Broker) -> [Bead; N] {
    let mut started = Vec::new();
    for n in 1..=N {
        started.push(Bead::start(broker, &format!("bead-{n}")).await);
    }
    started.try_into().unwrap_or_else(|_| unreachable!("as many as there are"))
}

fn abacus() -> Arc<str> {
    "abacus".into()
}

async fn ask(client: &Connection, peers: &[&Peer], deadline: Deadline) -> Outcomes<Wait> {
    let peers = peers.iter().copied().cloned();
    let asked = client.call_everyone::<Wait>(&abacus(), &"all of you".into(), peers, deadline).await;
    asked.expect("it is sent")
}

/// All outcomes that come, by name; each comes once.
async fn all<M: Method>(mut outcomes: Outcomes<M>) -> BTreeMap<String, Result<M::Reply, CallError>> {
    let mut found = BTreeMap::new();
    while let Some((peer, outcome)) = within("the next outcome", outcomes.next()).await {
        assert!(found.insert(peer.name.to_string(), outcome).is_none(), "{} has two outcomes", peer.name);
    }
    found
}

pub(crate) async fn everyone_answers_and_each_has_one_outcome(broker: impl Broker) {
    let client = broker.connection().await;
    let beads = beads::<5>(&broker).await;
    let peers: Vec<_> = beads.iter().map(|bead| bead.peer.clone()).collect();
    for text in ["one", "two"] {
        let outcomes = client.call_everyone::<Echo>(&abacus(), &text.into(), peers.clone(), long()).await;
        let found = all(outcomes.expect("it is sent")).await;
        assert_eq!(found.len(), 5);
        assert!(found.values().all(|outcome| outcome.as_deref() == Ok(text)), "{found:?}");
    }
    let refused = client.call_everyone::<Refuse>(&abacus(), &FaultKind::Rejected, peers, long()).await;
    for outcome in all(refused.expect("it is sent")).await.values() {
        assert_fault(outcome, FaultKind::Rejected);
    }
    assert_eq!(client.in_flight(), 0);
}

/// Known by a probe, with half a minute left.
pub(crate) async fn a_peer_that_has_gone_is_known_before_the_deadline(broker: impl Broker) {
    let client = broker.connection().await;
    let [stays, goes] = beads::<2>(&broker).await;
    goes.serving.stop().await;
    goes.connection.close().await;
    Handlers::open(&stays.handlers.gate);
    let found = all(ask(&client, &[&stays.peer, &goes.peer], long()).await).await;
    assert_eq!(found["bead-1"].as_deref(), Ok("all of you"));
    let gone = found["bead-2"].clone().expect_err("it is not there");
    assert!(matches!(gone, CallError::Unroutable { sent: true, .. }), "{gone:?}");
    assert!(!gone.is_safe_to_resend(), "it may have been there a moment ago");
}

/// One that is there and says nothing is waited for, and keeps nobody else.
pub(crate) async fn a_silent_peer_ends_at_the_deadline_and_the_others_when_they_answer(broker: impl Broker) {
    let client = broker.connection().await;
    let [answers, silent] = beads::<2>(&broker).await;
    Handlers::open(&answers.handlers.gate);
    let mut outcomes = ask(&client, &[&answers.peer, &silent.peer], short()).await;
    let (first, outcome) = within("the one that answers", outcomes.next()).await.expect("an outcome");
    assert_eq!((first, outcome.as_deref()), (answers.peer, Ok("all of you")));
    assert_eq!(outcomes.remaining(), 1);
    let (second, outcome) = within("the deadline", outcomes.next()).await.expect("an outcome");
    assert_eq!((second, outcome), (silent.peer, Err(CallError::DeadlineExceeded { sent: true })));
    assert!(outcomes.next().await.is_none());
}

/// It hears the call all the same: it was for everyone.
pub(crate) async fn whoever_is_not_expected_is_not_waited_for(broker: impl Broker) {
    let client = broker.connection().await;
    let [expected, mut other] = beads::<2>(&broker).await;
    Handlers::open(&expected.handlers.gate);
    let found = all(ask(&client, &[&expected.peer], long()).await).await;
    assert_eq!(found.keys().collect::<Vec<_>>(), ["bead-1"]);
    assert_eq!(next(&mut other.handlers.seen).await.0, "all of you");
    assert_eq!(client.in_flight(), 0);
}

pub(crate) async fn a_call_to_everyone_where_nobody_is_ends_at_once(broker: impl Broker) {
    let client = broker.connection().await;
    let nobody = [Peer::new("bead-1", Instance::new()), Peer::new("bead-2", Instance::new())];
    let found = all(ask(&client, &[&nobody[0], &nobody[1]], long()).await).await;
    assert_eq!(found.len(), 2);
    for outcome in found.values() {
        let error = outcome.as_ref().expect_err("nobody is there");
        assert!(matches!(error, CallError::Unroutable { sent: false, .. }), "{error:?}");
    }
}

pub(crate) async fn dropped_outcomes_free_their_place(broker: impl Broker) {
    let client = broker.connection().await;
    let [mut bead] = beads::<1>(&broker).await;
    let outcomes = ask(&client, &[&bead.peer], long()).await;
    next(&mut bead.handlers.seen).await;
    assert_eq!(client.in_flight(), 1);
    drop(outcomes);
    eventually("its place is free", async || client.in_flight() == 0).await;
}

pub(crate) async fn a_cut_link_ends_all_outcomes_that_are_open_as_disconnected(broker: impl Broker) {
    let client = broker.connection().await;
    let [answers, mut silent] = beads::<2>(&broker).await;
    Handlers::open(&answers.handlers.gate);
    let mut outcomes = ask(&client, &[&answers.peer, &silent.peer], long()).await;
    let (first, _) = within("the one that answers", outcomes.next()).await.expect("an outcome");
    assert_eq!(first, answers.peer);
    next(&mut silent.handlers.seen).await;
    broker.cut(client.instance()).await;
    let (second, outcome) = within("the end", outcomes.next()).await.expect("an outcome");
    assert_eq!((second, outcome), (silent.peer, Err(CallError::Disconnected)));
}

pub(crate) async fn a_plain_call_to_everyone_is_refused(broker: impl Broker) {
    let client = broker.connection().await;
    let outcome = client.call::<Echo>(&Address::everyone("abacus"), &"you".into(), long()).await;
    assert!(matches!(outcome, Err(CallError::Invalid { .. })), "{outcome:?}");
}

/// Each has its own outcome; a third of that name hears it, and is not waited for.
pub(crate) async fn two_processes_of_one_name_are_two_peers(broker: impl Broker) {
    let client = broker.connection().await;
    let mut processes = Vec::new();
    for _ in 0..3 {
        processes.push(Bead::start(&broker, "bead-1").await);
    }
    let expected: Vec<_> = processes[..2].iter().map(|bead| bead.peer.clone()).collect();
    let asked = client.call_everyone::<Echo>(&abacus(), &"you".into(), expected.clone(), long()).await;
    let mut outcomes = asked.expect("it is sent");
    let mut answered = Vec::new();
    while let Some((peer, outcome)) = within("an outcome", outcomes.next()).await {
        assert_eq!(outcome.as_deref(), Ok("you"));
        answered.push(peer);
    }
    answered.sort_by_key(|peer| peer.instance);
    assert_eq!(answered, expected);
}
