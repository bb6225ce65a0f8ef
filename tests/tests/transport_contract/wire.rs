//! What stands on the wire of RabbitMQ: names, flags, properties and headers, as programs of others see them.

use bellwether_rpc::transport::amqp::Connections;
use bellwether_rpc::{Address, CallError, Deadline, FaultKind};
use bellwether_tests::eventually;
use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable, ShortString};
use std::time::Duration;

use crate::fixture::{AmqpBroker, Broker};
use crate::raw::{Raw, take};
use crate::service::{Echo, Handlers, Note, Serving, assert_fault, echo, long, next, the_peer, the_service};

#[tokio::test]
async fn queues_and_exchanges_are_named_and_declared_as_agreed() {
    let broker = AmqpBroker::shared().await;
    let (server, client) = (broker.connection().await, broker.connection().await);
    let shared = Serving::start(&server, &the_service(), Handlers::new().router).await;
    let peer = Serving::start(&server, &the_peer(), Handlers::new().router).await;
    let n = &broker.namespace;
    let me = server.instance();
    let generation = peer.bound.borrow().unwrap_or_default();
    assert_eq!(*shared.bound.borrow(), Some(generation));

    let queues = broker.list("list_queues", &["name", "durable", "auto_delete", "exclusive", "arguments"]);
    let queues = queues.await;
    let classic = "[{\"x-queue-type\",\"classic\"}]";
    let queue_of = |instance| {
        let prefix = format!("{n}.reply.{instance}.");
        queues.iter().find(|line| line.starts_with(&prefix)).cloned().unwrap_or_default()
    };
    assert!(queues.contains(&format!("{n}.calculator\ttrue\tfalse\tfalse\t{classic}")), "{queues:#?}");
    let peers = format!("{n}.abacus.bead-1.{me}.");
    let peers: Vec<_> = queues.iter().filter(|line| line.starts_with(&peers)).collect();
    assert!(matches!(&peers[..], [one] if one.contains("\tfalse\ttrue\ttrue\t")), "{queues:#?}");
    for instance in [me, client.instance()] {
        assert!(queue_of(instance).contains("\tfalse\ttrue\ttrue\t"), "{queues:#?}");
    }
    assert_eq!(queues.len(), 4, "{queues:#?}");

    let exchanges = broker.list("list_exchanges", &["name", "type", "durable", "auto_delete"]).await;
    assert_eq!(
        exchanges,
        [format!("{n}.abacus\tdirect\ttrue\tfalse"), format!("{n}.abacus.all\tfanout\ttrue\tfalse")]
    );
    let bindings = broker.list("list_bindings", &["source_name", "destination_name", "routing_key"]).await;
    let queue = peers[0].split('\t').next().unwrap_or_default();
    for bound in [format!("{n}.abacus\t{queue}\tbead-1"), format!("{n}.abacus.all\t{queue}\t")] {
        assert!(bindings.contains(&bound), "{bound} is not in {bindings:#?}");
    }
}

#[tokio::test]
async fn an_agent_has_one_connection_and_a_controller_two() {
    let broker = AmqpBroker::shared().await;
    let agent = broker.connect().await;
    let controller = broker.connect_with(broker.settings().for_controller()).await;
    assert_eq!(broker.settings().for_controller().connections, Connections::Split);
    for (transport, count) in [(agent, 1), (controller, 2)] {
        eventually(format!("{count} connections"), async || {
            let listed = broker.connections_of(transport.instance()).await.len();
            if listed == count { Ok(()) } else { Err(format!("{listed} connections")) }
        })
        .await;
    }
}

#[tokio::test]
async fn heartbeats_and_frames_are_the_ones_asked_for() {
    let broker = AmqpBroker::shared().await;
    let settings = bellwether_rpc::transport::amqp::AmqpSettings {
        heartbeat: Duration::from_secs(7),
        ..broker.settings()
    };
    let name = settings.connection_name.clone();
    let _transport = broker.connect_with(settings).await;
    eventually("it is listed with its heartbeat and frames", async || {
        let columns = ["list_connections", "timeout", "frame_max", "client_properties"];
        let listed = broker.rabbitmq.ctl(&columns).await;
        listed.lines().any(|line| line.starts_with("7\t8192\t") && line.contains(&name))
    })
    .await;
}

#[tokio::test]
async fn a_request_carries_what_was_agreed() {
    let broker = AmqpBroker::shared().await;
    let raw = Raw::connect(broker.rabbitmq).await;
    let queue = format!("{}.calculator", broker.namespace);
    raw.declare_durable(&queue, &[]).await;
    let mut requests = raw.consume(&queue).await;
    let client = broker.connection().await;
    let me = client.instance();
    let calling = tokio::spawn(async move {
        let answer = client.call::<Echo>(&the_service(), &"two".into(), long()).await;
        (client, answer)
    });

    let request = take(&mut requests).await;
    let properties = &request.properties;
    assert_eq!(request.data, b"\"two\"");
    assert_eq!(text(properties.kind()), "Echo");
    assert_eq!(text(properties.content_type()), "application/json");
    assert_eq!(text(properties.app_id()), me.to_string());
    assert!(text(properties.reply_to()).starts_with(&format!("{}.reply.{me}.", broker.namespace)));
    assert_ne!(text(properties.correlation_id()), "");
    assert_ne!(text(properties.message_id()), "");
    let expiration: i64 = text(properties.expiration()).parse().expect("an integer of milliseconds");
    assert!((1..=30_000).contains(&expiration), "{expiration}");
    assert_eq!(header(properties, "bw-protocol"), Some(AMQPValue::LongInt(1)));
    assert_eq!(header(properties, "bw-deadline-ms"), Some(AMQPValue::LongLongInt(expiration)));
    assert_eq!(header(properties, "bw-instance"), None);

    // The least that an answer can be.
    let reply = BasicProperties::default()
        .with_type("reply".into())
        .with_correlation_id(text(properties.correlation_id()).into());
    raw.publish(&text(properties.reply_to()), reply, b"\"2\"").await;
    let (client, answer) = calling.await.expect("no panic");
    assert_eq!(answer.as_deref(), Ok("2"));

    let ten_minutes = Deadline::after(Duration::from_secs(600));
    client.notify::<Note>(&the_service(), &"noted".into(), ten_minutes).await.expect("sent");
    let note = take(&mut requests).await;
    assert_eq!((text(note.properties.kind()).as_str(), note.properties.reply_to()), ("Note", &None));
    let expiration: i64 = text(note.properties.expiration()).parse().expect("an integer");
    assert!((590_000..=600_000).contains(&expiration), "{expiration}");
}

#[tokio::test]
async fn a_request_to_one_process_names_it() {
    let broker = AmqpBroker::shared().await;
    let raw = Raw::connect(broker.rabbitmq).await;
    let (server, client) = (broker.connection().await, broker.connection().await);
    let _serving = Serving::start(&server, &the_peer(), Handlers::new().router).await;
    let (queue, mut requests) = raw.own_queue().await;
    let exchange = format!("{}.abacus", broker.namespace);
    let binding = raw.channel.queue_bind(
        queue,
        exchange.as_str().into(),
        "bead-1".into(),
        Default::default(),
        FieldTable::default(),
    );
    binding.await.expect("bound");

    let meant = the_peer().at_instance(server.instance());
    assert_eq!(echo(&client, &meant, "you").await.as_deref(), Ok("you"));
    let request = take(&mut requests).await;
    let instance = AMQPValue::LongString(server.instance().to_string().into());
    assert_eq!(header(&request.properties, "bw-instance"), Some(instance));
}

#[tokio::test]
async fn a_reply_and_a_fault_carry_what_was_agreed() {
    let broker = AmqpBroker::shared().await;
    let raw = Raw::connect(broker.rabbitmq).await;
    let server = broker.connection().await;
    let _serving = Serving::start(&server, &the_service(), Handlers::new().router).await;
    let (reply_queue, mut replies) = raw.own_queue().await;
    let queue = format!("{}.calculator", broker.namespace);

    for (kind, body, reply_kind, reply_body) in [
        ("Echo", &b"\"two\""[..], "reply", &b"\"two\""[..]),
        ("Refuse", b"\"Rejected\"", "fault", br#"{"fault":"Rejected","message":"as you wish"}"#),
    ] {
        // No headers, no deadline, no sender: each has its default.
        let request = BasicProperties::default()
            .with_type(kind.into())
            .with_correlation_id("any text".into())
            .with_reply_to(reply_queue.clone());
        raw.publish(&queue, request, body).await;
        let reply = take(&mut replies).await;
        assert_eq!((text(reply.properties.kind()).as_str(), &reply.data[..]), (reply_kind, reply_body));
        assert_eq!(text(reply.properties.correlation_id()), "any text");
        assert_eq!(text(reply.properties.content_type()), "application/json");
        assert_eq!(text(reply.properties.app_id()), server.instance().to_string());
        assert_eq!(reply.properties.reply_to(), &None);
        assert_eq!(header(&reply.properties, "bw-protocol"), Some(AMQPValue::LongInt(1)));
    }
}

#[tokio::test]
async fn a_content_type_chooses_the_encoding_and_an_unknown_one_is_a_bad_request() {
    let broker = AmqpBroker::shared().await;
    let raw = Raw::connect(broker.rabbitmq).await;
    let server = broker.connection().await;
    let _serving = Serving::start(&server, &the_service(), Handlers::new().router).await;
    let (reply_queue, mut replies) = raw.own_queue().await;
    let queue = format!("{}.calculator", broker.namespace);
    for (content_type, body, kind, answered_in) in [
        ("application/vnd.msgpack", &b"\xa3two"[..], "reply", "application/vnd.msgpack"),
        ("application/x-msgpack", b"\xa3two", "reply", "application/vnd.msgpack"),
        ("application/vnd.msgpack", b"\xc1", "fault", "application/vnd.msgpack"),
        ("application/json; charset=utf-8", b"\"two\"", "reply", "application/json"),
        ("text/plain", b"two", "fault", "application/json"),
    ] {
        let request = BasicProperties::default()
            .with_type("Echo".into())
            .with_content_type(content_type.into())
            .with_reply_to(reply_queue.clone());
        raw.publish(&queue, request, body).await;
        let reply = take(&mut replies).await;
        let seen = (text(reply.properties.kind()), text(reply.properties.content_type()));
        assert_eq!(seen, (kind.to_owned(), answered_in.to_owned()), "{content_type}");
        assert!(kind == "fault" || reply.data == body, "{content_type}");
    }
}

#[tokio::test]
async fn a_request_without_a_correlation_id_is_answered_all_the_same() {
    let broker = AmqpBroker::shared().await;
    let raw = Raw::connect(broker.rabbitmq).await;
    let server = broker.connection().await;
    let _serving = Serving::start(&server, &the_service(), Handlers::new().router).await;
    let (reply_queue, mut replies) = raw.own_queue().await;
    let request = BasicProperties::default().with_type("Echo".into()).with_reply_to(reply_queue);
    raw.publish(&format!("{}.calculator", broker.namespace), request, b"\"two\"").await;
    assert_eq!(take(&mut replies).await.data, b"\"two\"");
}

#[tokio::test]
async fn what_makes_no_sense_is_dropped_unanswered_and_the_next_is_served() {
    let broker = AmqpBroker::shared().await;
    let raw = Raw::connect(broker.rabbitmq).await;
    let server = broker.connection().await;
    let _serving = Serving::start(&server, &the_service(), Handlers::new().router).await;
    let (reply_queue, mut replies) = raw.own_queue().await;
    let queue = format!("{}.calculator", broker.namespace);
    let kinds = |kind: &'static str| BasicProperties::default().with_type(kind.into());
    let asking = |kind| kinds(kind).with_reply_to(reply_queue.clone());

    for answer in ["reply", "fault"] {
        raw.publish(&queue, asking(answer).with_correlation_id("1".into()), b"{}").await;
    }
    for without_reply_to in ["Echo", "Missing", "Note"] {
        raw.publish(&queue, kinds(without_reply_to), b"{not json").await;
    }
    raw.publish(&queue, BasicProperties::default(), b"").await;
    let mut nothing_left = FieldTable::default();
    nothing_left.insert("bw-deadline-ms".into(), AMQPValue::LongInt(0));
    raw.publish(&queue, asking("Echo").with_headers(nothing_left), b"\"late\"").await;
    raw.publish(&queue, asking("Echo"), b"\"next\"").await;
    assert_eq!(take(&mut replies).await.data, b"\"next\"");
    eventually("nothing is left unfinished", async || {
        let listed = broker.list("list_queues", &["name", "messages"]).await;
        if listed.contains(&format!("{queue}\t0")) { Ok(()) } else { Err(format!("{listed:?}")) }
    })
    .await;
}

#[tokio::test]
async fn a_newer_protocol_of_any_integer_is_a_bad_request_and_an_absurd_header_is_none() {
    let broker = AmqpBroker::shared().await;
    let raw = Raw::connect(broker.rabbitmq).await;
    let server = broker.connection().await;
    let _serving = Serving::start(&server, &the_service(), Handlers::new().router).await;
    let (reply_queue, mut replies) = raw.own_queue().await;
    let queue = format!("{}.calculator", broker.namespace);
    for (protocol, reply_kind) in [
        (AMQPValue::ShortShortUInt(2), "fault"),
        (AMQPValue::LongLongInt(i64::MAX), "fault"),
        (AMQPValue::LongInt(1), "reply"),
        (AMQPValue::LongString("two".into()), "reply"),
    ] {
        let mut headers = FieldTable::default();
        headers.insert("bw-protocol".into(), protocol);
        let request = BasicProperties::default()
            .with_type("Echo".into())
            .with_reply_to(reply_queue.clone())
            .with_headers(headers);
        raw.publish(&queue, request, b"\"two\"").await;
        let reply = take(&mut replies).await;
        assert_eq!(text(reply.properties.kind()), reply_kind);
        assert!(reply_kind == "reply" || reply.data.starts_with(br#"{"fault":"BadRequest""#));
    }
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_an_internal_fault_and_harms_nobody() {
    let broker = AmqpBroker::shared().await;
    let raw = Raw::connect(broker.rabbitmq).await;
    let queue = format!("{}.calculator", broker.namespace);
    raw.declare_durable(&queue, &[]).await;
    let mut requests = raw.consume(&queue).await;
    let client = broker.connection().await;
    for (kind, body) in [("reply", &b"{not json"[..]), ("fault", b"{}"), ("fault", b"{\"fault\":\"Odd\"}")] {
        let calling = tokio::spawn({
            let client = client.clone();
            async move { echo(&client, &the_service(), "two").await }
        });
        let request = take(&mut requests).await;
        let reply_queue = text(request.properties.reply_to());
        let answer = |kind: &'static str| BasicProperties::default().with_type(kind.into());
        // Of no kind, to nobody, or to a call that never was.
        raw.publish(&reply_queue, answer("Echo"), b"\"x\"").await;
        raw.publish(&reply_queue, answer("reply"), b"\"x\"").await;
        raw.publish(&reply_queue, answer("reply").with_correlation_id("x".into()), b"\"x\"").await;
        let id = text(request.properties.correlation_id());
        raw.publish(&reply_queue, answer(kind).with_correlation_id(id.into()), body).await;
        assert_fault(&calling.await.expect("no panic"), FaultKind::Internal);
    }
}

#[tokio::test]
async fn a_name_beyond_255_bytes_is_refused_and_harms_nobody() {
    let broker = AmqpBroker::shared().await;
    let (server, client) = (broker.connection().await, broker.connection().await);
    let mut handlers = Handlers::new();
    let _serving = Serving::start(&server, &the_peer(), handlers.router).await;
    let before = client.link().borrow().clone();
    let long_name = "x".repeat(256);
    for address in [Address::peer("abacus", long_name.clone()), Address::shared(long_name.clone())] {
        let refused = echo(&client, &address, "anybody?").await;
        assert!(matches!(refused, Err(CallError::Invalid { .. })), "{refused:?}");
        let refused = client.notify::<Note>(&address, &"anybody?".into(), long()).await;
        assert!(matches!(refused, Err(CallError::Invalid { .. })), "{refused:?}");
    }
    // One that fits as a key, but not in the name of the queue.
    let transport = broker.connect().await;
    let consuming = transport.consume(&Address::peer("abacus", "x".repeat(250)), 1).await;
    assert!(matches!(consuming, Err(bellwether_rpc::transport::ConsumeError::Invalid(_))));

    client.notify::<Note>(&the_peer(), &"still here".into(), long()).await.expect("sent");
    assert_eq!(next(&mut handlers.seen).await.0, "still here");
    assert_eq!(*client.link().borrow(), before);
}

fn text(property: &Option<ShortString>) -> String {
    property.as_ref().map(|text| text.as_str().to_owned()).unwrap_or_default()
}

fn header(properties: &BasicProperties, name: &str) -> Option<AMQPValue> {
    properties.headers().as_ref().and_then(|headers| headers.inner().get(name)).cloned()
}
