//! A controller made of lapin and JSON: what an agent says to it, and what it answers, is in the test's hands.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use bellwether_ingress::Digest;
use bellwether_tests::{RabbitMq, eventually, fleet};
use lapin::BasicProperties;
use lapin::options::QueueDeclareOptions;
use lapin::types::{AMQPValue, FieldTable};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::broker::{Heard, Message, Peer, Task, bare, consume, text};

/// The id of the `Ping` that is sent in the very moment of the first beat.
pub(crate) const FIRST_PING: &str = "at the first beat";

/// The only controller of a fleet of its own.
pub(crate) struct FakeController {
    pub(crate) fleet: String,
    pub(crate) peer: Arc<Peer>,
    heard: Arc<Heard>,
    says: Arc<Mutex<Says>>,
    _serving: Task,
}

/// What it answers.
#[derive(Clone, Debug)]
pub(crate) struct Says {
    pub(crate) store: Store,
    pub(crate) next_beat_ms: u64,
    /// Documents in one page.
    pub(crate) page: usize,
    /// Whether pages name a digest that no set has.
    pub(crate) lies: bool,
}

/// A store, and what every agent should serve of it.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    pub(crate) id: Uuid,
    pub(crate) succeeds: Vec<Uuid>,
    pub(crate) revision: u64,
    pub(crate) configs: BTreeMap<String, u64>,
}

impl Store {
    /// One that nobody has heard of, with these documents.
    pub(crate) fn new(revision: u64, configs: &[(&str, u64)]) -> Self {
        let configs = configs.iter().map(|(name, revision)| ((*name).to_owned(), *revision)).collect();
        Self { id: Uuid::new_v4(), succeeds: Vec::new(), revision, configs }
    }

    pub(crate) fn digest(&self) -> String {
        let parsed = self.configs.iter().map(|(name, revision)| (name.parse().expect("a name"), *revision));
        let parsed: Vec<_> = parsed.collect();
        Digest::of_set(parsed.iter().map(|(name, revision)| (name, (*revision).into()))).to_string()
    }

    /// The fields that say which store it is.
    pub(crate) fn head(&self) -> Value {
        json!({"store_id": self.id, "succeeds": self.succeeds, "revision": self.revision})
    }

    /// What a `Resync` says.
    pub(crate) fn stale(&self) -> Value {
        merged(self.head(), json!({"digest": self.digest()}))
    }

    /// What a push says of this document, at its revision.
    pub(crate) fn push(&self, name: &str, revision: u64) -> Value {
        let place = json!({"revision": revision, "name": name, "config": document(name, revision)});
        merged(self.head(), place)
    }

    /// What a push says of its removal.
    pub(crate) fn removal(&self, name: &str, revision: u64) -> Value {
        merged(self.head(), json!({"revision": revision, "name": name}))
    }

    fn page(&self, have: &Value, size: usize) -> Value {
        let lacking: Vec<_> =
            self.configs.iter().filter(|(name, revision)| have[name.as_str()] != json!(revision)).collect();
        let configs: Vec<_> = lacking
            .iter()
            .take(size)
            .map(|(name, revision)| json!({"name": name, "revision": revision, "config": document(name, **revision)}))
            .collect();
        let names = have.as_object().into_iter().flat_map(|have| have.keys());
        let removed: Vec<_> = names.filter(|name| !self.configs.contains_key(*name)).collect();
        let more = lacking.len() > size;
        merged(self.stale(), json!({"configs": configs, "removed": removed, "more": more}))
    }
}

/// A document whose port says its revision.
pub(crate) fn document(name: &str, revision: u64) -> Value {
    let listener = json!({"name": "web", "address": "0.0.0.0", "port": 8_000 + revision, "protocol": "HTTP"});
    json!({
        "apiVersion": "bellwether/v1", "kind": "IngressConfig", "metadata": {"name": name},
        "spec": {"listeners": [listener]},
    })
}

pub(crate) fn merged(mut one: Value, other: Value) -> Value {
    let (Value::Object(fields), Value::Object(more)) = (&mut one, other) else { panic!("two objects") };
    fields.extend(more);
    one
}

impl FakeController {
    /// Serves a fleet of its own with this store.
    pub(crate) async fn start(rabbitmq: &RabbitMq, store: Store) -> Self {
        let (fleet, peer) = (fleet(), Arc::new(Peer::connect(rabbitmq).await));
        peer.declare_exchanges(&fleet).await;
        let queue = format!("bellwether.{fleet}.controller");
        let mut classic = FieldTable::default();
        classic.insert("x-queue-type".into(), AMQPValue::LongString("classic".into()));
        let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
        peer.channel.queue_declare(queue.as_str().into(), durable, classic).await.expect("declared");
        let says = Arc::new(Mutex::new(Says { store, next_beat_ms: 1_000, page: 2, lies: false }));
        let heard = Arc::new(Heard::default());
        let exchange = format!("bellwether.{fleet}.agent");
        let desk = Desk { exchange, peer: peer.clone(), heard: heard.clone(), says: says.clone() };
        let desk = Arc::new(desk);
        let serving = consume(&peer.channel, &queue, move |message| desk.clone().take(message)).await;
        Self { fleet, peer, heard, says, _serving: serving }
    }

    /// Changes what it answers from now on.
    pub(crate) fn say(&self, change: impl FnOnce(&mut Says)) {
        change(&mut self.says.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub(crate) fn store(&self) -> Store {
        self.says.lock().unwrap_or_else(PoisonError::into_inner).store.clone()
    }

    /// All that agents said.
    pub(crate) fn heard(&self) -> Vec<Message> {
        self.heard.all()
    }

    pub(crate) fn heard_of(&self, kind: &str) -> Vec<Message> {
        self.heard().into_iter().filter(|message| message.kind() == kind).collect()
    }

    /// Waits for a beat that says this, and returns it.
    pub(crate) async fn beat(&self, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        eventually(format!("a beat: {what}"), async || {
            let last = self.heard_of("OnlineAgent").pop().map(|beat| beat.json());
            match last {
                Some(beat) if holds(&beat) => Ok(beat),
                other => Err(format!("{other:?}")),
            }
        })
        .await
    }

    /// Waits until the agent has converged.
    pub(crate) async fn converged(&self) -> Value {
        let store = self.store();
        let (id, digest) = (json!(store.id), json!(store.digest()));
        self.beat("it has converged", |beat| beat["store_id"] == id && beat["digest"] == digest).await
    }

    /// Asks an agent, and waits for the answer: its type, and its body.
    pub(crate) async fn ask(&self, agent: &str, method: &str, body: &Value) -> (String, Value) {
        self.ask_as(agent, bare(method), body.to_string().as_bytes()).await
    }

    pub(crate) async fn ask_as(
        &self,
        agent: &str,
        properties: BasicProperties,
        body: &[u8],
    ) -> (String, Value) {
        let exchange = format!("bellwether.{}.agent", self.fleet);
        let answer = self.peer.ask(&exchange, agent, properties, body).await;
        (answer.kind(), answer.json())
    }

    /// Asks, and says in one word how it was answered: `reply`, or which fault.
    pub(crate) async fn outcome(&self, agent: &str, method: &str, body: &Value) -> String {
        let (kind, body) = self.ask(agent, method, body).await;
        if kind == "reply" { kind } else { body["fault"].as_str().unwrap_or("no fault").to_owned() }
    }

    /// Tells an agent something that has no answer.
    pub(crate) async fn tell(&self, agent: &str, properties: BasicProperties, body: &[u8]) {
        self.peer.publish(&format!("bellwether.{}.agent", self.fleet), agent, properties, body).await;
    }
}

/// What serves the shared queue.
struct Desk {
    exchange: String,
    peer: Arc<Peer>,
    heard: Arc<Heard>,
    says: Arc<Mutex<Says>>,
}

impl Desk {
    async fn take(self: Arc<Self>, message: Message) {
        if self.heard.all().is_empty() {
            let ping = bare("Ping").with_correlation_id(FIRST_PING.into());
            let ping = ping.with_reply_to(self.peer.answers_to.clone());
            let name = message.json()["name"].as_str().unwrap_or_default().to_owned();
            self.peer.publish(&self.exchange, &name, ping, b"{}").await;
        }
        self.heard.note(message.clone());
        if !message.asks() {
            return;
        }
        let answer = self.answer(&message).to_string();
        let properties = BasicProperties::default()
            .with_type("reply".into())
            .with_correlation_id(text(message.properties.correlation_id()).into());
        let to = text(message.properties.reply_to());
        self.peer.publish("", &to, properties, answer.as_bytes()).await;
    }

    fn answer(&self, message: &Message) -> Value {
        let Says { store, next_beat_ms, page, lies } =
            self.says.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match message.kind().as_str() {
            "OnlineAgent" => merged(store.stale(), json!({"next_beat_ms": next_beat_ms})),
            "GetIngressConfigs" if lies => {
                merged(store.page(&message.json()["have"], page), json!({"digest": "0".repeat(64)}))
            }
            "GetIngressConfigs" => store.page(&message.json()["have"], page),
            "OfflineAgent" => json!({}),
            other => panic!("{other} is no method of a controller"),
        }
    }
}
