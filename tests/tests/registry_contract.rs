//! What every registry promises, asked of the one in memory and of the one in Redis; then what Redis alone can do.
#![expect(clippy::unwrap_used, reason = "a test goes no further when something is not there")]

#[path = "registry_contract/redis_alone.rs"]
mod redis_alone;
#[path = "registry_contract/suspects.rs"]
mod suspects;

use bellwether_controller::{
    RedisUrl,
    registry::{
        AgentEntry, AgentRecord, CLOCKS_DIFFER, EVENTS_KEPT, Event, Forgetting, Presence, Recorded, Registry,
        Replica, memory::MemoryRegistry, redis::RedisRegistry,
    },
};
use bellwether_ingress::{Labels, Revision};
use bellwether_proto::{AgentName, Known, StoreId};
use bellwether_rpc::Instance;
use bellwether_tests::{Redis, eventually};
use futures_util::future::join_all;
use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, SystemTime},
};
use suspects::*;

/// Longer than any test.
const LONG: Duration = Duration::from_secs(3_600);
/// To be outlived.
const SHORT: Duration = Duration::from_millis(300);

/// A fleet of its own.
enum Fleet {
    Memory(Arc<MemoryRegistry>),
    Redis(RedisFleet),
}

impl Fleet {
    fn in_memory() -> Self {
        Self::Memory(Arc::new(MemoryRegistry::new()))
    }

    async fn in_redis() -> Self {
        Self::Redis(RedisFleet::new(&Redis::shared().await.url()))
    }

    /// The registry as one more controller has it.
    fn replica(&self) -> Arc<dyn Registry> {
        match self {
            Self::Memory(registry) => registry.clone(),
            Self::Redis(fleet) => Arc::new(fleet.replica()),
        }
    }
}

/// A fleet in Redis, and a look behind the registry.
struct RedisFleet {
    url: String,
    fleet: String,
}

impl RedisFleet {
    fn new(url: &str) -> Self {
        Self { url: url.to_owned(), fleet: bellwether_tests::fleet() }
    }

    /// Patient: a busy machine's disk may take seconds for a write.
    fn replica(&self) -> RedisRegistry {
        self.impatient_replica().answer_within(Duration::from_secs(20))
    }

    fn impatient_replica(&self) -> RedisRegistry {
        let url: RedisUrl = self.url.parse().unwrap();
        RedisRegistry::new(&url, &self.fleet.parse().unwrap()).unwrap()
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

fn name(text: &str) -> AgentName {
    text.parse().unwrap()
}

fn beat_of(agent: &str, instance: Instance) -> AgentRecord {
    AgentRecord {
        name: name(agent),
        instance,
        generation: 1,
        version: "1.2.3".to_owned(),
        labels: Labels::from_iter([("zone".parse().unwrap(), "eu".parse().unwrap())]),
        known: Known { store_id: Some(StoreId::new()), revision: Revision::from(7), ..Known::nothing() },
        last_error: Some("a \"quoted\" word,\nand {braces}".to_owned()),
    }
}

fn beat(agent: &str) -> AgentRecord {
    beat_of(agent, Instance::new())
}

async fn record(registry: &dyn Registry, beat: &AgentRecord, ttl: Duration) -> Recorded {
    let recorded = registry.record(std::slice::from_ref(beat), ttl).await.unwrap();
    assert_eq!(recorded.len(), 1);
    recorded[0]
}

async fn find(registry: &dyn Registry, agent: &str) -> Option<AgentEntry> {
    registry.list().await.unwrap().into_iter().find(|entry| entry.record.name.as_str() == agent)
}

async fn presence(registry: &dyn Registry, agent: &str) -> Presence {
    find(registry, agent).await.unwrap().presence
}

async fn until_silent(registry: &dyn Registry, agent: &str) {
    eventually(format!("{agent} is silent"), async || {
        let silent = registry.silent(10_000).await.unwrap();
        silent.contains(&name(agent)) && presence(registry, agent).await == Presence::Silent
    })
    .await;
}

async fn events(registry: &dyn Registry) -> Vec<Event> {
    registry.events(None, EVENTS_KEPT).await.unwrap()
}

/// The events of one agent, without what all of them begin with.
async fn story(registry: &dyn Registry, agent: &str) -> Vec<String> {
    let events = events(registry).await.into_iter().filter(|event| event.agent.as_str() == agent);
    events.map(|event| event.kind.replace("agent.", "")).collect()
}

async fn nobody_is_known_at_first(fleet: Fleet) {
    let registry = fleet.replica();
    assert_eq!(registry.list().await.unwrap(), []);
    assert_eq!(registry.silent(10).await.unwrap(), []);
    assert_eq!(registry.replicas().await.unwrap(), []);
    assert_eq!(registry.events(None, 10).await.unwrap(), []);
    assert_eq!(registry.record(&[], LONG).await.unwrap(), []);
    assert_eq!(registry.take_offline(&[]).await.unwrap(), []);
    assert_eq!(registry.take_offline(&[name("node-7")]).await.unwrap(), []);
    assert!(!registry.goodbye(&name("node-7"), Instance::new()).await.unwrap());
}

async fn a_beat_makes_an_agent_online_for_its_time_to_live(fleet: Fleet) {
    let (one, other) = (fleet.replica(), fleet.replica());
    let beat = beat("node-7");
    assert_eq!(record(&*one, &beat, LONG).await, Recorded::Online);
    let entry = find(&*other, "node-7").await.unwrap();
    assert_eq!((&entry.record, entry.presence, entry.conflict), (&beat, Presence::Online, false));
    assert!(entry.last_seen_age < Duration::from_secs(60), "{:?}", entry.last_seen_age);
    assert_eq!(other.silent(10).await.unwrap(), []);

    assert_eq!(record(&*other, &beat, SHORT).await, Recorded::Online);
    until_silent(&*one, "node-7").await;
    let entry = find(&*one, "node-7").await.unwrap();
    assert_eq!(entry.record, beat);
    assert!(entry.last_seen_age >= SHORT, "{:?}", entry.last_seen_age);
    assert_eq!(story(&*one, "node-7").await, ["online"]);
}

async fn the_newest_beat_is_the_record(fleet: Fleet) {
    let registry = fleet.replica();
    let first = beat("node-7");
    let second =
        AgentRecord { generation: u64::MAX, last_error: None, known: Known::nothing(), ..first.clone() };
    record(&*registry, &first, LONG).await;
    record(&*registry, &second, LONG).await;
    assert_eq!(find(&*registry, "node-7").await.unwrap().record, second);
}

async fn the_longest_silent_are_named_first(fleet: Fleet) {
    let registry = fleet.replica();
    for (agent, ttl) in [("c", 1), ("a", 100), ("b", 200)] {
        record(&*registry, &beat(agent), Duration::from_millis(ttl)).await;
        let later = Duration::from_millis(5);
        tokio::time::sleep(later).await;
    }
    record(&*registry, &beat("d"), LONG).await;
    until_silent(&*registry, "b").await;
    assert_eq!(registry.silent(10).await.unwrap(), [name("c"), name("a"), name("b")]);
    assert_eq!(registry.silent(2).await.unwrap(), [name("c"), name("a")]);
    assert_eq!(registry.silent(0).await.unwrap(), []);
}

async fn two_replicas_take_an_agent_offline_once(fleet: Fleet) {
    let replicas = [fleet.replica(), fleet.replica()];
    let beats: Vec<_> = (0..300).map(|index| beat(&format!("node-{index}"))).collect();
    let names: Vec<_> = beats.iter().map(|beat| beat.name.clone()).collect();
    replicas[0].record(&beats, SHORT).await.unwrap();
    eventually("all are silent", async || replicas[1].silent(1_000).await.unwrap().len() == 300).await;

    let race = (0..16).map(|index| {
        let (replica, names) = (replicas[index % 2].clone(), names.clone());
        tokio::spawn(async move { replica.take_offline(&names).await.unwrap() })
    });
    let taken: Vec<AgentName> = join_all(race).await.into_iter().flat_map(Result::unwrap).collect();
    assert_eq!(taken.len(), 300);
    assert_eq!(BTreeSet::from_iter(taken), BTreeSet::from_iter(names));
    let offline = events(&*replicas[0]).await.into_iter().filter(|event| event.kind == "agent.offline");
    let named: Vec<_> = offline.map(|event| (event.agent, event.instance)).collect();
    assert_eq!(named.len(), 300);
    let expected = beats.iter().map(|beat| (beat.name.clone(), beat.instance));
    assert_eq!(BTreeSet::from_iter(named), BTreeSet::from_iter(expected));
    assert_eq!(replicas[1].silent(10).await.unwrap(), []);
    assert_eq!(presence(&*replicas[1], "node-299").await, Presence::Offline);
}

async fn only_the_silent_are_taken_offline(fleet: Fleet) {
    let registry = fleet.replica();
    record(&*registry, &beat("lively"), LONG).await;
    assert_eq!(registry.take_offline(&[name("lively"), name("unheard-of")]).await.unwrap(), []);
    assert_eq!(presence(&*registry, "lively").await, Presence::Online);
    assert_eq!(story(&*registry, "lively").await, ["online"]);
}

async fn a_beat_that_comes_back_before_the_verdict_wins(fleet: Fleet) {
    let (one, other) = (fleet.replica(), fleet.replica());
    let beat = beat("node-7");
    record(&*one, &beat, SHORT).await;
    until_silent(&*one, "node-7").await;
    let verdict = one.silent(10).await.unwrap();
    record(&*other, &beat, LONG).await;
    assert_eq!(one.take_offline(&verdict).await.unwrap(), []);
    assert_eq!(presence(&*one, "node-7").await, Presence::Online);
    assert_eq!(story(&*one, "node-7").await, ["online"]);
}

async fn a_beat_after_the_verdict_brings_an_agent_back(fleet: Fleet) {
    let registry = fleet.replica();
    let beat = beat("node-7");
    record(&*registry, &beat, SHORT).await;
    until_silent(&*registry, "node-7").await;
    assert_eq!(registry.take_offline(&[name("node-7")]).await.unwrap(), [name("node-7")]);
    assert_eq!(presence(&*registry, "node-7").await, Presence::Offline);
    assert_eq!(find(&*registry, "node-7").await.unwrap().record, beat);
    record(&*registry, &beat, LONG).await;
    assert_eq!(presence(&*registry, "node-7").await, Presence::Online);
    assert_eq!(story(&*registry, "node-7").await, ["online", "offline", "online"]);
}

async fn a_goodbye_is_offline_at_once_and_late_beats_are_ignored(fleet: Fleet) {
    let (one, other) = (fleet.replica(), fleet.replica());
    let beat = beat("node-7");
    record(&*one, &beat, LONG).await;
    assert!(other.goodbye(&beat.name, beat.instance).await.unwrap());
    assert_eq!(presence(&*one, "node-7").await, Presence::Offline);
    assert_eq!(record(&*one, &beat, LONG).await, Recorded::Gone);
    assert_eq!(presence(&*one, "node-7").await, Presence::Offline);
    assert!(!one.goodbye(&beat.name, beat.instance).await.unwrap());
    assert_eq!(story(&*one, "node-7").await, ["online", "offline"]);

    let restarted = beat_of("node-7", Instance::new());
    assert_eq!(record(&*one, &restarted, LONG).await, Recorded::Online);
    assert_eq!(presence(&*other, "node-7").await, Presence::Online);
    assert_eq!(story(&*one, "node-7").await, ["online", "offline", "online"]);
}

async fn a_goodbye_of_a_silent_agent_counts(fleet: Fleet) {
    let registry = fleet.replica();
    let beat = beat("node-7");
    record(&*registry, &beat, SHORT).await;
    until_silent(&*registry, "node-7").await;
    assert!(!registry.goodbye(&beat.name, Instance::new()).await.unwrap(), "of another process");
    assert!(registry.goodbye(&beat.name, beat.instance).await.unwrap());
    assert_eq!(registry.take_offline(&[name("node-7")]).await.unwrap(), []);
    assert_eq!(presence(&*registry, "node-7").await, Presence::Offline);
    assert_eq!(story(&*registry, "node-7").await, ["online", "offline"]);
}

async fn a_goodbye_races_a_verdict_and_one_of_them_wins(fleet: Fleet) {
    let replicas = [fleet.replica(), fleet.replica()];
    let beats: Vec<_> = (0..40).map(|index| beat(&format!("node-{index}"))).collect();
    replicas[0].record(&beats, SHORT).await.unwrap();
    eventually("all are silent", async || replicas[1].silent(100).await.unwrap().len() == 40).await;
    let race = beats.iter().map(|beat| async {
        let names = [beat.name.clone()];
        let (said, taken) =
            tokio::join!(replicas[0].goodbye(&beat.name, beat.instance), replicas[1].take_offline(&names));
        usize::from(said.unwrap()) + taken.unwrap().len()
    });
    assert!(join_all(race).await.into_iter().all(|winners| winners == 1));
    let offline = events(&*replicas[0]).await.into_iter().filter(|event| event.kind == "agent.offline");
    assert_eq!(offline.count(), 40);
}

async fn an_older_instances_goodbye_changes_nothing(fleet: Fleet) {
    let registry = fleet.replica();
    let older = beat("node-7");
    let newer = beat("node-7");
    record(&*registry, &older, LONG).await;
    record(&*registry, &newer, LONG).await;
    assert!(!registry.goodbye(&older.name, older.instance).await.unwrap());
    let entry = find(&*registry, "node-7").await.unwrap();
    assert_eq!((entry.presence, entry.record.instance), (Presence::Online, newer.instance));
    assert_eq!(record(&*registry, &older, LONG).await, Recorded::Gone);
    assert!(!find(&*registry, "node-7").await.unwrap().conflict);
    assert_eq!(record(&*registry, &newer, LONG).await, Recorded::Online);
    assert_eq!(story(&*registry, "node-7").await, ["online"]);
}

async fn an_older_instance_beside_a_newer_one_is_a_conflict_and_does_not_overwrite(fleet: Fleet) {
    let registry = fleet.replica();
    let older = beat("node-7");
    let newer = beat("node-7");
    assert_eq!(record(&*registry, &older, LONG).await, Recorded::Online);
    assert_eq!(record(&*registry, &newer, LONG).await, Recorded::Online);
    assert!(!find(&*registry, "node-7").await.unwrap().conflict);
    assert_eq!(record(&*registry, &older, LONG).await, Recorded::Conflict);
    let entry = find(&*registry, "node-7").await.unwrap();
    assert_eq!((entry.record, entry.presence, entry.conflict), (newer.clone(), Presence::Online, true));
    record(&*registry, &newer, LONG).await;
    assert!(find(&*registry, "node-7").await.unwrap().conflict, "as long as the older one may beat");
    assert_eq!(story(&*registry, "node-7").await, ["online"]);
}

/// An instance that was made this far from now.
fn instance_of(ahead: Duration) -> Instance {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap() + ahead;
    let made = uuid::Timestamp::from_unix(uuid::NoContext, since_1970.as_secs(), since_1970.subsec_nanos());
    uuid::Uuid::new_v7(made).to_string().parse().unwrap()
}

async fn an_instance_from_the_future_keeps_its_name_from_nobody(fleet: Fleet) {
    const MINUTE: Duration = Duration::from_secs(60);
    let registry = fleet.replica();
    let (now, soon) = (beat("node-7"), beat_of("node-7", instance_of(CLOCKS_DIFFER - MINUTE)));
    let years = MINUTE * 60 * 24 * 365 * 3;
    let (far, further) =
        (beat_of("node-7", instance_of(years)), beat_of("node-7", instance_of(years + MINUTE)));

    // Alone it is an agent like any other, and of two such the newer one counts.
    assert_eq!(record(&*registry, &far, LONG).await, Recorded::Online);
    assert_eq!(record(&*registry, &further, LONG).await, Recorded::Online);
    assert_eq!(record(&*registry, &far, LONG).await, Recorded::Conflict);

    // Beside one that is not from the future it is the older one, whoever came first.
    assert_eq!(record(&*registry, &now, LONG).await, Recorded::Online);
    assert_eq!(find(&*registry, "node-7").await.unwrap().record, now);
    for rival in [&far, &further] {
        assert_eq!(record(&*registry, rival, LONG).await, Recorded::Conflict);
    }
    let entry = find(&*registry, "node-7").await.unwrap();
    assert_eq!((entry.record, entry.presence, entry.conflict), (now, Presence::Online, true));

    // Clocks may differ a little.
    assert_eq!(record(&*registry, &soon, LONG).await, Recorded::Online);
    assert_eq!(find(&*registry, "node-7").await.unwrap().record, soon);
}

async fn a_conflict_ends_with_the_older_instances_time_to_live(fleet: Fleet) {
    let registry = fleet.replica();
    let older = beat("node-7");
    record(&*registry, &beat("node-7"), LONG).await;
    assert_eq!(record(&*registry, &older, SHORT).await, Recorded::Conflict);
    eventually("the conflict is over", async || !find(&*registry, "node-7").await.unwrap().conflict).await;
}

async fn an_older_instance_takes_over_when_the_newer_one_is_silent(fleet: Fleet) {
    let registry = fleet.replica();
    let older = beat("node-7");
    record(&*registry, &beat("node-7"), SHORT).await;
    until_silent(&*registry, "node-7").await;
    assert_eq!(record(&*registry, &older, LONG).await, Recorded::Online);
    assert_eq!(find(&*registry, "node-7").await.unwrap().record, older);
    assert_eq!(story(&*registry, "node-7").await, ["online"]);
}

async fn a_batch_gets_one_verdict_a_beat_in_order(fleet: Fleet) {
    let registry = fleet.replica();
    let (older, newer, gone) = (beat("torn"), beat("torn"), beat("gone"));
    registry.goodbye(&gone.name, gone.instance).await.unwrap();
    let mut beats: Vec<_> = (0..400).map(|index| beat(&format!("node-{index}"))).collect();
    beats.splice(0..0, [newer.clone(), older.clone()]);
    beats.insert(200, gone);
    beats.push(older);
    beats.push(newer);
    let verdicts = registry.record(&beats, LONG).await.unwrap();
    assert_eq!(verdicts.len(), beats.len());
    for (beat, (index, verdict)) in beats.iter().zip(verdicts.iter().enumerate()) {
        let expected = match (beat.name.as_str(), index) {
            ("torn", 1 | 403) => Recorded::Conflict,
            ("gone", _) => Recorded::Gone,
            _ => Recorded::Online,
        };
        assert_eq!(*verdict, expected, "{index} {}", beat.name);
    }
    assert_eq!(registry.list().await.unwrap().len(), 401);
}

async fn a_large_fleet_is_listed_by_name(fleet: Fleet) {
    let registry = fleet.replica();
    let beats: Vec<_> = (0..2_500).map(|index| beat(&format!("node-{index}"))).collect();
    registry.record(&beats, LONG).await.unwrap();
    for beat in &beats[..3] {
        assert!(registry.goodbye(&beat.name, beat.instance).await.unwrap());
    }
    let listed = registry.list().await.unwrap();
    let names: Vec<_> = listed.iter().map(|entry| entry.record.name.clone()).collect();
    let mut expected: Vec<_> = beats.iter().map(|beat| beat.name.clone()).collect();
    expected.sort();
    assert_eq!(names, expected);
    let offline = listed.iter().filter(|entry| entry.presence == Presence::Offline);
    let offline: Vec<_> = offline.map(|entry| entry.record.name.as_str()).collect();
    assert_eq!(offline, ["node-0", "node-1", "node-2"]);
    assert_eq!(listed.iter().filter(|entry| entry.presence == Presence::Online).count(), 2_497);
}

async fn the_parts_of_a_listing_are_the_listing_and_the_offline_are_not_counted(fleet: Fleet) {
    let registry = fleet.replica();
    assert_eq!(registry.count_there().await.unwrap(), 0);
    let beats: Vec<_> = (0..1_500).map(|index| beat(&format!("node-{index}"))).collect();
    registry.record(&beats, LONG).await.unwrap();
    registry.goodbye(&beats[7].name, beats[7].instance).await.unwrap();
    assert_eq!(registry.count_there().await.unwrap(), 1_499);

    let (mut met, mut cursor) = (BTreeSet::new(), 0);
    loop {
        let (some, next) = registry.list_some(cursor).await.unwrap();
        met.extend(some.into_iter().map(|entry| entry.record.name));
        cursor = next;
        if cursor == 0 {
            break;
        }
    }
    let listed = registry.list().await.unwrap().into_iter().map(|entry| entry.record.name);
    assert_eq!(met, BTreeSet::from_iter(listed));
    assert_eq!(met.len(), 1_500);
}

async fn who_was_offline_for_long_is_forgotten(fleet: Fleet) {
    let registry = fleet.replica();
    let (lively, left, silent) = (beat("lively"), beat("left"), beat("silent"));
    record(&*registry, &lively, LONG).await;
    record(&*registry, &left, LONG).await;
    record(&*registry, &silent, SHORT).await;
    until_silent(&*registry, "silent").await;
    registry.goodbye(&left.name, left.instance).await.unwrap();
    assert_eq!(registry.forget_offline(LONG).await.unwrap(), 0);
    eventually("one is forgotten", async || registry.forget_offline(Duration::ZERO).await.unwrap() == 1)
        .await;
    assert_eq!(registry.forget_offline(Duration::ZERO).await.unwrap(), 0);
    let left: Vec<_> = registry.list().await.unwrap().into_iter().map(|entry| entry.record.name).collect();
    assert_eq!(left, [name("lively"), name("silent")]);
}

async fn one_agent_is_found_as_it_is_listed(fleet: Fleet) {
    let (one, other) = (fleet.replica(), fleet.replica());
    assert_eq!(other.find(&name("node-7")).await.unwrap(), None);
    let (older, newer) = (beat("node-7"), beat("node-7"));
    record(&*one, &newer, LONG).await;
    record(&*one, &older, LONG).await;
    record(&*one, &beat("node-8"), LONG).await;
    let found = other.find(&name("node-7")).await.unwrap().unwrap();
    assert_eq!((found.record, found.presence, found.conflict), (newer, Presence::Online, true));

    record(&*one, &beat("silent"), SHORT).await;
    until_silent(&*one, "silent").await;
    assert_eq!(other.find(&name("silent")).await.unwrap().unwrap().presence, Presence::Silent);
    let left = beat("left");
    record(&*one, &left, LONG).await;
    one.goodbye(&left.name, left.instance).await.unwrap();
    assert_eq!(other.find(&name("left")).await.unwrap().unwrap().presence, Presence::Offline);
}

async fn only_an_agent_that_is_offline_is_forgotten(fleet: Fleet) {
    let registry = fleet.replica();
    assert_eq!(registry.forget(&name("node-7")).await.unwrap(), Forgetting::Unknown);
    let beat = beat("node-7");
    record(&*registry, &beat, LONG).await;
    let online = Forgetting::StillThere(Presence::Online);
    assert_eq!(registry.forget(&name("node-7")).await.unwrap(), online);
    record(&*registry, &beat, SHORT).await;
    until_silent(&*registry, "node-7").await;
    let silent = Forgetting::StillThere(Presence::Silent);
    assert_eq!(registry.forget(&name("node-7")).await.unwrap(), silent);
    assert_eq!(presence(&*registry, "node-7").await, Presence::Silent);

    registry.take_offline(&[name("node-7")]).await.unwrap();
    assert_eq!(registry.forget(&name("node-7")).await.unwrap(), Forgetting::Done);
    assert_eq!(registry.list().await.unwrap(), []);
    assert_eq!(registry.forget(&name("node-7")).await.unwrap(), Forgetting::Unknown);
    assert_eq!(record(&*registry, &beat, LONG).await, Recorded::Online);
    assert_eq!(presence(&*registry, "node-7").await, Presence::Online);
    assert_eq!(story(&*registry, "node-7").await, ["online", "offline", "online"]);
}

async fn a_replica_is_there_for_as_long_as_it_says_so(fleet: Fleet) {
    let (one, other) = (fleet.replica(), fleet.replica());
    let blind = Replica { instance: Instance::new(), version: "1".to_owned(), listening_since: None };
    let listening = Replica { instance: Instance::new(), version: "2".to_owned(), listening_since: Some(5) };
    one.announce(&listening, LONG).await.unwrap();
    one.announce(&blind, LONG).await.unwrap();
    assert_eq!(other.replicas().await.unwrap(), [blind.clone(), listening.clone()]);
    let seeing = Replica { listening_since: Some(9), ..blind };
    other.announce(&seeing, LONG).await.unwrap();
    assert_eq!(one.replicas().await.unwrap(), [seeing.clone(), listening.clone()]);
    one.withdraw(seeing.instance).await.unwrap();
    assert_eq!(other.replicas().await.unwrap(), std::slice::from_ref(&listening));
    one.announce(&listening, SHORT).await.unwrap();
    eventually("nobody is there", async || other.replicas().await.unwrap().is_empty()).await;
}

async fn events_are_read_on_from_the_last_one_seen(fleet: Fleet) {
    let registry = fleet.replica();
    let first: Vec<_> = (0..30).map(|index| beat(&format!("node-{index}"))).collect();
    registry.record(&first, LONG).await.unwrap();
    let some = registry.events(None, 10).await.unwrap();
    let named: Vec<_> =
        some.iter().map(|event| (&event.agent, event.instance, event.kind.as_str())).collect();
    let expected: Vec<_> =
        first[..10].iter().map(|beat| (&beat.name, beat.instance, "agent.online")).collect();
    assert_eq!(named, expected);

    let rest = registry.events(Some(&some[9].id), 100).await.unwrap();
    assert_eq!(rest.len(), 20);
    assert_eq!(rest[0].agent, first[10].name);
    assert_eq!(registry.events(Some(&rest[19].id), 100).await.unwrap(), []);
    assert_eq!(registry.events(None, 0).await.unwrap(), []);

    registry.goodbye(&first[3].name, first[3].instance).await.unwrap();
    let news = registry.events(Some(&rest[19].id), 100).await.unwrap();
    assert_eq!(news.len(), 1);
    assert_eq!((news[0].kind.as_str(), &news[0].agent), ("agent.offline", &first[3].name));
    assert!(news[0].at >= rest[19].at && news[0].at > 1_700_000_000_000, "{}", news[0].at);
}

async fn what_is_no_id_of_an_event_is_refused(fleet: Fleet) {
    let registry = fleet.replica();
    for bad in ["", "x", "1", "-", "(1-0", "1-0 COUNT 5"] {
        assert!(registry.events(Some(bad), 10).await.is_err(), "{bad:?}");
    }
}

async fn only_the_newest_events_are_kept(fleet: Fleet) {
    let registry = fleet.replica();
    let beats: Vec<_> = (0..EVENTS_KEPT + 500).map(|index| beat(&format!("node-{index}"))).collect();
    for some in beats.chunks(1_000) {
        registry.record(some, LONG).await.unwrap();
    }
    let mut kept = events(&*registry).await;
    kept.extend(registry.events(Some(&kept[kept.len() - 1].id), EVENTS_KEPT).await.unwrap());
    assert!((EVENTS_KEPT..EVENTS_KEPT + 400).contains(&kept.len()), "{}", kept.len());
    assert_eq!(kept[kept.len() - 1].agent, beats[beats.len() - 1].name);
}

async fn all_replicas_see_the_same_epoch(fleet: Fleet) {
    let epoch = fleet.replica().epoch().await.unwrap();
    assert!(!epoch.is_empty());
    assert_eq!(fleet.replica().epoch().await.unwrap(), epoch);
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
    nobody_is_known_at_first
    a_beat_makes_an_agent_online_for_its_time_to_live
    the_newest_beat_is_the_record
    the_longest_silent_are_named_first
    two_replicas_take_an_agent_offline_once
    only_the_silent_are_taken_offline
    a_beat_that_comes_back_before_the_verdict_wins
    a_beat_after_the_verdict_brings_an_agent_back
    a_suspect_is_one_replicas_alone_to_ask
    a_suspect_that_nothing_becomes_of_is_anybodys_again
    only_the_silent_are_suspected
    a_beat_ends_the_suspicion
    an_answer_brings_the_silent_back_by_their_last_record
    an_answer_lasts_for_a_time_to_live
    an_answer_brings_nobody_back_who_is_offline_or_unknown
    a_goodbye_is_offline_at_once_and_late_beats_are_ignored
    a_goodbye_of_a_silent_agent_counts
    a_goodbye_races_a_verdict_and_one_of_them_wins
    an_older_instances_goodbye_changes_nothing
    an_older_instance_beside_a_newer_one_is_a_conflict_and_does_not_overwrite
    an_instance_from_the_future_keeps_its_name_from_nobody
    a_conflict_ends_with_the_older_instances_time_to_live
    an_older_instance_takes_over_when_the_newer_one_is_silent
    a_batch_gets_one_verdict_a_beat_in_order
    a_large_fleet_is_listed_by_name
    the_parts_of_a_listing_are_the_listing_and_the_offline_are_not_counted
    who_was_offline_for_long_is_forgotten
    one_agent_is_found_as_it_is_listed
    only_an_agent_that_is_offline_is_forgotten
    a_replica_is_there_for_as_long_as_it_says_so
    events_are_read_on_from_the_last_one_seen
    what_is_no_id_of_an_event_is_refused
    only_the_newest_events_are_kept
    all_replicas_see_the_same_epoch
}
