//! Somebody beats under an agent's name: who is not newer changes nothing, and either way the conflict is shown.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bellwether_ingress::Digest;
use bellwether_proto::http::AgentView;
use bellwether_tests::{Fleet, RabbitMq, eventually};
use serde_json::{Value, json};
use uuid::{NoContext, Timestamp, Uuid};

use crate::is_whole;
use crate::measured::{counted, page};
use crate::stranger::{Stranger, Target, bare};

const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

fn made(at: SystemTime) -> Uuid {
    let since_1970 = at.duration_since(UNIX_EPOCH).expect("after 1970");
    Uuid::new_v7(Timestamp::from_unix(NoContext, since_1970.as_secs(), since_1970.subsec_nanos()))
}

fn beat(name: &str, instance: Uuid) -> Value {
    json!({
        "name": name, "instance": instance, "generation": 1, "version": "0", "labels": {}, "store_id": null,
        "revision": 0, "digest": Digest::empty_set().to_string(), "last_error": null,
    })
}

async fn shown(fleet: &Fleet, name: &str) -> AgentView {
    fleet.controller(0).agent(name).await.expect("it is listed")
}

#[tokio::test]
async fn who_beats_under_anothers_name_is_shown_and_only_a_newer_process_takes_it() {
    let rabbitmq = RabbitMq::shared().await;
    let fleet = Fleet::shared().await.controllers(1).agents(2).start().await;
    let (stranger, controllers) = (Stranger::connect(rabbitmq).await, Target::controllers(fleet.name()));
    let beats = async |instance: Uuid| {
        let beat = beat("node-1", instance).to_string();
        stranger.ask(&controllers, bare("OnlineAgent"), beat.as_bytes()).await
    };
    let owner = shown(&fleet, "node-1").await.instance;

    let now = SystemTime::now();
    for rival in [made(now - YEAR), made(now + YEAR), Uuid::max(), Uuid::nil()] {
        let (kind, answer) = beats(rival).await;
        assert_eq!((kind.as_str(), &answer["fault"]), ("fault", &json!("Rejected")), "{rival}: {answer}");
        let shown = shown(&fleet, "node-1").await;
        assert_eq!((shown.instance, shown.conflict), (owner, true), "{rival}: {shown:#?}");
    }

    // A newer one is what a restarted agent is, too. The older process is heard of within a beat.
    let rival = made(SystemTime::now());
    eventually("the conflict is shown", async || {
        let (kind, answer) = beats(rival).await;
        assert_eq!(kind, "reply", "{answer}");
        let shown = shown(&fleet, "node-1").await;
        if shown.conflict { Ok(()) } else { Err(format!("{shown:#?}")) }
    })
    .await;
    eventually("when it falls silent the name is its owner's again", async || {
        let shown = shown(&fleet, "node-1").await;
        if (shown.instance, shown.conflict) == (owner, false) { Ok(()) } else { Err(format!("{shown:#?}")) }
    })
    .await;
    is_whole(&fleet).await;

    let page = page(fleet.controller(0).get("/metrics").await);
    assert!(counted(&page, "bellwether_controller_beats_total", &["outcome=\"conflict\""]) >= 5);
    assert_eq!(counted(&page, "bellwether_controller_beats_of_the_future_total", &[]), 2);
    let log = fleet.controller(0).process().log();
    for line in ["two processes beat under one name", "a process was started in the future"] {
        assert_eq!(log.matches(line).count(), 1, "{line}: {log}");
    }
}

#[tokio::test]
async fn what_an_agent_says_of_itself_is_cut_or_refused() {
    let fleet = Fleet::shared().await.controllers(1).start().await;
    let (stranger, controllers) =
        (Stranger::connect(RabbitMq::shared().await).await, Target::controllers(fleet.name()));
    let beats = async |field: &str, value: Value| {
        let mut beat = beat("stranger", made(SystemTime::now()));
        beat[field] = value;
        let (kind, answer) =
            stranger.ask(&controllers, bare("OnlineAgent"), beat.to_string().as_bytes()).await;
        if kind == "reply" { kind } else { answer["fault"].as_str().unwrap_or_default().to_owned() }
    };
    for field in ["version", "last_error"] {
        assert_eq!(beats(field, json!("\u{1b}[31m".repeat(5_000))).await, "reply");
        let listed = fleet.command(&["agents", "stranger"]).await;
        assert!(listed.code == 0 && !listed.stdout.contains('\u{1b}'), "{listed:?}");
        assert!(listed.stdout.len() < 10_000, "{listed:?}");
        assert_eq!(beats(field, json!("x".repeat(100_000))).await, "BadRequest");
    }
    let labels = |count: usize, length: usize| {
        let label = |index: usize| (format!("l{index}"), json!("x".repeat(length)));
        Value::Object((0..count).map(label).collect())
    };
    assert_eq!(beats("labels", labels(64, 63)).await, "reply");
    assert_eq!(beats("labels", labels(65, 1)).await, "BadRequest");
    assert_eq!(beats("labels", labels(1, 64)).await, "BadRequest");
    assert_eq!(beats("labels", json!({"a\nb": "c"})).await, "BadRequest");
    for (field, wrong) in [
        ("name", json!("no name")),
        ("instance", json!("")),
        ("generation", json!(-1)),
        ("generation", json!(1e300)),
        ("revision", json!("7")),
        ("digest", json!("x".repeat(64))),
        ("store_id", json!(7)),
    ] {
        assert_eq!(beats(field, wrong.clone()).await, "BadRequest", "{field}: {wrong}");
    }
    for field in ["generation", "revision"] {
        assert_eq!(beats(field, json!(u64::MAX)).await, "reply", "{field}");
    }
}
