//! A controller of one replica and no registry: it notes the beats, and answers from a store that tests change.

use bellwether_ingress::{Digest, IngressConfig, Revision};
use bellwether_proto::{
    AgentName, StoreHead, StoreId,
    agent::{self, AgentClient, DelConfig, SetConfig, Stale},
    controller::{
        self, Beat, BeatReply, ConfigsPage, GetConfigs, GetIngressConfigs, Goodbye, OfflineAgent,
        OnlineAgent, VersionedConfig,
    },
};
use bellwether_rpc::{Connection, Context, Empty, Limits, Router, transport::memory::Memory};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

/// How often agents are told to beat: the shortest there is.
pub(crate) const INTERVAL: Duration = Duration::from_millis(100);

#[derive(Clone)]
pub(crate) struct Controller {
    pub(crate) connection: Connection,
    heard: watch::Sender<Heard>,
    store: Arc<Mutex<Store>>,
    _stop: Arc<DropGuard>,
}

/// What agents said.
#[derive(Clone, Default)]
pub(crate) struct Heard {
    pub(crate) beats: Vec<Beat>,
    /// Whether each beat asked for an answer.
    pub(crate) asked: Vec<bool>,
    pub(crate) goodbyes: Vec<Goodbye>,
    pub(crate) fetches: usize,
    /// Whether the agent could be reached when its first beat came.
    pub(crate) reached: Option<bool>,
}

pub(crate) struct Store {
    pub(crate) head: StoreHead,
    pub(crate) documents: BTreeMap<String, (Revision, IngressConfig)>,
    /// Documents on a page.
    pub(crate) page: usize,
    /// Whether asking beats are answered.
    pub(crate) answers: bool,
}

impl Controller {
    /// A controller that serves, with an empty store.
    pub(crate) async fn start(hub: &Memory) -> Self {
        let connection = Connection::new(hub.connect());
        let head = StoreHead { store_id: StoreId::new(), succeeds: Vec::new(), revision: Revision::ZERO };
        let store = Store { head, documents: BTreeMap::new(), page: 100, answers: true };
        let stop = CancellationToken::new();
        let this = Self {
            connection: connection.clone(),
            heard: watch::Sender::default(),
            store: Arc::new(Mutex::new(store)),
            _stop: Arc::new(stop.clone().drop_guard()),
        };
        let (on_beat, on_bye, on_get) = (Handlers::of(&this), Handlers::of(&this), Handlers::of(&this));
        let router = Router::new()
            .on::<OnlineAgent, _, _>(move |cx, beat| on_beat.clone().beat(cx, beat))
            .on::<OfflineAgent, _, _>(move |_cx, goodbye| on_bye.clone().goodbye(goodbye))
            .on::<GetIngressConfigs, _, _>(move |_cx, get| on_get.clone().get(get));
        let server = connection.server(controller::address(), router, Limits::default());
        let mut bound = server.bound();
        tokio::spawn(server.run(stop));
        bound.wait_for(Option::is_some).await.unwrap();
        this
    }

    pub(crate) fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap()
    }

    pub(crate) fn client(&self, name: &AgentName) -> AgentClient {
        AgentClient::new(self.connection.clone(), agent::address(name))
    }

    pub(crate) fn heard(&self) -> watch::Receiver<Heard> {
        self.heard.subscribe()
    }

    /// Stores a document, as an operator's push does first.
    pub(crate) fn put(&self, name: &str) -> SetConfig {
        let mut store = self.store();
        store.head.revision = store.head.revision.next();
        let config = document(name, store.head.revision);
        let at = store.head.clone();
        store.documents.insert(name.to_owned(), (at.revision, config.clone()));
        SetConfig { at, name: name.parse().unwrap(), config }
    }

    /// Deletes a document from the store.
    pub(crate) fn delete(&self, name: &str) -> DelConfig {
        let mut store = self.store();
        store.head.revision = store.head.revision.next();
        store.documents.remove(name);
        DelConfig { at: store.head.clone(), name: name.parse().unwrap() }
    }

    pub(crate) fn stale(&self) -> Stale {
        let store = self.store();
        Stale { head: store.head.clone(), digest: store.digest() }
    }

    pub(crate) fn digest(&self) -> Digest {
        self.store().digest()
    }
}

impl Store {
    pub(crate) fn digest(&self) -> Digest {
        let members: Vec<_> =
            self.documents.values().map(|(revision, config)| (config.name(), *revision)).collect();
        Digest::of_set(members)
    }
}

/// A document that differs with each revision.
fn document(name: &str, revision: Revision) -> IngressConfig {
    let port = 1_000 + revision.get() % 60_000;
    IngressConfig::from_yaml(&format!(
        "apiVersion: bellwether/v1\nkind: IngressConfig\nmetadata: {{name: {name}}}\nspec:\n  listeners:\n    \
         - {{name: web, address: 127.0.0.1, port: {port}, protocol: HTTP}}\n"
    ))
    .unwrap()
}

#[derive(Clone)]
struct Handlers {
    connection: Connection,
    heard: watch::Sender<Heard>,
    store: Arc<Mutex<Store>>,
}

type Answer<T> = Result<T, bellwether_rpc::Fault>;

impl Handlers {
    fn of(controller: &Controller) -> Self {
        let Controller { connection, heard, store, .. } = controller.clone();
        Self { connection, heard, store }
    }

    async fn beat(self, cx: Context, beat: Beat) -> Answer<BeatReply> {
        if self.heard.borrow().reached.is_none() {
            let client = AgentClient::new(self.connection.clone(), agent::address(&beat.name));
            let reached = client.ping(cx.deadline).await.is_ok_and(|pong| pong.instance == beat.instance);
            self.heard.send_modify(|heard| heard.reached = Some(reached));
        }
        self.heard.send_modify(|heard| {
            heard.beats.push(beat);
            heard.asked.push(!cx.notification);
        });
        let reply = {
            let store = self.store.lock().unwrap();
            let next_beat_ms = INTERVAL.as_millis().try_into().unwrap();
            store.answers.then(|| BeatReply {
                head: store.head.clone(),
                digest: store.digest(),
                next_beat_ms,
            })
        };
        match reply {
            Some(reply) => Ok(reply),
            None => std::future::pending().await,
        }
    }

    async fn goodbye(self, goodbye: Goodbye) -> Answer<Empty> {
        self.heard.send_modify(|heard| heard.goodbyes.push(goodbye));
        Ok(Empty {})
    }

    async fn get(self, GetConfigs { have, .. }: GetConfigs) -> Answer<ConfigsPage> {
        self.heard.send_modify(|heard| heard.fetches += 1);
        let store = self.store.lock().unwrap();
        let mut lacking: Vec<_> = store
            .documents
            .values()
            .filter(|(revision, config)| have.get(config.name()) != Some(revision))
            .map(|(revision, config)| VersionedConfig {
                name: config.name().clone(),
                revision: *revision,
                config: config.clone(),
            })
            .collect();
        let more = lacking.len() > store.page;
        lacking.truncate(store.page);
        let gone = have.into_keys().filter(|name| !store.documents.contains_key(name.as_str()));
        let (head, digest) = (store.head.clone(), store.digest());
        Ok(ConfigsPage { head, digest, configs: lacking, removed: gone.collect(), more })
    }
}
