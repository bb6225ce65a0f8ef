//! How a call ends.

use bellwether_rpc::{
    CallError, Connection, CorrelationId, Deadline, Encoding, FaultKind, Limits, Message, PROTOCOL, Router,
    Scope, TraceParent, Transport, transport::Inbound,
};
use bellwether_tests::eventually;
use bytes::Bytes;
use futures_util::future::join_all;
use std::{sync::Arc, time::Duration};
use tokio::sync::mpsc;

use crate::fixture::Broker;
use crate::service::{
    Echo, EchoOfANumber, Handlers, Missing, Note, Panic, Refuse, Serving, Wait, assert_fault, echo, long,
    next, short, the_peer, the_service, within,
};

pub(crate) async fn a_call_is_answered(broker: impl Broker) {
    let (server, client) = (broker.connection().await, broker.connection().await);
    for address in [the_service(), the_peer()] {
        let serving = Serving::start(&server, &address, Handlers::new().router).await;
        assert_eq!(echo(&client, &address, "two").await.as_deref(), Ok("two"));
        serving.stop().await;
    }
    assert_eq!(client.in_flight(), 0);
}

pub(crate) async fn concurrent_calls_each_get_their_own_answer(broker: impl Broker) {
    let (server, client) = (broker.connection().await, broker.connection().await);
    let limits = Limits { concurrency: 256, prefetch: 512, ..Limits::default() };
    for address in [the_service(), the_peer()] {
        let serving = Serving::limited(&server, &address, Handlers::new().router, limits.clone()).await;
        let texts: Vec<_> = (0..256).map(|n| n.to_string()).collect();
        let answers = join_all(texts.iter().map(|text| echo(&client, &address, text))).await;
        let answers: Result<Vec<_>, _> = answers.into_iter().collect();
        assert_eq!(answers, Ok(texts));
        serving.stop().await;
    }
}

pub(crate) async fn a_large_body_arrives_whole(broker: impl Broker) {
    let (server, client) = (broker.connection().await, broker.connection().await);
    let _serving = Serving::start(&server, &the_service(), Handlers::new().router).await;
    let text: String = (0..200_000).map(|n| n.to_string()).collect();
    assert_eq!(echo(&client, &the_service(), &text).await, Ok(text));
}

pub(crate) async fn a_fault_comes_back_typed(broker: impl Broker) {
    let (server, client) = (broker.connection().await, broker.connection().await);
    let _serving = Serving::start(&server, &the_peer(), Handlers::new().router).await;
    use FaultKind::*;
    for kind in [
        UnknownMethod,
        BadRequest,
        Rejected,
        Superseded,
        Overloaded,
        DeadlineExceeded,
        Unavailable,
        Unauthorized,
        Internal,
    ] {
        let outcome = client.call::<Refuse>(&the_peer(), &kind, long()).await;
        let Err(CallError::Fault(fault)) = outcome else { panic!("{outcome:?}") };
        assert_eq!((fault.kind, fault.message.as_str()), (kind, "as you wish"));
    }
}

pub(crate) async fn a_panic_is_an_internal_fault(broker: impl Broker) {
    let (server, client) = (broker.connection().await, broker.connection().await);
    let _serving = Serving::start(&server, &the_service(), Handlers::new().router).await;
    assert_fault(&client.call::<Panic>(&the_service(), &(), long()).await, FaultKind::Internal);
    assert_eq!(echo(&client, &the_service(), "still here").await.as_deref(), Ok("still here"));
}

pub(crate) async fn an_unknown_method_is_a_fault(broker: impl Broker) {
    let (server, client) = (broker.connection().await, broker.connection().await);
    let _serving = Serving::start(&server, &the_service(), Handlers::new().router).await;
    assert_fault(&client.call::<Missing>(&the_service(), &(), long()).await, FaultKind::UnknownMethod);
}

pub(crate) async fn an_undecodable_body_is_a_bad_request(broker: impl Broker) {
    let (server, client) = (broker.connection().await, broker.connection().await);
    let _serving = Serving::start(&server, &the_service(), Handlers::new().router).await;
    assert_fault(&client.call::<EchoOfANumber>(&the_service(), &7, long()).await, FaultKind::BadRequest);
}

pub(crate) async fn a_body_beyond_the_limit_is_a_bad_request(broker: impl Broker) {
    let (server, client) = (broker.connection().await, broker.connection().await);
    let limits = Limits { body_bytes: 16, ..Limits::default() };
    let _serving = Serving::limited(&server, &the_service(), Handlers::new().router, limits).await;
    assert_fault(&echo(&client, &the_service(), "more than sixteen").await, FaultKind::BadRequest);
    assert_eq!(echo(&client, &the_service(), "less").await.as_deref(), Ok("less"));
}

pub(crate) async fn a_newer_protocol_is_a_bad_request(broker: impl Broker) {
    let (server, client) = (broker.connection().await, broker.connect().await);
    let _serving = Serving::start(&server, &the_service(), Handlers::new().router).await;
    let mut inbound = inbox(&client);
    let request = Message {
        kind: "Echo".into(),
        correlation_id: Some(CorrelationId("mine".into())),
        reply_to: None,
        message_id: "1".into(),
        sender: Some(client.instance()),
        target: None,
        deadline: Some(Duration::from_secs(30)),
        protocol: PROTOCOL + 1,
        trace: None,
        encoding: Some(Encoding::Json),
        body: Bytes::from_static(b"\"two\""),
    };
    client.send(&the_service(), request).await.expect("sent");
    let Some(Inbound::Answer(answer)) = within("it is answered", inbound.recv()).await else {
        panic!("no answer")
    };
    assert_eq!((answer.kind.as_str(), answer.correlation_id), ("fault", Some(CorrelationId("mine".into()))));
    assert!(answer.body.starts_with(br#"{"fault":"BadRequest""#), "{:?}", answer.body);
}

pub(crate) async fn a_call_with_nothing_left_is_not_sent(broker: impl Broker) {
    let (server, client) = (broker.connection().await, broker.connection().await);
    let mut handlers = Handlers::new();
    let _serving = Serving::start(&server, &the_service(), handlers.router).await;
    let nothing = Deadline::after(Duration::ZERO);
    let outcome = client.call::<Wait>(&the_service(), &"never".into(), nothing).await;
    assert_eq!(outcome, Err(CallError::DeadlineExceeded { sent: false }));
    let outcome = client.notify::<Note>(&the_service(), &"never".into(), nothing).await;
    assert_eq!(outcome, Err(CallError::DeadlineExceeded { sent: false }));
    client.notify::<Note>(&the_service(), &"sent".into(), long()).await.expect("sent");
    assert_eq!(next(&mut handlers.seen).await.0, "sent");
}

pub(crate) async fn a_call_ends_at_its_deadline_when_the_handler_hangs(broker: impl Broker) {
    let (server, client) = (broker.connection().await, broker.connection().await);
    let handlers = Handlers::new();
    let _serving = Serving::start(&server, &the_service(), handlers.router).await;
    let outcome = client.call::<Wait>(&the_service(), &"hangs".into(), short()).await;
    assert_eq!(outcome, Err(CallError::DeadlineExceeded { sent: true }));
    assert_eq!(client.in_flight(), 0);
}

pub(crate) async fn an_answer_that_comes_late_harms_nobody(broker: impl Broker) {
    let (server, client) = (broker.connection().await, broker.connection().await);
    let handlers = Handlers::new();
    let _serving = Serving::start(&server, &the_service(), handlers.router).await;
    let outcome = client.call::<Wait>(&the_service(), &"late".into(), short()).await;
    assert_eq!(outcome, Err(CallError::DeadlineExceeded { sent: true }));
    Handlers::open(&handlers.gate);
    assert_eq!(echo(&client, &the_service(), "next").await.as_deref(), Ok("next"));
}

pub(crate) async fn the_deadline_and_the_caller_reach_the_handler(broker: impl Broker) {
    let (server, client) = (broker.connection().await, broker.connection().await);
    let mut handlers = Handlers::new();
    let _serving = Serving::start(&server, &the_service(), handlers.router).await;
    Handlers::open(&handlers.gate);
    let deadline = long();
    client.call::<Wait>(&the_service(), &"who".into(), deadline).await.expect("an answer");
    let (_, cx) = next(&mut handlers.seen).await;
    assert_eq!(cx.caller, Some(client.instance()));
    assert!(!cx.redelivered && !cx.notification);
    // Measured from its arrival, so it ends no earlier than the caller's, but for the millisecond it travels in.
    let early = deadline.instant().saturating_duration_since(cx.deadline.instant());
    assert!(early <= Duration::from_millis(1), "{early:?} too early");
    assert!(cx.deadline.instant() <= deadline.instant() + Duration::from_secs(30));
}

pub(crate) async fn dropping_a_call_frees_its_place(broker: impl Broker) {
    let (server, client) = (broker.connection().await, broker.connection().await);
    let mut handlers = Handlers::new();
    let _serving = Serving::start(&server, &the_service(), handlers.router).await;
    let calling = tokio::spawn(wait(client.clone()));
    next(&mut handlers.seen).await;
    assert_eq!(client.in_flight(), 1);
    calling.abort();
    eventually("its place is free", async || client.in_flight() == 0).await;
}

async fn wait(client: Connection) -> Result<String, CallError> {
    client.call::<Wait>(&the_service(), &"dropped".into(), long()).await
}

pub(crate) async fn a_notification_has_no_answer(broker: impl Broker) {
    let (server, client) = (broker.connection().await, broker.connect().await);
    let mut handlers = Handlers::new();
    let _serving = Serving::start(&server, &the_service(), handlers.router).await;
    let mut inbound = inbox(&client);
    client.send(&the_service(), notification("Note", &client)).await.expect("sent");
    let (text, cx) = next(&mut handlers.seen).await;
    assert_eq!((text.as_str(), cx.notification), ("two", true));

    // Whatever the first was answered with would come before the answer to the second.
    let request =
        Message { correlation_id: Some(CorrelationId("second".into())), ..notification("Echo", &client) };
    client.send(&the_service(), request).await.expect("sent");
    let Some(Inbound::Answer(answer)) = within("it is answered", inbound.recv()).await else {
        panic!("no answer")
    };
    assert_eq!(answer.correlation_id, Some(CorrelationId("second".into())));
}

/// Also one that asks what nobody knows, or what must be answered, in the first place.
pub(crate) async fn a_notification_that_makes_no_sense_is_dropped(broker: impl Broker) {
    let (server, client) = (broker.connection().await, broker.connect().await);
    let mut inbound = inbox(&client);
    let limits = Limits { concurrency: 1, prefetch: 1, ..Limits::default() };
    let mut handlers = Handlers::new();
    let _serving = Serving::limited(&server, &the_service(), handlers.router, limits).await;
    for method in ["Wait", "Missing", "reply", "fault", ""] {
        client.send(&the_service(), notification(method, &client)).await.expect("sent");
    }
    client.send(&the_service(), notification("Note", &client)).await.expect("sent");
    assert!(next(&mut handlers.seen).await.1.notification);
    assert!(inbound.try_recv().is_err());
}

/// What comes back to a transport that has no connection.
fn inbox(client: &Arc<dyn Transport>) -> mpsc::UnboundedReceiver<Inbound> {
    let (sender, inbox) = mpsc::unbounded_channel();
    let put = move |inbound| drop(sender.send(inbound));
    assert!(client.deliver_to(Arc::new(put)), "somebody else reads it");
    inbox
}

fn notification(method: &str, sender: &Arc<dyn Transport>) -> Message {
    Message {
        kind: method.into(),
        correlation_id: None,
        reply_to: None,
        message_id: "1".into(),
        sender: Some(sender.instance()),
        target: None,
        deadline: Some(Duration::from_secs(30)),
        protocol: PROTOCOL,
        trace: None,
        encoding: Some(Encoding::Json),
        body: Bytes::from_static(b"\"two\""),
    }
}

pub(crate) async fn a_connection_is_caller_and_server_at_once(broker: impl Broker) {
    let both = broker.connection().await;
    let _serving = Serving::start(&both, &the_peer(), Handlers::new().router).await;
    let answer = both.call::<Echo>(&the_peer(), &"myself".into(), long()).await;
    assert_eq!(answer.as_deref(), Ok("myself"));
}

pub(crate) async fn a_call_in_messagepack_is_answered_in_it(broker: impl Broker) {
    let (server, client) = (broker.connection().await, broker.connection().await);
    let _serving = Serving::start(&server, &the_service(), Handlers::new().router).await;
    let packed = client.clone().encoding(Encoding::MessagePack);
    assert_eq!(echo(&packed, &the_service(), "two").await.as_deref(), Ok("two"));
    let refused = packed.call::<Refuse>(&the_service(), &FaultKind::Rejected, long()).await;
    assert_fault(&refused, FaultKind::Rejected);
    assert_eq!(echo(&client, &the_service(), "as before").await.as_deref(), Ok("as before"));
}

/// What a handler calls on behalf of its caller has what remains of the caller's time, and belongs to its trace.
pub(crate) async fn a_nested_call_inherits_deadline_and_trace(broker: impl Broker) {
    let (outer, inner, client) =
        (broker.connection().await, broker.connection().await, broker.connection().await);
    let mut handlers = Handlers::new();
    Handlers::open(&handlers.gate);
    let _inner = Serving::start(&inner, &the_peer(), handlers.router).await;
    let between = outer.clone();
    let router = Router::new().on::<Echo, _, _>(move |cx, text| {
        let between = between.clone();
        async move {
            let scope = cx.at_most(Duration::from_secs(3600));
            let nested = between.call::<Wait>(&the_peer(), &text, scope).await;
            Ok(nested.unwrap_or_else(|error| error.to_string()))
        }
    });
    let _outer = Serving::start(&outer, &the_service(), router).await;

    let (deadline, trace) = (long(), TraceParent::new());
    let scope = Scope { deadline, trace: Some(trace) };
    let answer = client.call::<Echo>(&the_service(), &"nested".into(), scope).await;
    assert_eq!(answer.as_deref(), Ok("nested"));
    let (_, cx) = next(&mut handlers.seen).await;
    let seen = cx.trace.expect("it belongs to a trace");
    assert_eq!(seen.trace_id(), trace.trace_id());
    assert_ne!(seen.span_id(), trace.span_id());
    // An hour would have been allowed; what remained of the caller's half minute was less.
    assert!(cx.deadline.instant() < deadline.instant() + Duration::from_secs(60));
}
