//! What an agent answers, and what it drops: line by line of the page's table, on both agents.

use std::time::Duration;

use bellwether_rpc::Limits;
use bellwether_tests::{RabbitMq, eventually};
use lapin::BasicProperties;
use lapin::types::AMQPValue;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::agents::{Agent, Kind, of_both_agents};
use crate::broker::{bare, with_headers};
use crate::fake_controller::{FakeController, Store};
use crate::page::Page;

/// What an answer may take that is not to come.
const A_WHILE: Duration = Duration::from_millis(300);

of_both_agents! {
    every_line_of_the_table_is_true
    what_is_missing_is_no_reason_not_to_answer
    ping_and_describe_say_who_it_is
}

/// Properties and body of messages.
type Messages = Vec<(BasicProperties, Vec<u8>)>;

/// Each line of the table, and messages of its kind.
fn scenarios() -> Vec<(&'static str, Messages)> {
    let header =
        |kind: &str, name: &str, value: AMQPValue| (with_headers(kind, &[(name, value)]), b"{}".to_vec());
    let another = AMQPValue::LongString(Uuid::now_v7().to_string().into());
    let without_reply_to = |method: &str| (bare(method), b"{}".to_vec());
    vec![
        (
            "whose type is reply or fault, and for which nobody waits",
            vec![(bare("reply"), b"{}".to_vec()), (bare("fault"), b"{\"fault\": \"Internal\"}".to_vec())],
        ),
        ("whose bw-protocol is above 1", vec![header("Ping", "bw-protocol", AMQPValue::LongInt(2))]),
        ("whose bw-instance is another instance", vec![header("Ping", "bw-instance", another)]),
        (
            "whose type is none of the agent's methods",
            vec![(bare("Pong"), b"{}".to_vec()), (bare(""), b"{}".to_vec())],
        ),
        (
            "without reply_to, of a method that may not be a notification",
            ["Ping", "Describe", "SetIngressConfig", "DelIngressConfig"].map(without_reply_to).to_vec(),
        ),
        ("whose bw-deadline-ms is 0", vec![header("Ping", "bw-deadline-ms", AMQPValue::LongLongInt(0))]),
        (
            "whose body is not what its method takes",
            vec![
                (bare("SetIngressConfig"), b"nonsense".to_vec()),
                (bare("DelIngressConfig"), b"{}".to_vec()),
            ],
        ),
        ("of any other kind", vec![(bare("Ping"), b"{}".to_vec())]),
    ]
}

async fn every_line_of_the_table_is_true(kind: Kind) {
    let table = Page::read().table("What an agent does with a message", "a message");
    let scenarios = scenarios();
    let lines: Vec<_> = scenarios.iter().map(|(line, _)| *line).collect();
    assert_eq!(table.cells("a message"), lines);

    let (controller, agent) = start(kind).await;
    for (line, messages) in scenarios {
        for (properties, body) in messages {
            let sent = format!("{properties:?}");
            let outcome = outcome(&controller, &agent, line, properties, &body).await;
            assert_eq!(outcome, table.cell(line, "is"), "{line}: {sent}");
        }
    }
    // The same as notifications: nothing of it is answered, nor in the way of what follows.
    for (_, messages) in self::scenarios() {
        for (properties, body) in messages {
            controller.tell(&agent.name, properties, &body).await;
        }
    }
    assert_eq!(controller.outcome(&agent.name, "Ping", &json!({})).await, "reply");
    eventually("everything is acknowledged", async || {
        let columns = ["list_queues", "name", "messages"];
        let listed = RabbitMq::shared().await.ctl(&columns).await;
        let ours = format!("bellwether.{}.agent.", controller.fleet);
        let left: Vec<_> = listed.lines().filter(|line| line.starts_with(&ours)).map(str::to_owned).collect();
        if matches!(&left[..], [one] if one.ends_with("\t0")) { Ok(()) } else { Err(format!("{left:?}")) }
    })
    .await;
}

async fn outcome(
    controller: &FakeController,
    agent: &Agent,
    line: &str,
    properties: BasicProperties,
    body: &[u8],
) -> String {
    let id = Uuid::new_v4().to_string();
    let mut properties = properties.with_correlation_id(id.as_str().into());
    if !line.starts_with("without reply_to") {
        properties = properties.with_reply_to(controller.peer.answers_to.clone());
    }
    controller.tell(&agent.name, properties, body).await;
    // What comes after it is answered by then.
    assert_eq!(controller.outcome(&agent.name, "Ping", &json!({})).await, "reply");
    let answered = async || {
        while controller.peer.answer_to(&id).is_none() {
            tokio::task::yield_now().await
        }
    };
    let _ = tokio::time::timeout(A_WHILE, answered()).await;
    match controller.peer.answer_to(&id) {
        None => "dropped".to_owned(),
        Some(answer) if answer.kind() == "reply" => "handled".to_owned(),
        Some(answer) => answer.json()["fault"].as_str().unwrap_or_default().to_owned(),
    }
}

async fn what_is_missing_is_no_reason_not_to_answer(kind: Kind) {
    let (controller, agent) = start(kind).await;
    let table = Page::read().table("Messages", "property");
    assert_eq!(table.cell("correlation_id", "when it is missing"), "the answer has none");
    assert_eq!(table.cell("reply_to", "when it is missing"), "it is a notification");

    // A type and a reply_to alone.
    let before = controller.peer.answer_to("").is_some();
    let least = bare("Ping").with_reply_to(controller.peer.answers_to.clone());
    controller.tell(&agent.name, least, b"{}").await;
    let answer = eventually("an answer without an id", async || controller.peer.answer_to("")).await;
    assert_eq!((before, answer.kind().as_str(), answer.properties.correlation_id()), (false, "reply", &None));

    // Headers of other widths, and headers that nobody knows.
    let narrow = [
        ("bw-protocol", AMQPValue::ShortShortUInt(1)),
        ("bw-deadline-ms", AMQPValue::ShortInt(5_000)),
        ("of-tomorrow", AMQPValue::Boolean(true)),
    ];
    let (kind, _) = controller.ask_as(&agent.name, with_headers("Ping", &narrow), b"{}").await;
    assert_eq!(kind, "reply");
}

async fn ping_and_describe_say_who_it_is(kind: Kind) {
    let (controller, agent) = start(kind).await;
    let instance = controller.beat("the first", |_| true).await["instance"].clone();
    let version = instance.as_str().and_then(|id| id.parse().ok()).map(|id: Uuid| id.get_version_num());
    assert_eq!(version, Some(7), "{instance}");

    let (_, pong) = controller.ask(&agent.name, "Ping", &json!({})).await;
    assert_eq!(pong, json!({"instance": instance}));
    let (_, described) = controller.ask(&agent.name, "Describe", &json!({})).await;
    let methods = Page::read().table("Methods", "method");
    let mut methods: Vec<&str> =
        methods.rows.iter().filter(|row| row[1] == "agent").map(|row| row[0].as_str()).collect();
    methods.sort_unstable();
    let (name, methods): (Value, Value) = (json!(agent.name), json!(methods));
    assert_eq!((&described["name"], &described["methods"]), (&name, &methods));
    assert_eq!((&described["instance"], &described["protocol"]), (&instance, &json!(1)));
}

#[tokio::test]
async fn a_body_that_is_too_large_is_a_bad_request_of_our_agent() {
    let (controller, agent) = start(Kind::Rust).await;
    let body = vec![b' '; Limits::default().body_bytes + 1];
    let (kind, answer) = controller.ask_as(&agent.name, bare("Ping"), &body).await;
    assert_eq!((kind.as_str(), &answer["fault"]), ("fault", &json!("BadRequest")));
}

async fn start(kind: Kind) -> (FakeController, Agent) {
    let rabbitmq = RabbitMq::shared().await;
    let controller = FakeController::start(rabbitmq, Store::new(0, &[])).await;
    let agent = Agent::start(kind, rabbitmq, &controller.fleet, "node-7").await;
    controller.converged().await;
    (controller, agent)
}
