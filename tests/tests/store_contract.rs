//! What every store promises, asked of the one in memory and of the one in Redis; then what Redis alone can do.
#![expect(clippy::unwrap_used, reason = "a test goes no further when something is not there")]

#[path = "store_contract/redis_alone.rs"]
mod redis_alone;

use bellwether_controller::{
    RedisUrl,
    store::{Snapshot, Store, StoreError, Succession, memory::MemoryStore, redis::RedisStore},
};
use bellwether_ingress::{ConfigName, IngressConfig, Revision};
use bellwether_proto::{
    RolloutId, StoreHead, StoreId,
    http::{Failure, RolloutState, RolloutView, Verdict},
};
use bellwether_tests::{Redis, eventually};
use futures_util::future::join_all;
use std::{collections::BTreeSet, sync::Arc, time::Duration};

const NOW: &str = "2026-07-01T12:00:00Z";

/// A fleet of its own.
enum Fleet {
    Memory(Arc<MemoryStore>),
    Redis(RedisFleet),
}

impl Fleet {
    fn in_memory() -> Self {
        Self::Memory(Arc::new(MemoryStore::new()))
    }

    async fn in_redis() -> Self {
        Self::Redis(RedisFleet::shared().await)
    }

    /// The store as one more controller has it.
    fn replica(&self) -> Arc<dyn Store> {
        match self {
            Self::Memory(store) => store.clone(),
            Self::Redis(fleet) => Arc::new(fleet.replica()),
        }
    }
}

/// A fleet in Redis, and a look behind the store.
struct RedisFleet {
    url: String,
    fleet: String,
}

impl RedisFleet {
    async fn shared() -> Self {
        Self::new(&Redis::shared().await.url())
    }

    fn new(url: &str) -> Self {
        Self { url: url.to_owned(), fleet: bellwether_tests::fleet() }
    }

    /// Patient: a busy machine's disk may take seconds for a write.
    fn replica(&self) -> RedisStore {
        self.impatient_replica().answer_within(Duration::from_secs(20))
    }

    fn impatient_replica(&self) -> RedisStore {
        let url: RedisUrl = self.url.parse().unwrap();
        RedisStore::new(&url, &self.fleet.parse().unwrap()).unwrap()
    }

    fn key(&self, rest: &str) -> String {
        format!("bw:{{{}}}:{rest}", self.fleet)
    }

    async fn raw<T: redis::FromRedisValue>(&self, command: &str, arguments: &[&str]) -> T {
        let client = redis::Client::open(self.url.as_str()).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        redis::cmd(command).arg(arguments).query_async(&mut connection).await.unwrap()
    }
}

fn name(text: &str) -> ConfigName {
    text.parse().unwrap()
}

/// A document with a TCP listener, which no other may have.
fn document(name: &str, port: u16) -> IngressConfig {
    let yaml = format!(
        "apiVersion: bellwether/v1
kind: IngressConfig
metadata: {{name: {name}}}
spec:
  listeners: [{{name: pg, address: 127.0.0.1, port: {port}, protocol: TCP, backend: {{name: pg}}}}]
  backends: [{{name: pg, endpoints: [{{address: 127.0.0.1, port: 5432}}]}}]
"
    );
    IngressConfig::from_yaml(&yaml).unwrap()
}

async fn put(store: &dyn Store, name: &str, port: u16) -> Revision {
    store.put(document(name, port), "me@here", NOW).await.unwrap().revision
}

async fn names(store: &dyn Store) -> Vec<String> {
    let snapshot = store.snapshot().await.unwrap();
    snapshot.configs.iter().map(|stored| stored.config.name().to_string()).collect()
}

fn rollout(failures: usize) -> RolloutView {
    let failure = |index| Failure {
        agent: format!("node-{index}").parse().unwrap(),
        verdict: Verdict::TimedOut,
        reason: "no answer".to_owned(),
    };
    RolloutView {
        rollout: RolloutId::new(),
        config: name("shop"),
        revision: Revision::from(7),
        digest: None,
        state: RolloutState::Running,
        targets: 100,
        verdicts: [(Verdict::TimedOut, failures)].into(),
        failures: Some((0..failures).map(failure).collect()),
        absent: vec!["gone".parse().unwrap()],
        elapsed_ms: 5,
    }
}

async fn a_store_is_made_once(fleet: Fleet) {
    let replicas: Vec<_> = (0..10).map(|_| fleet.replica()).collect();
    let heads = join_all(replicas.iter().map(|replica| replica.head())).await;
    let heads: Vec<_> = heads.into_iter().map(Result::unwrap).collect();
    assert!(heads.iter().all(|head| *head == heads[0]), "{heads:?}");
    assert_eq!((heads[0].revision, &heads[0].succeeds), (Revision::ZERO, &Vec::new()));
    let snapshot = fleet.replica().snapshot().await.unwrap();
    assert_eq!(*snapshot, Snapshot { head: heads[0].clone(), configs: Vec::new() });
}

async fn a_document_is_read_back_as_it_was_put(fleet: Fleet) {
    let (one, other) = (fleet.replica(), fleet.replica());
    let shop = document("shop", 1);
    let stored = one.put(shop.clone(), "me@here \"{}\"", NOW).await.unwrap();
    assert_eq!((&stored.config, stored.revision), (&shop, Revision::from(1)));
    assert_eq!((stored.author.as_str(), stored.updated_at.as_str()), ("me@here \"{}\"", NOW));
    for store in [&one, &other] {
        let snapshot = store.snapshot().await.unwrap();
        assert_eq!(snapshot.head.revision, Revision::from(1));
        assert_eq!(snapshot.get(&name("shop")), Some(&stored));
        assert_eq!(snapshot.get(&name("other")), None);
        assert_eq!(store.head().await.unwrap(), snapshot.head);
    }
}

async fn every_put_gets_the_next_revision(fleet: Fleet) {
    let (one, other) = (fleet.replica(), fleet.replica());
    assert_eq!(put(&*one, "shop", 1).await, Revision::from(1));
    assert_eq!(put(&*other, "shop", 1).await, Revision::from(2));
    assert_eq!(put(&*one, "blog", 2).await, Revision::from(3));
    assert_eq!(put(&*one, "shop", 3).await, Revision::from(4));
    let snapshot = other.snapshot().await.unwrap();
    let revisions: Vec<_> =
        snapshot.configs.iter().map(|stored| (stored.config.name(), stored.revision)).collect();
    assert_eq!(revisions, [(&name("blog"), Revision::from(3)), (&name("shop"), Revision::from(4))]);
}

async fn no_put_is_lost_when_many_come_at_once(fleet: Fleet) {
    let replicas = [fleet.replica(), fleet.replica()];
    let puts = (0..50_u16).map(|index| {
        let store = replicas[usize::from(index % 2)].clone();
        tokio::spawn(async move { put(&*store, &format!("shop-{index}"), 1 + index).await })
    });
    let revisions: BTreeSet<u64> = join_all(puts).await.into_iter().map(|put| put.unwrap().get()).collect();
    assert_eq!(revisions, (1..=50).collect());
    for store in &replicas {
        assert_eq!(names(&**store).await.len(), 50);
        assert_eq!(store.head().await.unwrap().revision, Revision::from(50));
    }
    let snapshot = fleet.replica().snapshot().await.unwrap();
    let kept: BTreeSet<u64> = snapshot.configs.iter().map(|stored| stored.revision.get()).collect();
    assert_eq!(kept, revisions);
}

async fn a_clash_is_refused_and_changes_nothing(fleet: Fleet) {
    let (one, other) = (fleet.replica(), fleet.replica());
    put(&*one, "shop", 1).await;
    let before = other.snapshot().await.unwrap();
    let error = other.put(document("thief", 1), "me@here", NOW).await.unwrap_err();
    let StoreError::Clash(clash) = &error else { panic!("{error}") };
    assert_eq!(clash.owner(), Some(&name("shop")));
    assert_eq!(one.snapshot().await.unwrap(), before);
    assert_eq!(put(&*one, "shop", 2).await, Revision::from(2));
    assert_eq!(put(&*other, "thief", 1).await, Revision::from(3));
}

async fn of_two_that_clash_only_one_gets_in(fleet: Fleet) {
    let replicas = [fleet.replica(), fleet.replica()];
    for port in 1..=10 {
        let race = ["shop", "thief"].map(|name| document(&format!("{name}-{port}"), port));
        let [shop, thief] = race;
        let outcomes =
            tokio::join!(replicas[0].put(shop, "me@here", NOW), replicas[1].put(thief, "me@here", NOW));
        let outcomes = [outcomes.0, outcomes.1];
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
        assert_eq!(replicas[0].head().await.unwrap().revision, Revision::from(u64::from(port)));
    }
    assert_eq!(names(&*replicas[0]).await.len(), 10);
}

async fn a_deleted_document_is_gone_at_a_revision_of_its_own(fleet: Fleet) {
    let (one, other) = (fleet.replica(), fleet.replica());
    put(&*one, "shop", 1).await;
    put(&*one, "blog", 2).await;
    let (deleted, revision) = other.delete(&name("shop")).await.unwrap();
    assert_eq!((deleted.config.name(), deleted.revision, revision), (&name("shop"), 1.into(), 3.into()));
    assert_eq!(names(&*one).await, ["blog"]);
    assert_eq!(one.head().await.unwrap().revision, Revision::from(3));
    let error = one.delete(&name("shop")).await.unwrap_err();
    assert!(matches!(&error, StoreError::NotFound(what) if what.contains("shop")), "{error}");
    assert_eq!(other.head().await.unwrap().revision, Revision::from(3));
    assert_eq!(put(&*one, "thief", 1).await, Revision::from(4));
}

async fn a_document_is_deleted_once(fleet: Fleet) {
    let replicas = [fleet.replica(), fleet.replica()];
    put(&*replicas[0], "shop", 1).await;
    let race = (0..10).map(|index| {
        let store = replicas[index % 2].clone();
        tokio::spawn(async move { store.delete(&name("shop")).await.is_ok() })
    });
    let deleted = join_all(race).await.into_iter().filter(|deleted| *deleted.as_ref().unwrap());
    assert_eq!(deleted.count(), 1);
    assert_eq!(replicas[0].head().await.unwrap().revision, Revision::from(2));
}

/// Each put moves the pair "left" and "right" on by one revision each, so their revisions tell which state is seen.
async fn a_snapshot_is_of_one_revision_whoever_writes_meanwhile(fleet: Fleet) {
    let (writer, reader) = (fleet.replica(), fleet.replica());
    put(&*writer, "left", 1).await;
    put(&*writer, "right", 2).await;
    let writing = tokio::spawn(async move {
        for _ in 0..40 {
            put(&*writer, "left", 1).await;
            put(&*writer, "right", 2).await;
        }
    });
    let mut last = Revision::ZERO;
    while !writing.is_finished() || last < Revision::from(82) {
        let snapshot = reader.snapshot().await.unwrap();
        let newest = snapshot.configs.iter().map(|stored| stored.revision).max();
        assert_eq!(newest, Some(snapshot.head.revision));
        let revisions: Vec<u64> = snapshot.configs.iter().map(|stored| stored.revision.get()).collect();
        assert_eq!(revisions[0].abs_diff(revisions[1]), 1, "{revisions:?}");
        assert!(snapshot.head.revision >= last);
        last = snapshot.head.revision;
        tokio::task::yield_now().await;
    }
    writing.await.unwrap();
}

async fn an_unchanged_store_gives_the_same_snapshot_again(fleet: Fleet) {
    let (one, other) = (fleet.replica(), fleet.replica());
    put(&*one, "shop", 1).await;
    let first = one.snapshot().await.unwrap();
    assert!(Arc::ptr_eq(&first, &one.snapshot().await.unwrap()));
    put(&*other, "blog", 2).await;
    assert_eq!(names(&*one).await, ["blog", "shop"]);
    assert_eq!(first.configs.len(), 1);
}

async fn a_store_takes_the_place_of_another(fleet: Fleet) {
    let (one, other) = (fleet.replica(), fleet.replica());
    put(&*one, "shop", 1).await;
    let before = one.snapshot().await.unwrap();
    let lost = StoreId::new();
    let succession = Succession { stores: vec![lost], above: Revision::from(42) };
    let expected = StoreHead { succeeds: vec![lost], revision: Revision::from(43), ..before.head.clone() };
    assert_eq!(other.adopt(&succession).await.unwrap(), expected);
    let after = one.snapshot().await.unwrap();
    assert_eq!((&after.head, &after.configs), (&expected, &before.configs));
    assert_eq!(one.adopt(&succession).await.unwrap(), expected, "nothing is changed by the second time");
    assert_eq!(other.head().await.unwrap(), expected);

    assert_eq!(put(&*one, "blog", 2).await, Revision::from(44));
    let (_, revision) = other.delete(&name("shop")).await.unwrap();
    assert_eq!((revision, other.head().await.unwrap().succeeds), (45.into(), vec![lost]));
}

async fn a_store_that_succeeds_itself_gets_another_id(fleet: Fleet) {
    let (one, other) = (fleet.replica(), fleet.replica());
    put(&*one, "shop", 1).await;
    let before = one.head().await.unwrap();
    let succession = Succession { stores: vec![before.store_id], above: Revision::from(42) };
    let after = other.adopt(&succession).await.unwrap();
    assert_ne!(after.store_id, before.store_id);
    assert_eq!((after.succeeds.as_slice(), after.revision), ([before.store_id].as_slice(), 43.into()));
    assert_eq!(one.snapshot().await.unwrap().head, after);
    assert_eq!(one.adopt(&succession).await.unwrap(), after);
    assert_eq!((names(&*one).await, put(&*one, "blog", 2).await), (vec!["shop".to_owned()], 44.into()));
}

async fn no_succession_is_lost_when_many_come_at_once(fleet: Fleet) {
    let replicas = [fleet.replica(), fleet.replica()];
    let lost: Vec<_> = (0..10).map(|_| StoreId::new()).collect();
    let race = lost.iter().enumerate().map(|(index, lost)| {
        let (store, succession) =
            (replicas[index % 2].clone(), Succession { stores: vec![*lost], above: 5.into() });
        tokio::spawn(async move {
            store.adopt(&succession).await.unwrap();
            put(&*store, &format!("shop-{index}"), 1 + u16::try_from(index).unwrap()).await
        })
    });
    let revisions: BTreeSet<_> = join_all(race).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(revisions.len(), 10, "each put has a revision of its own");
    let head = replicas[0].head().await.unwrap();
    assert_eq!(BTreeSet::from_iter(head.succeeds), BTreeSet::from_iter(lost));
    assert_eq!(head.revision, Revision::from(5 + 20));
}

async fn a_rollout_is_read_by_every_replica(fleet: Fleet) {
    let (one, other) = (fleet.replica(), fleet.replica());
    let running = rollout(3);
    one.save_rollout(&running).await.unwrap();
    assert_eq!(other.rollout(running.rollout).await.unwrap(), running);
    let done = RolloutView { state: RolloutState::Done, elapsed_ms: 99, ..running.clone() };
    other.save_rollout(&done).await.unwrap();
    assert_eq!(one.rollout(done.rollout).await.unwrap(), done);
    // A look at it while it ran, that comes late.
    one.save_rollout(&running).await.unwrap();
    assert_eq!(other.rollout(done.rollout).await.unwrap(), done);
    let unknown = RolloutId::new();
    let error = one.rollout(unknown).await.unwrap_err();
    assert!(matches!(&error, StoreError::NotFound(what) if what.contains(&unknown.to_string())), "{error}");
}

async fn the_newest_rollouts_are_listed_first_and_without_failures(fleet: Fleet) {
    let (one, other) = (fleet.replica(), fleet.replica());
    assert_eq!(one.rollouts(10).await.unwrap(), []);
    let saved: Vec<_> = (0..5).map(|_| rollout(2)).collect();
    for rollout in &saved {
        one.save_rollout(rollout).await.unwrap();
    }
    one.save_rollout(&saved[0]).await.unwrap();
    let listed = |count: usize| -> Vec<_> {
        let newest = saved.iter().rev().take(count);
        newest.map(|rollout| RolloutView { failures: None, ..rollout.clone() }).collect()
    };
    assert_eq!(other.rollouts(10).await.unwrap(), listed(5));
    assert_eq!(other.rollouts(2).await.unwrap(), listed(2));
    assert_eq!(other.rollouts(0).await.unwrap(), []);
}

macro_rules! contract {
    ($($fact:ident)*) => {
        mod in_memory {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $fact() {
                super::$fact(super::Fleet::in_memory()).await;
            })*
        }

        mod in_redis {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $fact() {
                super::$fact(super::Fleet::in_redis().await).await;
            })*
        }
    };
}

contract! {
    a_store_is_made_once
    a_document_is_read_back_as_it_was_put
    every_put_gets_the_next_revision
    no_put_is_lost_when_many_come_at_once
    a_clash_is_refused_and_changes_nothing
    of_two_that_clash_only_one_gets_in
    a_deleted_document_is_gone_at_a_revision_of_its_own
    a_document_is_deleted_once
    a_snapshot_is_of_one_revision_whoever_writes_meanwhile
    an_unchanged_store_gives_the_same_snapshot_again
    a_store_takes_the_place_of_another
    a_store_that_succeeds_itself_gets_another_id
    no_succession_is_lost_when_many_come_at_once
    a_rollout_is_read_by_every_replica
    the_newest_rollouts_are_listed_first_and_without_failures
}
