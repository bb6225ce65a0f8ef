//! What stands on real messages, taken off a real broker, is what the table of properties says; and what a controller
//! makes of the answers to a push is what the table of faults says.

use std::collections::HashMap;

use bellwether_tests::{Fleet, RabbitMq, eventually};
use lapin::BasicProperties;
use lapin::types::AMQPValue;
use serde_json::json;

use crate::agents::{Agent, Kind, of_both_agents};
use crate::broker::{Message, bare, text};
use crate::fake_agent::{FakeAgents, Reaction};
use crate::fake_controller::{FakeController, Store};
use crate::page::{Page, Table};
use crate::tables::FAULTS;

of_both_agents! {
    what_an_agent_sends_has_the_properties_of_the_table
}

async fn what_an_agent_sends_has_the_properties_of_the_table(kind: Kind) {
    let rabbitmq = RabbitMq::shared().await;
    let controller = FakeController::start(rabbitmq, Store::new(1, &[("a", 1)])).await;
    let agent = Agent::start(kind, rabbitmq, &controller.fleet, "node-7").await;
    let instance = controller.converged().await["instance"].as_str().expect("a text").to_owned();
    let one_way = eventually("a beat that does not ask", async || {
        controller.heard_of("OnlineAgent").into_iter().find(|beat| !beat.asks())
    });
    let one_way = one_way.await;
    let table = Page::read().table("Messages", "property");
    let is_a = |column, message: &Message, method| holds(&table, column, message, method, &instance, None);

    let asking = controller.heard().into_iter().find(Message::asks).expect("the first beat asks");
    is_a("request", &asking, "OnlineAgent");
    is_a("request", &controller.heard_of("GetIngressConfigs")[0], "GetIngressConfigs");
    agent_says_goodbye_after(&controller, &agent, &table, &instance).await;
    let goodbye = if kind == Kind::Rust { "request" } else { "notification" };
    is_a(goodbye, &controller.heard_of("OfflineAgent")[0], "OfflineAgent");
    is_a("notification", &one_way, "OnlineAgent");
}

/// Its reply and its fault, and then it is told to stop.
async fn agent_says_goodbye_after(controller: &FakeController, agent: &Agent, table: &Table, instance: &str) {
    let exchange = format!("bellwether.{}.agent", controller.fleet);
    for (method, column) in [("Ping", "reply"), ("Pong", "fault")] {
        let answer = controller.peer.ask(&exchange, &agent.name, bare(method), b"{}").await;
        holds(table, column, &answer, column, instance, None);
    }
    agent.program.terminate().await;
    eventually("a goodbye", async || !controller.heard_of("OfflineAgent").is_empty()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_controller_sends_has_the_properties_of_the_table_and_answers_become_verdicts() {
    let rabbitmq = RabbitMq::shared().await;
    let page = Page::read();
    let (properties, faults) = (page.table("Messages", "property"), page.table("Faults", "fault"));
    let fleet = Fleet::shared().await.controllers(1).start().await;
    let kinds = FAULTS.map(|kind| (format!("says-{}", kind.to_string().to_lowercase()), kind.to_string()));
    let mut reactions: HashMap<String, Reaction> = HashMap::new();
    for (name, kind) in &kinds {
        reactions.insert(name.clone(), Reaction::Fault(kind.clone().leak()));
    }
    reactions.insert("applies".to_owned(), Reaction::Applies);
    reactions.insert("is-silent".to_owned(), Reaction::Silence);
    reactions.insert("is-nobody".to_owned(), Reaction::FaultOfNobody("Unavailable"));
    reactions.insert("has-no-queue".to_owned(), Reaction::NoQueue);
    reactions.insert("says-something-new".to_owned(), Reaction::Fault("OfTomorrow"));
    let count = reactions.len();
    let agents = FakeAgents::start(rabbitmq, fleet.name(), reactions).await;
    let (controller, instance) = (fleet.controller(0), agents.instance.to_string());
    eventually("every agent is online", async || match controller.agents().await {
        Ok(online) if online.len() == count => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;

    // A push: what came, and what became of each answer.
    let yaml = "apiVersion: bellwether/v1\nkind: IngressConfig\nmetadata: {name: shop}\nspec:\n  \
                listeners: [{name: web, port: 8080, protocol: HTTP}]\n";
    let pushed = fleet.push(yaml, &["--timeout", "2s"]).await;
    assert_eq!(pushed.counts(), (3, count, 1), "{pushed:#?}");
    let verdicts: HashMap<_, _> =
        pushed.failures().into_iter().map(|(name, verdict)| (name, verdict.as_str())).collect();
    for (name, kind) in &kinds {
        assert_eq!(verdicts[name.as_str()], faults.cell(kind, "a push counts as"), "{kind}");
    }
    assert_eq!((verdicts["is-silent"], verdicts["has-no-queue"]), ("timed_out", "unroutable"));
    assert_eq!(verdicts["is-nobody"], "timed_out", "the right one may still answer");
    assert_eq!(verdicts["says-something-new"], faults.cell("Internal", "a push counts as"));

    let push = &agents.heard_of("SetIngressConfig")[0];
    let sender = text(push.properties.app_id());
    holds(&properties, "request", push, "SetIngressConfig", &sender, Some(&instance));
    let resync = eventually("a resync", async || agents.heard_of("Resync").into_iter().next()).await;
    holds(&properties, "notification", &resync, "Resync", &sender, Some(&instance));
    assert_eq!(properties.cell("header bw-instance", "request"), "in pushes to one");
    assert_eq!(properties.cell("header bw-instance", "notification"), "in Resync");

    let queue = format!("bellwether.{}.controller", fleet.name());
    let body = json!({"name": "node-7", "instance": instance}).to_string();
    let reply = agents.peer.ask("", &queue, bare("GetIngressConfigs"), body.as_bytes()).await;
    holds(&properties, "reply", &reply, "reply", &sender, None);
    let fault = agents.peer.ask("", &queue, bare("Ping"), b"{}").await;
    holds(&properties, "fault", &fault, "fault", &sender, None);
    assert_eq!(fault.json()["fault"], json!("UnknownMethod"));
}

/// A message has exactly the properties that a column of the table gives it.
fn holds(table: &Table, column: &str, message: &Message, kind: &str, sender: &str, target: Option<&str>) {
    let mut known = vec!["type"];
    for row in &table.rows {
        let (property, cell) = (row[0].as_str(), row[table.column(column)].as_str());
        let value = value_of(message, property);
        let what = format!("{property} of a {column} ({kind}): {cell:?}, and it is {value:?} in {message:?}");
        match (property, &value) {
            ("header bw-instance", value) => assert_eq!(value.as_deref(), target, "{what}"),
            (_, value) if cell == "may be" => {
                assert!(value.is_none() || property == "header traceparent", "{what}")
            }
            (_, value) => assert_eq!(value.is_some(), cell != "–", "{what}"),
        }
        let Some(value) = value else { continue };
        let milliseconds = || value.parse::<u64>().is_ok_and(|ms| ms >= 1);
        assert!(
            match property {
                "type" => value == kind && (cell == "the method" || cell == value),
                "app_id" => cell == "the sender's instance" && value == sender,
                "content_type" => value == cell,
                "expiration" => cell == "ms, in decimal" && milliseconds(),
                "header bw-deadline-ms" =>
                    cell == "long-long-int" && Some(&value) == value_of(message, "expiration").as_ref(),
                "header bw-protocol" =>
                    cell == "long-int" && value == table.cell(property, "when it is missing"),
                _ => !value.is_empty(),
            },
            "{what}"
        );
        known.push(property);
    }
    assert_eq!(
        named(&message.properties),
        known.len() - 1,
        "a property that is not in the table: {message:?}"
    );
    let default = table.cell("header bw-deadline-ms", "when it is missing");
    assert_eq!(default, bellwether_rpc::DEFAULT_DEADLINE.as_millis().to_string());
}

/// A property or header as text.
fn value_of(message: &Message, property: &str) -> Option<String> {
    let of = &message.properties;
    if let Some(name) = property.strip_prefix("header ") {
        return message.header(name).map(|value| match value {
            AMQPValue::LongString(text) => String::from_utf8_lossy(text.as_bytes()).into_owned(),
            AMQPValue::LongInt(number) => number.to_string(),
            AMQPValue::LongLongInt(number) => number.to_string(),
            // Clients of other languages choose the width.
            AMQPValue::ShortShortInt(number) => number.to_string(),
            AMQPValue::ShortInt(number) => number.to_string(),
            other => panic!("{name} is {other:?}"),
        });
    }
    let text = match property {
        "type" => of.kind(),
        "content_type" => of.content_type(),
        "correlation_id" => of.correlation_id(),
        "reply_to" => of.reply_to(),
        "message_id" => of.message_id(),
        "app_id" => of.app_id(),
        "expiration" => of.expiration(),
        other => panic!("{other} is no property"),
    };
    text.as_ref().map(|text| text.as_str().to_owned())
}

/// How many properties and headers a message has.
fn named(of: &BasicProperties) -> usize {
    let texts = [
        of.kind(),
        of.content_type(),
        of.correlation_id(),
        of.reply_to(),
        of.message_id(),
        of.app_id(),
        of.expiration(),
        of.content_encoding(),
        of.user_id(),
        of.cluster_id(),
    ];
    let others = [of.delivery_mode().is_some(), of.priority().is_some(), of.timestamp().is_some()];
    let headers = of.headers().as_ref().map_or(0, |headers| headers.inner().len());
    texts.iter().filter(|text| text.is_some()).count() + others.iter().filter(|is| **is).count() + headers
}
