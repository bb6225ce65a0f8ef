//! What the registry in Redis promises beyond the contract: restarts, outages, and what others write into it.

use super::*;
use std::{
    net::Ipv4Addr,
    sync::atomic::{AtomicBool, Ordering},
    time::Instant,
};
use tokio::net::{TcpListener, TcpStream};

/// An answer is due after one second; the rest is for a machine that is busy.
const SOON: Duration = Duration::from_secs(5);

async fn shared() -> RedisFleet {
    RedisFleet::new(&Redis::shared().await.url())
}

#[tokio::test]
async fn a_restart_keeps_the_index_and_changes_the_epoch() {
    let redis = Redis::start().await;
    let fleet = RedisFleet::new(&redis.url());
    let registry = fleet.replica();
    let beat = beat("node-7");
    record(&registry, &beat, SHORT).await;
    let left = super::beat("left");
    record(&registry, &left, LONG).await;
    registry.goodbye(&left.name, left.instance).await.unwrap();
    let epoch = registry.epoch().await.unwrap();

    redis.stop().await;
    redis.start_again().await;
    eventually("it is reached again", async || registry.epoch().await.map(drop)).await;
    assert_ne!(registry.epoch().await.unwrap(), epoch);
    until_silent(&registry, "node-7").await;
    assert_eq!(find(&registry, "node-7").await.unwrap().record, beat);
    assert_eq!(presence(&registry, "left").await, Presence::Offline);
    assert_eq!(registry.take_offline(&[name("node-7"), name("left")]).await.unwrap(), [name("node-7")]);
    assert_eq!(story(&registry, "node-7").await, ["online", "offline"]);
}

#[tokio::test]
async fn while_it_is_down_or_hangs_there_is_an_error_soon_and_afterwards_none() {
    let redis = Redis::start().await;
    let fleet = RedisFleet::new(&redis.url());
    let registry = fleet.impatient_replica();
    let works = async || registry.record(&[beat("node-7")], LONG).await.map(drop);
    let fails_soon = async || {
        let start = Instant::now();
        let error = registry.record(&[beat("node-7")], LONG).await.unwrap_err().to_string();
        assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
        assert!(error.contains(&format!("127.0.0.1:{}", redis.port())), "{error}");
    };
    eventually("it works", works).await;
    redis.stop().await;
    fails_soon().await;
    fails_soon().await;
    redis.start_again().await;
    eventually("it works again", works).await;
    redis.pause();
    fails_soon().await;
    fails_soon().await;
    redis.resume();
    eventually("it works once more", works).await;
}

#[tokio::test]
async fn a_redis_that_was_never_there_is_an_error_and_not_a_panic() {
    let port = bellwether_tests::Port::claim();
    let url: RedisUrl = format!("redis://somebody:hunter2@127.0.0.1:{}/", port.number()).parse().unwrap();
    let registry = RedisRegistry::new(&url, &bellwether_tests::fleet().parse().unwrap()).unwrap();
    let start = Instant::now();
    let error = registry.list().await.unwrap_err();
    assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
    let text = format!("{error} {error:?}");
    assert!(text.contains(&format!("127.0.0.1:{}", port.number())) && !text.contains("hunter2"), "{text}");
}

#[tokio::test]
async fn a_refused_password_is_not_told() {
    let redis = Redis::shared().await;
    let url: RedisUrl = format!("redis://:hunter2@127.0.0.1:{}/", redis.port()).parse().unwrap();
    let registry = RedisRegistry::new(&url, &bellwether_tests::fleet().parse().unwrap()).unwrap();
    let error = registry.list().await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
}

/// What a lost host or a forgotten NAT entry looks like: no end of the connection, and no answer.
#[tokio::test]
async fn a_connection_that_died_without_a_word_is_replaced() {
    let redis = Redis::shared().await;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let fleet = RedisFleet::new(&format!("redis://{}/", listener.local_addr().unwrap()));
    let dead = Arc::new(AtomicBool::new(false));
    tokio::spawn(forward_until_dead(listener, redis.port(), dead.clone()));

    let registry = fleet.replica().answer_within(Duration::from_secs(2));
    let beat = beat("node-7");
    eventually("it works", async || registry.record(std::slice::from_ref(&beat), LONG).await.map(drop)).await;
    dead.store(true, Ordering::SeqCst);
    registry.list().await.unwrap_err();
    eventually("it works over another connection", async || registry.list().await.map(drop)).await;
}

/// Only the first connection dies, and is held open.
async fn forward_until_dead(listener: TcpListener, port: u16, dead: Arc<AtomicBool>) {
    let (first, _) = listener.accept().await.unwrap();
    let back = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
    let (mut from, mut to) = first.into_split();
    let (mut back_from, mut back_to) = back.into_split();
    tokio::spawn(async move { tokio::io::copy(&mut back_from, &mut to).await });
    tokio::spawn(async move {
        let mut buffer = vec![0; 65_536];
        loop {
            let read = tokio::io::AsyncReadExt::read(&mut from, &mut buffer).await.unwrap();
            if !dead.load(Ordering::SeqCst) {
                tokio::io::AsyncWriteExt::write_all(&mut back_to, &buffer[..read]).await.unwrap();
            }
            if read == 0 {
                return std::future::pending().await;
            }
        }
    });
    loop {
        let (mut next, _) = listener.accept().await.unwrap();
        let mut back = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
        tokio::spawn(async move { tokio::io::copy_bidirectional(&mut next, &mut back).await });
    }
}

#[tokio::test]
async fn forgotten_scripts_are_loaded_again() {
    let redis = Redis::start().await;
    let fleet = RedisFleet::new(&redis.url());
    let registry = fleet.replica();
    let beats: Vec<_> = (0..300).map(|index| beat(&format!("node-{index}"))).collect();
    for _ in 0..2 {
        let recorded = registry.record(&beats, LONG).await.unwrap();
        assert!(recorded.len() == 300 && recorded.iter().all(|recorded| *recorded == Recorded::Online));
        fleet.raw::<()>("SCRIPT", &["FLUSH"]).await;
        assert_eq!(registry.list().await.unwrap().len(), 300);
        fleet.raw::<()>("SCRIPT", &["FLUSH"]).await;
    }
    assert_eq!(events(&registry).await.len(), 300);
}

#[tokio::test]
async fn fleets_do_not_see_each_other() {
    let (one, other) = (shared().await, shared().await);
    record(&one.replica(), &beat("node-7"), LONG).await;
    assert_eq!(other.replica().list().await.unwrap(), []);
    assert_eq!(events(&other.replica()).await, []);
}

#[tokio::test]
async fn keys_stand_as_the_design_has_them() {
    let fleet = shared().await;
    let registry = fleet.replica();
    let (beat, left) = (beat("node-7"), beat("left"));
    record(&registry, &beat, Duration::from_secs(100)).await;
    record(&registry, &left, LONG).await;
    registry.goodbye(&left.name, left.instance).await.unwrap();

    let key = fleet.key("agent:node-7");
    let written: String = fleet.raw("GET", &[&key]).await;
    assert!(
        written.starts_with(&format!(r#"{{"name":"node-7","instance":"{}","#, beat.instance)),
        "{written}"
    );
    let lives: i64 = fleet.raw("PTTL", &[&key]).await;
    assert!((1..=100_000).contains(&lives), "{lives}");
    let indexed: Vec<String> = fleet.raw("ZRANGE", &[&fleet.key("online"), "0", "-1"]).await;
    assert_eq!(indexed, ["node-7"]);
    let known: String = fleet.raw("HGET", &[&fleet.key("known"), "left"]).await;
    assert!(known.contains(r#""offline_since":"#), "{known}");
    let gone: i64 = fleet.raw("PTTL", &[&fleet.key(&format!("gone:{}", left.instance))]).await;
    assert!((1..=10_000).contains(&gone), "{gone}");
}

#[tokio::test]
async fn a_value_of_the_wrong_type_is_overwritten() {
    let fleet = shared().await;
    let registry = fleet.replica();
    for key in ["online", "known", "conflicts", "events", "replicas"] {
        fleet.raw::<()>("SET", &[&fleet.key(key), "foreign"]).await;
    }
    fleet.raw::<()>("RPUSH", &[&fleet.key("agent:node-7"), "foreign"]).await;
    fleet.raw::<()>("SET", &[&fleet.key("agent:node-8"), "no record"]).await;
    let error = registry.list().await.unwrap_err().to_string();
    assert!(error.contains("WRONGTYPE"), "{error}");

    let older = [beat("node-7"), beat("node-8")];
    let newer = [beat("node-7"), beat("node-8"), beat("node-9")];
    assert_eq!(registry.record(&newer, LONG).await.unwrap(), [Recorded::Online; 3]);
    assert_eq!(registry.record(&older, LONG).await.unwrap(), [Recorded::Conflict; 2]);
    let listed = registry.list().await.unwrap();
    assert!(listed.iter().all(|entry| entry.presence == Presence::Online) && listed.len() == 3);
    assert_eq!(story(&registry, "node-7").await, ["online"]);
    let replica = Replica { instance: Instance::new(), version: "1".to_owned(), listening_since: None };
    registry.announce(&replica, LONG).await.unwrap();
    assert_eq!(registry.replicas().await.unwrap(), [replica]);
}

#[tokio::test]
async fn what_cannot_be_read_does_not_hide_the_others() {
    let fleet = shared().await;
    let registry = fleet.replica();
    record(&registry, &beat("node-7"), SHORT).await;
    for (agent, entry) in
        [("broken", "{"), ("Not a name", "{}"), ("node-8", "{\"last_seen\":1,\"record\":{}}")]
    {
        fleet.raw::<()>("HSET", &[&fleet.key("known"), agent, entry]).await;
        fleet.raw::<()>("ZADD", &[&fleet.key("online"), "1", agent]).await;
    }
    fleet.raw::<()>("ZADD", &[&fleet.key("replicas"), "inf", "nobody"]).await;
    fleet.raw::<()>("XADD", &[&fleet.key("events"), "*", "foreign", "entry"]).await;
    until_silent(&registry, "node-7").await;
    assert_eq!(registry.list().await.unwrap().len(), 1);
    assert_eq!(registry.silent(10).await.unwrap(), [name("broken"), name("node-8"), name("node-7")]);
    let names = [name("broken"), name("node-8"), name("node-7")];
    assert_eq!(registry.take_offline(&names).await.unwrap(), names);
    assert_eq!(registry.silent(10).await.unwrap(), []);
    assert_eq!(registry.replicas().await.unwrap(), []);
    let online = registry.events(None, 1).await.unwrap();
    let news = registry.events(Some(&online[0].id), 1).await.unwrap();
    assert_eq!((news[0].kind.as_str(), news[0].agent.as_str()), ("agent.offline", "broken"));
    assert_eq!(story(&registry, "node-7").await, ["online", "offline"]);
    assert_eq!(record(&registry, &beat("broken"), LONG).await, Recorded::Online);
    assert_eq!(presence(&registry, "broken").await, Presence::Online);
}

/// A dump that was read back without times to live.
#[tokio::test]
async fn a_record_that_would_live_for_ever_is_not_alive() {
    let fleet = shared().await;
    let registry = fleet.replica();
    let (older, newer) = (beat("node-7"), beat("node-7"));
    record(&registry, &newer, LONG).await;
    fleet.raw::<()>("PERSIST", &[&fleet.key("agent:node-7")]).await;
    assert_eq!(presence(&registry, "node-7").await, Presence::Silent);
    assert_eq!(record(&registry, &older, LONG).await, Recorded::Online);
    assert_eq!(find(&registry, "node-7").await.unwrap().record, older);
}

#[tokio::test]
async fn an_agent_that_lost_its_place_in_the_index_gets_it_back() {
    let fleet = shared().await;
    let registry = fleet.replica();
    record(&registry, &beat("node-7"), SHORT).await;
    until_silent(&registry, "node-7").await;
    fleet.raw::<()>("DEL", &[&fleet.key("online")]).await;
    assert_eq!(registry.silent(10).await.unwrap(), []);
    assert_eq!(registry.forget_offline(LONG).await.unwrap(), 0);
    until_silent(&registry, "node-7").await;
    assert_eq!(registry.take_offline(&[name("node-7")]).await.unwrap(), [name("node-7")]);
    assert_eq!(presence(&registry, "node-7").await, Presence::Offline);
}
