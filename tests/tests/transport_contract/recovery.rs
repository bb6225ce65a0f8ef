//! What RabbitMQ can do to us: take away what we had declared, restart, freeze, refuse us; and what it must not cost.

use bellwether_rpc::transport::amqp::{Amqp, AmqpSettings, AmqpUrl, Connections};
use bellwether_rpc::{Address, CallError, Connection, Instance, Link};
use bellwether_tests::{Port, eventually, eventually_within};
use futures_util::future::join_all;
use lapin::types::AMQPValue;
use std::time::Duration;

use crate::fixture::{AmqpBroker, Broker, link_of, up};
use crate::raw::Raw;
use crate::service::{
    Echo, Handlers, Serving, Wait, assert_unroutable, echo, long, next, short, the_peer, the_service, within,
};

#[tokio::test]
async fn a_shared_queue_that_somebody_made_otherwise_is_used_as_found() {
    let broker = AmqpBroker::shared().await;
    let raw = Raw::connect(broker.rabbitmq).await;
    let (server, client) = (broker.connection().await, broker.connection().await);
    let quorum = ("quorum", "x-queue-type", AMQPValue::LongString("quorum".into()));
    let bounded = ("bounded", "x-max-length", AMQPValue::LongInt(1_000));
    for (service, argument, value) in [quorum, bounded] {
        raw.declare_durable(&format!("{}.{service}", broker.namespace), &[(argument, value)]).await;
        let before = server.link().borrow().clone();
        let address = Address::shared(service);
        let serving = Serving::start(&server, &address, Handlers::new().router).await;
        assert_eq!(echo(&client, &address, "as found").await.as_deref(), Ok("as found"));
        assert_eq!(*server.link().borrow(), before, "it cost the connection");
        serving.stop().await;
    }
    let queues = broker.list("list_queues", &["name", "arguments"]).await;
    assert!(queues.iter().any(|line| line.contains(".quorum") && line.contains("\"quorum\"")), "{queues:?}");
}

#[tokio::test]
async fn a_shared_queue_deleted_under_its_server_is_declared_again() {
    let broker = AmqpBroker::shared().await;
    let raw = Raw::connect(broker.rabbitmq).await;
    let (server, client) = (broker.connection().await, broker.connection().await);
    let _serving = Serving::start(&server, &the_service(), Handlers::new().router).await;
    let before = server.link().borrow().clone();
    raw.delete_queue(&format!("{}.calculator", broker.namespace)).await;
    eventually("calls are answered again", async || {
        client.call::<Echo>(&the_service(), &"back".into(), short()).await
    })
    .await;
    assert_eq!(*server.link().borrow(), before, "it cost the connection");
}

#[tokio::test]
async fn a_peers_queue_deleted_under_its_server_is_declared_again() {
    let broker = AmqpBroker::shared().await;
    let (server, client) = (broker.connection().await, broker.connection().await);
    let _serving = Serving::start(&server, &the_peer(), Handlers::new().router).await;
    let queues = broker.list("list_queues", &["name"]).await;
    let queue = queues.iter().find(|name| name.contains(".abacus.bead-1.")).expect("the peer's queue");
    // It is exclusive: only an operator can delete it.
    broker.rabbitmq.ctl(&["delete_queue", queue]).await;
    eventually("the peer answers again", async || {
        client.call::<Echo>(&the_peer(), &"back".into(), short()).await
    })
    .await;
}

#[tokio::test]
async fn exchanges_deleted_under_a_peer_are_declared_and_bound_again() {
    let broker = AmqpBroker::shared().await;
    let raw = Raw::connect(broker.rabbitmq).await;
    let (server, client) = (broker.connection().await, broker.connection().await);
    let _serving = Serving::start(&server, &the_peer(), Handlers::new().router).await;
    assert!(echo(&client, &the_peer(), "before").await.is_ok());
    for exchange in ["abacus", "abacus.all"] {
        raw.delete_exchange(&format!("{}.{exchange}", broker.namespace)).await;
    }
    // A publish to a missing exchange is the broker's error, and must not leave the call hanging.
    let outcome = echo(&client, &the_peer(), "to nowhere").await;
    assert_eq!(outcome, Err(CallError::Disconnected));
    eventually("the peer answers again", async || {
        client.call::<Echo>(&the_peer(), &"back".into(), short()).await
    })
    .await;
}

#[tokio::test]
async fn a_notification_to_a_missing_exchange_costs_no_more_than_the_connection() {
    let broker = AmqpBroker::shared().await;
    let raw = Raw::connect(broker.rabbitmq).await;
    let client = broker.connection().await;
    let server = broker.connection().await;
    let _serving = Serving::start(&server, &the_service(), Handlers::new().router).await;
    let everyone = Address::everyone("abacus");
    let note = "all".to_owned();
    client.notify::<crate::service::Note>(&everyone, &note, long()).await.expect("sent");
    raw.delete_exchange(&format!("{}.abacus.all", broker.namespace)).await;
    let before = client.link().borrow().generation().unwrap_or_default();
    client.notify::<crate::service::Note>(&everyone, &note, long()).await.expect("sent");
    eventually("it is connected anew", async || {
        client.link().borrow().generation().is_some_and(|generation| generation > before)
    })
    .await;
    assert!(echo(&client, &the_service(), "back").await.is_ok());
}

/// A healthy connection is not a live reply path.
#[tokio::test]
async fn a_lost_reply_queue_ends_calls_as_disconnected_and_leaves_no_connection_behind() {
    let broker = AmqpBroker::shared().await;
    let server = broker.connection().await;
    for connections in [Connections::Shared, Connections::Split] {
        let client = broker.connect_with(AmqpSettings { connections, ..broker.settings() }).await;
        let client = Connection::new(client);
        // Its consumer must not keep an old connection alive.
        let mut own = Serving::start(&client, &the_peer(), Handlers::new().router).await;
        let mut handlers = Handlers::new();
        let serving = Serving::start(&server, &the_service(), handlers.router).await;
        for _ in 0..4 {
            let calling = tokio::spawn({
                let client = client.clone();
                async move { client.call::<Wait>(&the_service(), &"lost".into(), long()).await }
            });
            next(&mut handlers.seen).await;
            let before = client.link().borrow().generation().unwrap_or_default();
            let queue = format!("{}.reply.{}.{before}", broker.namespace, client.instance());
            broker.rabbitmq.ctl(&["delete_queue", &queue]).await;
            let outcome = within("the call ends", calling).await.expect("no panic");
            assert_eq!(outcome, Err(CallError::Disconnected));
            assert!(own.bound_after(before).await > before);
        }
        assert!(echo(&server, &the_peer(), "there").await.is_ok());
        assert!(echo(&client, &the_service(), "there").await.is_ok());
        let wanted = if connections == Connections::Shared { 1 } else { 2 };
        connections_become(&broker, client.instance(), wanted).await;
        Handlers::open(&handlers.gate);
        serving.stop().await;
    }
}

async fn connections_become(
    broker: &AmqpBroker<&'static bellwether_tests::RabbitMq>,
    whom: Instance,
    wanted: usize,
) {
    eventually(format!("{wanted} connections"), async || {
        let listed = broker.connections_of(whom).await.len();
        if listed == wanted { Ok(()) } else { Err(format!("{listed} connections")) }
    })
    .await;
}

#[tokio::test]
async fn calls_and_servers_leave_no_channel_behind() {
    let broker = AmqpBroker::shared().await;
    let (server, client) = (broker.connection().await, broker.connection().await);
    let serving = Serving::start(&server, &the_peer(), Handlers::new().router).await;
    assert!(echo(&client, &the_peer(), "first").await.is_ok());
    assert_unroutable(&echo(&client, &Address::peer("abacus", "nobody"), "first").await);
    serving.stop().await;
    let shared = the_service();
    Serving::start(&server, &shared, Handlers::new().router).await.stop().await;
    let at_first = settled(&broker, &[&server, &client]).await;

    for address in [the_service(), the_peer()] {
        let serving = Serving::start(&server, &address, Handlers::new().router).await;
        for _ in 0..10 {
            for answer in join_all((0..50).map(|_| echo(&client, &address, "again"))).await {
                assert!(answer.is_ok(), "{answer:?}");
            }
        }
        serving.stop().await;
    }
    for n in 0..50 {
        let nobody = if n % 2 == 0 { Address::shared("nobody") } else { Address::peer("abacus", "nobody") };
        assert_unroutable(&echo(&client, &nobody, "anybody?").await);
        let address = if n % 2 == 0 { the_service() } else { the_peer() };
        Serving::start(&server, &address, Handlers::new().router).await.stop().await;
    }
    eventually("as many channels as at first", async || {
        let now = settled(&broker, &[&server, &client]).await;
        if now == at_first { Ok(()) } else { Err(format!("{now:?}, at first {at_first:?}")) }
    })
    .await;
    let queues = broker.list("list_queues", &["name"]).await;
    assert_eq!(queues.len(), 3, "the shared one and two for replies: {queues:#?}");
}

async fn settled(
    broker: &AmqpBroker<&'static bellwether_tests::RabbitMq>,
    connections: &[&Connection],
) -> Vec<usize> {
    let mut counts = Vec::new();
    for connection in connections {
        counts.push(broker.channels_of(connection.instance()).await);
    }
    counts
}

#[tokio::test]
async fn a_broker_that_refuses_us_is_named_without_the_password() {
    let broker = AmqpBroker::shared().await;
    let port = broker.rabbitmq.port();
    let nobody = Port::claim();
    for (url, host, why) in [
        (format!("amqp://guest:sesame@127.0.0.1:{port}/%2f"), format!("127.0.0.1:{port}"), "ACCESS"),
        (format!("amqp://guest:guest@127.0.0.1:{port}/nowhere"), format!("127.0.0.1:{port}"), "nowhere"),
        (format!("amqp://guest:sesame@{}/%2f", nobody.address()), nobody.address(), "refused"),
    ] {
        let url: AmqpUrl = url.parse().expect("a good url");
        let settings = AmqpSettings { urls: vec![url], ..broker.settings() };
        let transport = Amqp::start(settings);
        eventually_within(
            Duration::from_secs(6),
            format!("it says {host} and {why}"),
            async || match link_of(&transport) {
                Link::Down { reason } if reason.contains(&host) && reason.contains(why) => {
                    assert!(!reason.contains("sesame"), "{reason}");
                    Ok(())
                }
                other => Err(format!("{other:?}")),
            },
        )
        .await;
        within("it closes", transport.close()).await;
        assert_eq!(link_of(&transport), Link::Closed);
    }
}

/// Of several brokers, each attempt takes the next.
#[tokio::test]
async fn a_broker_that_is_down_is_passed_over() {
    let broker = AmqpBroker::shared().await;
    let nobody = Port::claim();
    let down: AmqpUrl = format!("amqp://guest:guest@{}/%2f", nobody.address()).parse().expect("a good url");
    let settings = broker.settings();
    let urls = [vec![down], settings.urls.clone()].concat();
    let transport = Amqp::start(AmqpSettings { urls, ..settings });
    up(&transport).await;
}

#[tokio::test]
async fn clients_and_servers_outlive_a_restart_of_the_broker() {
    let broker = AmqpBroker::alone().await;
    let controller = broker.connect_with(broker.settings().for_controller()).await;
    let (server, client) = (broker.connection().await, Connection::new(controller));
    let mut handlers = Handlers::new();
    let mut shared = Serving::start(&server, &the_service(), handlers.router).await;
    let mut peer = Serving::start(&server, &the_peer(), Handlers::new().router).await;
    let calling = tokio::spawn({
        let client = client.clone();
        async move { client.call::<Wait>(&the_service(), &"lost".into(), long()).await }
    });
    next(&mut handlers.seen).await;
    let before = shared.bound.borrow().unwrap_or_default().max(peer.bound.borrow().unwrap_or_default());

    broker.rabbitmq.stop().await;
    assert_eq!(within("the call ends", calling).await.expect("no panic"), Err(CallError::Disconnected));
    let outcome = client.call::<Echo>(&the_service(), &"down".into(), short()).await;
    assert_eq!(outcome, Err(CallError::DeadlineExceeded { sent: false }));
    broker.rabbitmq.start_again().await;

    tokio::join!(shared.bound_after(before), peer.bound_after(before));
    for address in [the_service(), the_peer()] {
        eventually("calls are answered again", async || echo(&client, &address, "back").await).await;
    }
}

#[tokio::test]
async fn a_frozen_broker_is_missed_by_its_heartbeats_and_a_close_does_not_wait_for_it() {
    let broker = AmqpBroker::alone().await;
    let impatient = AmqpSettings { connections: Connections::Split, ..broker.settings() };
    let patient = AmqpSettings { heartbeat: Duration::from_secs(60), ..impatient.clone() };
    let controller = broker.connect_with(impatient).await;
    let (server, client) = (broker.connection().await, Connection::new(controller));
    let closing = Connection::new(broker.connect_with(patient.clone()).await);
    let waiting = Connection::new(broker.connect_with(patient).await);
    let mut handlers = Handlers::new();
    let _serving = Serving::start(&server, &the_service(), handlers.router).await;
    let calling = tokio::spawn({
        let client = client.clone();
        async move { client.call::<Wait>(&the_service(), &"lost".into(), long()).await }
    });
    next(&mut handlers.seen).await;

    broker.rabbitmq.pause();
    // The link looks as it did; a message to oneself shows what it is worth.
    let moment = bellwether_rpc::Deadline::after(Duration::from_millis(500));
    let there_and_back = waiting.round_trip(moment).await;
    assert_eq!(there_and_back, Err(CallError::DeadlineExceeded { sent: true }));
    // What the broker returns, it returns once it goes on.
    let unroutable = tokio::spawn(async move { echo(&waiting, &Address::shared("nobody"), "late").await });
    let started = tokio::time::Instant::now();
    within("it closes", closing.close()).await;
    let took = started.elapsed();
    assert_eq!(within("the call ends", calling).await.expect("no panic"), Err(CallError::Disconnected));
    broker.rabbitmq.resume();
    // Two seconds are meant, the rest is for a busy machine; its heartbeats would take minutes.
    assert!(took < Duration::from_secs(10), "closing took {took:?}");

    assert_unroutable(&within("it is returned", unroutable).await.expect("no panic"));
    // Whether or not the server had missed the broker too.
    eventually("calls are answered again", async || echo(&client, &the_service(), "back").await).await;
}

/// What the broker holds back is not sent when nobody waits for it any more.
#[tokio::test]
async fn a_call_given_up_while_the_broker_was_blocked_is_never_handled() {
    let broker = AmqpBroker::alone().await;
    // A link that is lost for want of a heartbeat would prove nothing.
    let patient = AmqpSettings { heartbeat: Duration::from_secs(60), ..broker.settings() };
    let (server, client) = (broker.connection().await, Connection::new(broker.connect_with(patient).await));
    let mut handlers = Handlers::new();
    let _serving = Serving::start(&server, &the_service(), handlers.router).await;
    assert!(echo(&client, &the_service(), "before").await.is_ok());
    broker.block(true).await;
    // More than the sockets between us take: the broker stops reading in the midst of it. The others wait behind it.
    let large = "x".repeat(15 << 20);
    let small: Vec<_> = (0..20).map(|n| n.to_string()).collect();
    let address = the_service();
    let calls = [&large].into_iter().chain(&small).map(|text| {
        client.call::<Wait>(&address, text, bellwether_rpc::Deadline::after(Duration::from_secs(3)))
    });
    let outcomes = join_all(calls).await;
    assert!(outcomes.iter().all(Result::is_err));
    broker.block(false).await;

    eventually("calls are answered again", async || echo(&client, &the_service(), "back").await).await;
    client.notify::<crate::service::Note>(&address, &"marker".into(), long()).await.expect("sent");
    loop {
        match next(&mut handlers.seen).await.0 {
            text if text == "marker" => break,
            text => assert_eq!(text.len(), large.len(), "{:.9} was handled", text),
        }
    }
}
