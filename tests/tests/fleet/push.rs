//! A push reaches every agent, and every controller tells the same of it.

use bellwether_proto::http::AgentState;
use bellwether_tests::{Fleet, eventually};
use serde_json::{Value, json};

use crate::documents::{document, ports};

/// SHA-256 of nothing.
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

#[tokio::test]
async fn a_push_is_applied_by_all_and_a_delete_empties_them_again() {
    let fleet = Fleet::shared().await.agents(3).start().await;

    let pushed = fleet.push(&document("shop", 8080), &[]).await;
    assert_eq!(pushed.counts(), (0, 3, 3), "{pushed:#?}");
    assert_eq!(pushed.stderr, "");
    for agent in fleet.agents() {
        let current = agent.current();
        assert_eq!((agent.serves(), ports(&current)), (vec!["shop".to_owned()], vec![8080]), "{current:#}");
        assert_eq!(current["revision"], json!(pushed.rollout().revision));
    }
    fleet.wait_until_converged().await;
    both_controllers_tell_the_same(&fleet, &format!("/v1/rollouts/{}", pushed.rollout().rollout)).await;

    let deleted = fleet.delete("shop").await;
    assert_eq!(deleted.counts(), (0, 3, 3), "{deleted:#?}");
    for agent in fleet.agents() {
        let current = agent.current();
        assert_eq!((&current["configs"], &current["digest"]), (&json!([]), &json!(EMPTY)), "{current:#}");
    }
    fleet.wait_until_converged().await;
    for agent in fleet.controller(1).agents().await.expect("a list") {
        assert_eq!((agent.state, agent.converged), (AgentState::Online, true));
        assert_eq!((agent.digest.to_string().as_str(), agent.last_error), (EMPTY, None));
        assert_eq!(agent.revision, deleted.rollout().revision);
    }
    assert!(fleet.controller(0).configs().await.expect("a list").is_empty());
    both_controllers_tell_the_same(&fleet, &format!("/v1/rollouts/{}", deleted.rollout().rollout)).await;
}

async fn both_controllers_tell_the_same(fleet: &Fleet, rollout: &str) {
    for path in ["/v1/agents", "/v1/configs", "/v1/rollouts", rollout] {
        eventually(format!("both tell the same at {path}"), async || {
            let (one, other) =
                tokio::try_join!(fleet.controller(0).get(path), fleet.controller(1).get(path))?;
            assert_eq!((one.status, other.status), (200, 200), "{one:?} {other:?}");
            let (one, other) = (without_ages(one.body), without_ages(other.body));
            if one == other { Ok(()) } else { Err(format!("{one:#} and {other:#}")) }
        })
        .await;
    }
}

/// Two questions are asked at two times, so the ages differ.
fn without_ages(mut body: Value) -> Value {
    for agent in body.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
        agent.remove("last_seen_age_ms");
    }
    body
}
