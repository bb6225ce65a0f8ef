//! What a server takes on, what it leaves, and how it stops.

use bellwether_rpc::{Address, Call, CallError, Connection, FaultKind, Limits, Router};
use bellwether_tests::eventually;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::fixture::Broker;
use crate::service::{
    Handlers, Note, Serving, Wait, assert_fault, assert_unroutable, echo, long, next, short, the_peer,
    the_service, within,
};

type Calling = JoinHandle<Result<String, CallError>>;

/// A call of `Wait`, under way.
fn wait(client: &Connection, text: &str) -> Calling {
    let (client, text) = (client.clone(), text.to_owned());
    tokio::spawn(async move { client.call::<Wait>(&the_service(), &text, long()).await })
}

/// A call of `Note`, under way.
fn note(client: &Connection, text: &str) -> JoinHandle<Result<(), CallError>> {
    let (client, text) = (client.clone(), text.to_owned());
    tokio::spawn(async move { client.call::<Note>(&the_service(), &text, long()).await })
}

async fn outcome(calling: Calling) -> Result<String, CallError> {
    within("the call ends", calling).await.expect("no panic")
}

pub(crate) async fn a_busy_server_answers_overloaded_at_once(broker: impl Broker) {
    let (server, client) = (broker.connection().await, broker.connection().await);
    let limits = Limits { concurrency: 2, prefetch: 8, ..Limits::default() };
    let mut handlers = Handlers::new();
    let _serving = Serving::limited(&server, &the_service(), handlers.router, limits).await;
    let running = [wait(&client, "one"), wait(&client, "two")];
    next(&mut handlers.seen).await;
    next(&mut handlers.seen).await;

    for _ in 0..20 {
        assert_fault(&echo(&client, &the_service(), "me too").await, FaultKind::Overloaded);
    }
    Handlers::open(&handlers.gate);
    for running in running {
        assert!(outcome(running).await.is_ok());
    }
    eventually("there is room again", async || echo(&client, &the_service(), "now").await).await;
}

/// A flood of calls cannot starve the beats behind it.
pub(crate) async fn a_queued_method_gets_through_to_a_busy_server(broker: impl Broker) {
    let (server, client) = (broker.connection().await, broker.connection().await);
    let limits = Limits { concurrency: 1, prefetch: 4, ..Limits::default() };
    let (queue, mut queued) = mpsc::channel::<Call<Note>>(2);
    let mut handlers = Handlers::new();
    let router = handlers.router.queued::<Note>(move |call| call.hand_to(&queue));
    let _serving = Serving::limited(&server, &the_service(), router, limits).await;
    let running = wait(&client, "one");
    next(&mut handlers.seen).await;

    // More of them than the prefetch: each is finished, and leaves its place to the next.
    for n in 0..12 {
        let text = n.to_string();
        client.notify::<Note>(&the_service(), &text, long()).await.expect("sent");
        let call = within("it is queued", queued.recv()).await.expect("a call");
        assert_eq!((&call.request, call.context.notification), (&text, true));
        call.answer(Ok(())).await;
    }
    let asking = note(&client, "asks");
    within("it is queued", queued.recv()).await.expect("a call").answer(Ok(())).await;
    assert_eq!(within("an answer", asking).await.expect("no panic"), Ok(()));
    Handlers::open(&handlers.gate);
    assert!(outcome(running).await.is_ok());
}

pub(crate) async fn a_full_queue_answers_overloaded_and_a_dropped_call_internal(broker: impl Broker) {
    let (server, client) = (broker.connection().await, broker.connection().await);
    let (queue, mut queued) = mpsc::channel::<Call<Note>>(1);
    let router = Router::new().queued::<Note>(move |call| call.hand_to(&queue));
    let _serving = Serving::start(&server, &the_service(), router).await;
    let first = note(&client, "first");
    eventually("it is queued", async || queued.len() == 1).await;
    assert_fault(
        &within("an answer", note(&client, "second")).await.expect("no panic"),
        FaultKind::Overloaded,
    );
    drop(queued.recv().await);
    assert_fault(&within("an answer", first).await.expect("no panic"), FaultKind::Internal);
    drop(queued);
    assert_fault(
        &within("an answer", note(&client, "third")).await.expect("no panic"),
        FaultKind::Unavailable,
    );
}

pub(crate) async fn an_expired_request_is_never_handled(broker: impl Broker) {
    let (first, client) = (broker.connection().await, broker.connection().await);
    Serving::start(&first, &the_service(), Handlers::new().router).await.stop().await;
    eventually("nobody takes it, and it ends by its deadline", async || {
        client.call::<Wait>(&the_service(), &"expired".into(), short()).await
            == Err(CallError::DeadlineExceeded { sent: true })
    })
    .await;
    client.notify::<Note>(&the_service(), &"expired".into(), short()).await.expect("sent");
    // What comes back shows that what was sent before it has arrived: from here on its time runs at the broker.
    assert_unroutable(&echo(&client, &Address::shared("nobody"), "anybody?").await);
    tokio::time::sleep(Duration::from_millis(400)).await;

    let second = broker.connection().await;
    let mut handlers = Handlers::new();
    let _serving = Serving::start(&second, &the_service(), handlers.router).await;
    client.notify::<Note>(&the_service(), &"marker".into(), long()).await.expect("sent");
    assert_eq!(next(&mut handlers.seen).await.0, "marker");
}

pub(crate) async fn what_waits_in_a_shared_queue_is_handled_by_the_next_server(broker: impl Broker) {
    let (first, client) = (broker.connection().await, broker.connection().await);
    let serving = Serving::start(&first, &the_service(), Handlers::new().router).await;
    serving.stop().await;
    first.close().await;
    let calling = tokio::spawn({
        let client = client.clone();
        async move { echo(&client, &the_service(), "patient").await }
    });
    eventually("it is in flight", async || client.in_flight() == 1).await;
    let second = broker.connection().await;
    let _serving = Serving::start(&second, &the_service(), Handlers::new().router).await;
    assert_eq!(outcome(calling).await.as_deref(), Ok("patient"));
}

pub(crate) async fn a_request_unfinished_by_a_lost_server_is_delivered_again_to_another(broker: impl Broker) {
    let (first, client) = (broker.connection().await, broker.connection().await);
    let limits = Limits { prefetch: 1, ..Limits::default() };
    let mut hanging = Handlers::new();
    let serving = Serving::limited(&first, &the_service(), hanging.router, limits).await;
    let calling = wait(&client, "twice");
    assert!(!next(&mut hanging.seen).await.1.redelivered);

    let second = broker.connection().await;
    let mut handlers = Handlers::new();
    Handlers::open(&handlers.gate);
    let _serving = Serving::start(&second, &the_service(), handlers.router).await;
    serving.begin_to_stop();
    broker.cut(first.instance()).await;
    let (text, cx) = next(&mut handlers.seen).await;
    assert_eq!((text.as_str(), cx.redelivered), ("twice", true));
    assert_eq!(outcome(calling).await.as_deref(), Ok("twice"));
}

/// The first server's handler has begun; a second that refuses the request cannot call it untouched.
pub(crate) async fn a_redelivered_request_that_is_refused_is_not_safe_to_resend(broker: impl Broker) {
    let (first, client) = (broker.connection().await, broker.connection().await);
    let limits = Limits { prefetch: 1, ..Limits::default() };
    let mut hanging = Handlers::new();
    let serving = Serving::limited(&first, &the_service(), hanging.router, limits).await;
    let calling = wait(&client, "twice");
    next(&mut hanging.seen).await;

    let second = broker.connection().await;
    let limits = Limits { concurrency: 1, prefetch: 8, ..Limits::default() };
    let mut busy = Handlers::new();
    let _serving = Serving::limited(&second, &the_service(), busy.router, limits).await;
    let running = wait(&client, "busy");
    assert_eq!(next(&mut busy.seen).await.0, "busy");
    assert_fault(&echo(&client, &the_service(), "fresh").await, FaultKind::Overloaded);

    serving.begin_to_stop();
    broker.cut(first.instance()).await;
    let refused = outcome(calling).await.expect_err("every handler is busy");
    assert!(!refused.is_safe_to_resend(), "its handler has run: {refused:?}");
    Handlers::open(&busy.gate);
    assert!(outcome(running).await.is_ok());
}

pub(crate) async fn shutdown_drains(broker: impl Broker) {
    let (server, client) = (broker.connection().await, broker.connection().await);
    let mut handlers = Handlers::new();
    let serving = Serving::start(&server, &the_service(), handlers.router).await;
    let running = wait(&client, "runs");
    next(&mut handlers.seen).await;

    serving.begin_to_stop();
    let mut bound = serving.bound.clone();
    within("it says so", bound.wait_for(Option::is_none)).await.expect("it still drains");
    let outcome_of_new = client.call::<Wait>(&the_service(), &"new".into(), short()).await;
    assert_eq!(outcome_of_new, Err(CallError::DeadlineExceeded { sent: true }));
    assert!(handlers.seen.try_recv().is_err());

    Handlers::open(&handlers.gate);
    assert_eq!(outcome(running).await.as_deref(), Ok("runs"));
    serving.stop().await;
}

pub(crate) async fn a_drain_ends_although_a_handler_hangs(broker: impl Broker) {
    let (server, client) = (broker.connection().await, broker.connection().await);
    let limits = Limits { drain: Duration::from_millis(100), ..Limits::default() };
    let mut handlers = Handlers::new();
    let serving = Serving::limited(&server, &the_service(), handlers.router, limits).await;
    let _hanging = wait(&client, "hangs");
    next(&mut handlers.seen).await;
    serving.stop().await;
}

/// Its caller does not see that another server answered.
pub(crate) async fn what_a_drain_has_not_finished_goes_to_another_server(broker: impl Broker) {
    let (hangs, other, client) =
        (broker.connection().await, broker.connection().await, broker.connection().await);
    let limits = Limits { drain: Duration::from_millis(100), ..Limits::default() };
    let mut handlers = Handlers::new();
    let serving = Serving::limited(&hangs, &the_service(), handlers.router, limits).await;
    let calling = wait(&client, "goes on elsewhere");
    assert!(!next(&mut handlers.seen).await.1.redelivered);

    let mut others = Handlers::new();
    Handlers::open(&others.gate);
    let _other = Serving::start(&other, &the_service(), others.router).await;
    serving.stop().await;
    assert!(next(&mut others.seen).await.1.redelivered);
    assert_eq!(outcome(calling).await.as_deref(), Ok("goes on elsewhere"));
}

/// One delivery that is still being dealt with does not hold the others back.
pub(crate) async fn a_dropped_consumer_hands_back_what_it_has_not_given_out(broker: impl Broker) {
    use futures_util::StreamExt;

    let (consumer, client) = (broker.connect().await, broker.connection().await);
    let mut deliveries = consumer.consume(&the_service(), 8).await.expect("a consumer");
    // Nobody else takes them, and all of them are outstanding.
    let calls: Vec<_> = (0..8).map(|n| wait(&client, &n.to_string())).collect();
    let first = within("a delivery", deliveries.next()).await.expect("a delivery");
    drop(deliveries);

    let server = broker.connection().await;
    let mut handlers = Handlers::new();
    Handlers::open(&handlers.gate);
    let _serving = Serving::start(&server, &the_service(), handlers.router).await;
    for _ in 0..7 {
        next(&mut handlers.seen).await;
    }
    assert!(handlers.seen.try_recv().is_err());
    first.receipt.ack().await;
    for calling in calls {
        calling.abort();
    }
}

pub(crate) async fn a_peer_can_be_served_twice_after_each_other(broker: impl Broker) {
    let (server, client) = (broker.connection().await, broker.connection().await);
    let first = Serving::start(&server, &the_peer(), Handlers::new().router).await;
    let second = Serving::start(&server, &the_peer(), Handlers::new().router).await;
    first.stop().await;
    assert_eq!(echo(&client, &the_peer(), "who").await.as_deref(), Ok("who"));
    second.stop().await;
    server.close().await;
    eventually("nobody is left", async || {
        matches!(echo(&client, &the_peer(), "who").await, Err(CallError::Unroutable { .. }))
    })
    .await;
    assert_unroutable(&echo(&client, &the_peer(), "who").await);
}
