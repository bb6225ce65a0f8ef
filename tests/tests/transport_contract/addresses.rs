//! Whom a message reaches, and how soon it is known that it reached nobody.

use bellwether_rpc::{Address, CallError, FaultKind, Instance, Limits, Router};
use bellwether_tests::eventually;
use futures_util::future::join_all;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::fixture::Broker;
use crate::service::{
    Echo, Handlers, Note, Serving, assert_fault, assert_unroutable, echo, long, next, short, the_peer,
    the_service, within,
};

/// With a deadline of 30 s, an outcome of this kind is one that came at once.
pub(crate) async fn a_shared_address_without_a_server_is_unroutable(broker: impl Broker) {
    let client = broker.connection().await;
    for _ in 0..3 {
        assert_unroutable(&echo(&client, &the_service(), "anybody?").await);
    }
    assert_eq!(client.in_flight(), 0);
}

pub(crate) async fn a_peer_that_is_not_there_is_unroutable_at_once(broker: impl Broker) {
    let (server, client) = (broker.connection().await, broker.connection().await);
    assert_unroutable(&echo(&client, &the_peer(), "anybody?").await);
    let other = Address::peer("abacus", "bead-2");
    let _serving = Serving::start(&server, &other, Handlers::new().router).await;
    assert_unroutable(&echo(&client, &the_peer(), "anybody?").await);
    assert_eq!(echo(&client, &other, "you?").await.as_deref(), Ok("you?"));
}

pub(crate) async fn many_calls_to_nobody_among_calls_to_somebody_all_end(broker: impl Broker) {
    let (server, client) = (broker.connection().await, broker.connection().await);
    let limits = Limits { concurrency: 200, prefetch: 400, ..Limits::default() };
    let _serving = Serving::limited(&server, &the_peer(), Handlers::new().router, limits).await;
    let nobody = [Address::peer("abacus", "nobody"), Address::shared("nobody")];
    let calls = (0..300).map(async |n| {
        let outcome = match n % 3 {
            0 => echo(&client, &the_peer(), "here").await,
            either => echo(&client, &nobody[either - 1], "there").await,
        };
        match n % 3 {
            0 => assert_eq!(outcome.as_deref(), Ok("here")),
            _ => assert_unroutable(&outcome),
        }
    });
    join_all(calls).await;
    assert_eq!(client.in_flight(), 0);
}

pub(crate) async fn a_notification_to_nobody_is_no_error(broker: impl Broker) {
    let client = broker.connection().await;
    for address in [the_service(), the_peer(), Address::everyone("abacus")] {
        assert_eq!(client.notify::<Note>(&address, &"anybody".into(), long()).await, Ok(()));
    }
    assert_unroutable(&echo(&client, &the_peer(), "anybody?").await);
}

pub(crate) async fn a_peer_that_is_gone_is_unroutable_at_once(broker: impl Broker) {
    let (server, client) = (broker.connection().await, broker.connection().await);
    let _serving = Serving::start(&server, &the_peer(), Handlers::new().router).await;
    assert_eq!(echo(&client, &the_peer(), "you?").await.as_deref(), Ok("you?"));
    server.close().await;
    eventually("it is unroutable", async || match echo(&client, &the_peer(), "you?").await {
        Err(CallError::Unroutable { .. }) => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
}

pub(crate) async fn a_stopped_peer_server_is_unroutable(broker: impl Broker) {
    let (server, client) = (broker.connection().await, broker.connection().await);
    for round in 0..3 {
        let serving = Serving::start(&server, &the_peer(), Handlers::new().router).await;
        assert_eq!(echo(&client, &the_peer(), "you?").await.as_deref(), Ok("you?"), "round {round}");
        serving.stop().await;
        // Its consumer is cancelled a moment after it has stopped; till then calls wait in vain.
        eventually("it is unroutable", async || {
            match client.call::<Echo>(&the_peer(), &"you?".into(), short()).await {
                Err(CallError::Unroutable { .. }) => Ok(()),
                other => Err(format!("{other:?}")),
            }
        })
        .await;
    }
}

pub(crate) async fn two_servers_share_the_load(broker: impl Broker) {
    let client = broker.connection().await;
    let mut servers = Vec::new();
    let counts = [Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0))];
    for count in &counts {
        let connection = broker.connection().await;
        servers.push(Serving::start(&connection, &the_service(), counting(count.clone())).await);
    }
    for _ in 0..40 {
        echo(&client, &the_service(), "whoever").await.expect("an answer");
    }
    let [one, other] = counts.map(|count| count.load(Ordering::Relaxed));
    assert!(one > 0 && other > 0 && one + other == 40, "{one} and {other}");
}

fn counting(count: Arc<AtomicUsize>) -> Router {
    Router::new().on::<Echo, _, _>(move |_, text| {
        count.fetch_add(1, Ordering::Relaxed);
        async move { Ok(text) }
    })
}

pub(crate) async fn everyone_gets_a_notification(broker: impl Broker) {
    let client = broker.connection().await;
    let mut all = Vec::new();
    for name in ["bead-1", "bead-2", "bead-3"] {
        let connection = broker.connection().await;
        let handlers = Handlers::new();
        let serving = Serving::start(&connection, &Address::peer("abacus", name), handlers.router).await;
        all.push((connection, serving, handlers.seen));
    }
    let other_service = broker.connection().await;
    let mut others = Handlers::new();
    let _others = Serving::start(&other_service, &Address::peer("slide-rule", "bead-1"), others.router).await;

    let everyone = Address::everyone("abacus");
    client.notify::<Note>(&everyone, &"all of you".into(), long()).await.expect("sent");
    client.notify::<Note>(&everyone, &"again".into(), long()).await.expect("sent");
    for (_, _, seen) in &mut all {
        let mut texts = [next(seen).await.0, next(seen).await.0];
        texts.sort();
        assert_eq!(texts, ["again", "all of you"]);
    }
    client
        .notify::<Note>(&Address::everyone("slide-rule"), &"you others".into(), long())
        .await
        .expect("sent");
    assert_eq!(next(&mut others.seen).await.0, "you others");
}

pub(crate) async fn another_instance_of_the_same_name_answers_unavailable_and_the_right_one_wins(
    broker: impl Broker,
) {
    let client = broker.connection().await;
    let mut servings = Vec::new();
    for _ in 0..3 {
        let connection = broker.connection().await;
        let serving = Serving::start(&connection, &the_peer(), Handlers::new().router).await;
        servings.push((connection, serving));
    }
    for (connection, _) in &servings {
        let meant = the_peer().at_instance(connection.instance());
        for _ in 0..10 {
            assert_eq!(echo(&client, &meant, "you").await.as_deref(), Ok("you"));
        }
    }
}

pub(crate) async fn a_wrong_instance_alone_ends_no_call_before_its_deadline(broker: impl Broker) {
    let (server, client) = (broker.connection().await, broker.connection().await);
    let mut handlers = Handlers::new();
    let _serving = Serving::start(&server, &the_peer(), handlers.router).await;
    let another = the_peer().at_instance(Instance::new());
    let outcome = client.call::<Echo>(&another, &"you".into(), short()).await;
    assert_eq!(outcome, Err(CallError::DeadlineExceeded { sent: true }));
    client.notify::<Note>(&another, &"for another".into(), long()).await.expect("sent");
    client.notify::<Note>(&the_peer(), &"for anyone".into(), long()).await.expect("sent");
    assert_eq!(next(&mut handlers.seen).await.0, "for anyone");
}

/// It says so itself, not for want of the instance that was meant.
pub(crate) async fn a_fault_of_the_right_instance_ends_the_call(broker: impl Broker) {
    let (server, client) = (broker.connection().await, broker.connection().await);
    let _serving = Serving::start(&server, &the_peer(), Handlers::new().router).await;
    let meant = the_peer().at_instance(server.instance());
    let refusing = client.call::<crate::service::Refuse>(&meant, &FaultKind::Unavailable, long());
    assert_fault(&within("an answer", refusing).await, FaultKind::Unavailable);
}
