//! Agents made of lapin and JSON, all on one queue: what they answer to a push is in the test's hands.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bellwether_ingress::Digest;
use bellwether_tests::RabbitMq;
use lapin::BasicProperties;
use lapin::options::QueueDeclareOptions;
use lapin::types::{AMQPValue, FieldTable};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::broker::{Heard, Message, Peer, Task, consume, text, with_headers};

/// What an agent does with a push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reaction {
    Applies,
    Fault(&'static str),
    /// The same, and does not say from whom.
    FaultOfNobody(&'static str),
    Silence,
    /// It beats, and has no queue.
    NoQueue,
}

/// Some agents of one process.
pub(crate) struct FakeAgents {
    pub(crate) instance: Uuid,
    pub(crate) peer: Arc<Peer>,
    heard: Arc<Heard>,
    _serving: Task,
    _beating: Task,
}

impl FakeAgents {
    /// These agents, by name, with queues bound and beating.
    pub(crate) async fn start(rabbitmq: &RabbitMq, fleet: &str, agents: HashMap<String, Reaction>) -> Self {
        let (instance, peer) = (Uuid::now_v7(), Arc::new(Peer::connect(rabbitmq).await));
        peer.declare_exchanges(fleet).await;
        let queue = format!("bellwether.{fleet}.agent.fakes.{instance}.1");
        let own =
            QueueDeclareOptions { exclusive: true, auto_delete: true, ..QueueDeclareOptions::default() };
        peer.channel
            .queue_declare(queue.as_str().into(), own, FieldTable::default())
            .await
            .expect("declared");
        for (name, _) in agents.iter().filter(|(_, reaction)| **reaction != Reaction::NoQueue) {
            peer.bind(&queue, &format!("bellwether.{fleet}.agent"), name).await;
        }
        let heard = Arc::new(Heard::default());
        let beats: Vec<_> = agents.keys().map(|name| beat(name, instance)).collect();
        let desk = Arc::new(Desk { instance, peer: peer.clone(), heard: heard.clone(), agents });
        let serving = consume(&peer.channel, &queue, move |message| desk.clone().take(message)).await;
        let beating = Task::of(keep_beating(peer.clone(), format!("bellwether.{fleet}.controller"), beats));
        Self { instance, peer, heard, _serving: serving, _beating: beating }
    }

    /// The messages of this type that came.
    pub(crate) fn heard_of(&self, kind: &str) -> Vec<Message> {
        self.heard.all().into_iter().filter(|message| message.kind() == kind).collect()
    }
}

fn beat(name: &str, instance: Uuid) -> Value {
    json!({
        "name": name, "instance": instance, "generation": 1, "version": "fake", "labels": {}, "store_id": null,
        "revision": 0, "digest": Digest::empty_set().to_string(), "last_error": null,
    })
}

async fn keep_beating(peer: Arc<Peer>, queue: String, beats: Vec<Value>) {
    loop {
        for beat in &beats {
            let properties = with_headers("OnlineAgent", &[("bw-protocol", AMQPValue::LongInt(1))]);
            peer.publish("", &queue, properties, beat.to_string().as_bytes()).await;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

struct Desk {
    instance: Uuid,
    peer: Arc<Peer>,
    heard: Arc<Heard>,
    agents: HashMap<String, Reaction>,
}

impl Desk {
    async fn take(self: Arc<Self>, message: Message) {
        self.heard.note(message.clone());
        if !message.asks() {
            return;
        }
        let Some(reaction) = self.agents.get(&message.routing_key) else { return };
        let (kind, body) = match reaction {
            Reaction::Applies => {
                ("reply", json!({"revision": message.json()["revision"], "digest": "0".repeat(64)}))
            }
            Reaction::Fault(fault) | Reaction::FaultOfNobody(fault) => {
                ("fault", json!({"fault": fault, "message": format!("as {fault}")}))
            }
            Reaction::Silence | Reaction::NoQueue => return,
        };
        let id = text(message.properties.correlation_id());
        let mut properties = BasicProperties::default().with_type(kind.into()).with_correlation_id(id.into());
        if !matches!(reaction, Reaction::FaultOfNobody(_)) {
            properties = properties.with_app_id(self.instance.to_string().into());
        }
        let to = text(message.properties.reply_to());
        self.peer.publish("", &to, properties, body.to_string().as_bytes()).await;
    }
}
