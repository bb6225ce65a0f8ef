//! What the store in Redis promises beyond the contract: restarts, outages, and what others write into it.

use super::*;
use std::time::Instant;

/// An answer is due after one second; the rest is for a machine that is busy.
const SOON: Duration = Duration::from_secs(5);

fn corrupt<T: std::fmt::Debug>(answer: Result<T, StoreError>) -> String {
    let error = answer.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt(_)), "{error:?}");
    error.to_string()
}

#[tokio::test]
async fn a_restart_keeps_everything() {
    let redis = Redis::start().await;
    let fleet = RedisFleet::new(&redis.url());
    let store = fleet.replica();
    put(&store, "shop", 1).await;
    put(&store, "blog", 2).await;
    store.delete(&name("blog")).await.unwrap();
    let before = store.snapshot().await.unwrap();
    redis.stop().await;
    redis.start_again().await;
    eventually("it is reached again", async || store.head().await.map(drop)).await;
    assert_eq!(store.snapshot().await.unwrap(), before);
    assert_eq!(fleet.replica().snapshot().await.unwrap(), before);
    assert_eq!(put(&store, "blog", 3).await, Revision::from(4));
}

#[tokio::test]
async fn while_it_is_down_or_hangs_there_is_an_error_soon_and_afterwards_none() {
    let redis = Redis::start().await;
    let store = RedisFleet::new(&redis.url()).impatient_replica();
    let works = async || store.put(document("shop", 1), "me@here", NOW).await.map(drop);
    let fails_soon = async || {
        let start = Instant::now();
        let error = works().await.unwrap_err();
        assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
        assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
        assert!(error.to_string().contains(&format!("127.0.0.1:{}", redis.port())), "{error}");
    };
    eventually("it works", works).await;
    redis.stop().await;
    fails_soon().await;
    redis.start_again().await;
    eventually("it works again", works).await;
    redis.pause();
    fails_soon().await;
    redis.resume();
    eventually("it works once more", works).await;
}

#[tokio::test]
async fn forgotten_scripts_are_loaded_again() {
    let redis = Redis::start().await;
    let fleet = RedisFleet::new(&redis.url());
    let store = fleet.replica();
    for revision in 1..=3 {
        assert_eq!(put(&store, "shop", 1).await, Revision::from(revision));
        store.save_rollout(&rollout(0)).await.unwrap();
        fleet.raw::<()>("SCRIPT", &["FLUSH"]).await;
    }
}

#[tokio::test]
async fn keys_stand_as_the_design_has_them() {
    let fleet = RedisFleet::shared().await;
    let store = fleet.replica();
    put(&store, "shop", 1).await;
    put(&store, "blog", 2).await;
    store.delete(&name("shop")).await.unwrap();
    let head = store.head().await.unwrap();
    let (id, revision): (String, u64) =
        fleet.raw("HMGET", &[&fleet.key("store"), "store_id", "revision"]).await;
    assert_eq!((id, revision), (head.store_id.to_string(), 3));
    let documents: Vec<String> = fleet.raw("HKEYS", &[&fleet.key("configs")]).await;
    assert_eq!(documents, ["blog"]);
    let tombstones: Vec<String> = fleet.raw("HGETALL", &[&fleet.key("tombstones")]).await;
    assert_eq!(tombstones, ["shop", "3"]);
    put(&store, "shop", 1).await;
    assert_eq!(fleet.raw::<Vec<String>>("HGETALL", &[&fleet.key("tombstones")]).await, [""; 0]);

    let rollout = rollout(1);
    store.save_rollout(&rollout).await.unwrap();
    let key = fleet.key(&format!("rollout:{}", rollout.rollout));
    let lives: u64 = fleet.raw("TTL", &[&key]).await;
    assert!((600_000..=604_800).contains(&lives), "{lives}");
    fleet.raw::<()>("DEL", &[&key]).await;
    assert_eq!(store.rollouts(10).await.unwrap(), []);
}

#[tokio::test]
async fn an_expired_rollout_leaves_the_index() {
    let fleet = RedisFleet::shared().await;
    let store = fleet.replica();
    let index = fleet.key("rollouts");
    fleet.raw::<()>("ZADD", &[&index, "1000", &RolloutId::new().to_string()]).await;
    store.save_rollout(&rollout(0)).await.unwrap();
    assert_eq!(fleet.raw::<u64>("ZCARD", &[&index]).await, 1);
}

#[tokio::test]
async fn another_store_in_its_place_is_seen_at_once() {
    let fleet = RedisFleet::shared().await;
    let store = fleet.replica();
    put(&store, "shop", 1).await;
    let before = store.snapshot().await.unwrap();
    fleet.raw::<()>("DEL", &[&fleet.key("store"), &fleet.key("configs")]).await;
    let after = store.snapshot().await.unwrap();
    assert_ne!(after.head.store_id, before.head.store_id);
    assert_eq!((after.head.revision, after.configs.len()), (Revision::ZERO, 0));
    assert_eq!(put(&store, "blog", 1).await, Revision::from(1));
}

#[tokio::test]
async fn the_stores_it_succeeds_are_read() {
    let fleet = RedisFleet::shared().await;
    let store = fleet.replica();
    let old = bellwether_proto::StoreId::new();
    store.snapshot().await.unwrap();
    fleet.raw::<()>("HSET", &[&fleet.key("store"), "succeeds", &format!("[\"{old}\"]")]).await;
    assert_eq!(store.snapshot().await.unwrap().head.succeeds, [old]);
    assert_eq!(put(&store, "shop", 1).await, Revision::from(1));
    assert_eq!(store.snapshot().await.unwrap().head.succeeds, [old]);
}

#[tokio::test]
async fn a_document_that_cannot_be_read_is_named_and_mended_by_a_put() {
    let fleet = RedisFleet::shared().await;
    let store = fleet.replica();
    put(&store, "shop", 1).await;
    let foreign: String = fleet.raw("HGET", &[&fleet.key("configs"), "shop"]).await;
    for broken in ["{\"config\": \"hunter2\"}", "hunter2", "", &foreign] {
        fleet.raw::<()>("HSET", &[&fleet.key("configs"), "blog", broken]).await;
        let reader = fleet.replica();
        let text = corrupt(reader.snapshot().await);
        assert!(text.contains("blog") && !text.contains("hunter2"), "{text}");
        corrupt(reader.put(document("shop", 1), "me@here", NOW).await);
        corrupt(reader.delete(&name("blog")).await);
        put(&reader, "blog", 2).await;
        assert_eq!(names(&reader).await, ["blog", "shop"]);
    }
}

#[tokio::test]
async fn a_head_that_cannot_be_read_is_named_and_left_alone() {
    for (field, value) in [("store_id", "x"), ("revision", "-1"), ("revision", "007"), ("succeeds", "{")] {
        let fleet = RedisFleet::shared().await;
        let store = fleet.replica();
        put(&store, "shop", 1).await;
        fleet.raw::<()>("HSET", &[&fleet.key("store"), field, value]).await;
        for text in [corrupt(store.head().await), corrupt(store.snapshot().await)] {
            assert!(text.contains(field) && text.contains(&fleet.key("store")), "{text}");
        }
        corrupt(store.put(document("shop", 1), "me@here", NOW).await);
        assert_eq!(fleet.raw::<String>("HGET", &[&fleet.key("store"), field]).await, value);
    }
}

#[tokio::test]
async fn a_value_of_the_wrong_type_is_an_error_and_changes_nothing() {
    for key in ["store", "configs", "tombstones"] {
        let fleet = RedisFleet::shared().await;
        let store = fleet.replica();
        put(&store, "shop", 1).await;
        fleet.raw::<()>("SET", &[&fleet.key(key), "foreign"]).await;
        let text = corrupt(fleet.replica().put(document("shop", 2), "me@here", NOW).await);
        assert!(text.contains(&format!("bw:{{{}}}", fleet.fleet)), "{text}");
        assert_eq!(fleet.raw::<String>("GET", &[&fleet.key(key)]).await, "foreign");
        if key != "store" {
            assert_eq!(store.head().await.unwrap().revision, Revision::from(1));
        }
    }
}

#[tokio::test]
async fn a_rollout_that_cannot_be_read_does_not_hide_the_others() {
    let fleet = RedisFleet::shared().await;
    let store = fleet.replica();
    let (good, bad) = (rollout(0), rollout(0));
    store.save_rollout(&good).await.unwrap();
    store.save_rollout(&bad).await.unwrap();
    fleet.raw::<()>("SET", &[&fleet.key(&format!("rollout:{}", bad.rollout)), "hunter2"]).await;
    fleet.raw::<()>("ZADD", &[&fleet.key("rollouts"), "1e15", "no id"]).await;
    let listed: Vec<_> = store.rollouts(10).await.unwrap().into_iter().map(|view| view.rollout).collect();
    assert_eq!(listed, [good.rollout]);
    let text = corrupt(store.rollout(bad.rollout).await);
    assert!(!text.contains("hunter2"), "{text}");
}
