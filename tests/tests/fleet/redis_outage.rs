//! Redis goes and comes back: nobody is called offline for it, no list is empty, and all is as before soon after.

use std::time::{Duration, Instant};

use bellwether_tests::{Fleet, RabbitMq, Redis};

use crate::documents::{document, ports};
use crate::measured::promised;

/// Twice the time to live of a beat: all keys of agents are gone by then.
const AWAY: Duration = Duration::from_secs(6);
const BACK: Duration = Duration::from_secs(15);

#[tokio::test]
async fn nobody_is_called_offline_while_redis_is_away_and_soon_after_it_pushes_work() {
    let redis = Redis::start().await;
    let fleet = Fleet::on(RabbitMq::shared().await, &redis).agents(3).start().await;
    assert_eq!(fleet.push(&document("shop", 8080), &[]).await.counts(), (0, 3, 3));
    fleet.wait_until_listening().await;

    fleet
        .nobody_is_called_offline_while(async {
            redis.stop().await;
            let stopped = Instant::now();
            for controller in fleet.controllers() {
                for path in ["/v1/agents", "/v1/configs", "/v1/rollouts"] {
                    let answer = controller.get(path).await.expect("it answers");
                    assert_eq!((answer.status, answer.kind.as_str()), (503, "application/problem+json"));
                    let detail = answer.body["detail"].as_str().unwrap_or_default();
                    assert!(detail.contains("Redis at 127.0.0.1"), "{path}: {answer:?}");
                }
                let readiness = controller.get("/readyz").await.expect("it answers");
                assert_eq!(readiness.status, 503, "{readiness:?}");
            }
            let refused = fleet.push(&document("shop", 8081), &[]).await;
            assert_eq!((refused.code, refused.rollouts.len()), (1, 0), "{refused:#?}");
            assert!(refused.stderr.contains("Redis at 127.0.0.1"), "{}", refused.stderr);
            tokio::time::sleep(AWAY.saturating_sub(stopped.elapsed())).await;

            redis.start_again().await;
            let back = Instant::now();
            fleet.wait_until_converged().await;
            let pushed = fleet.push(&document("shop", 8082), &[]).await;
            promised("all online and a push after Redis came back", back, BACK);
            assert_eq!(pushed.counts(), (0, 3, 3), "{pushed:#?}");
            // From here on silence would count again.
            fleet.wait_until_listening().await;
        })
        .await;

    for agent in fleet.agents() {
        assert_eq!(ports(&agent.current()), [8082]);
    }
    assert_eq!(fleet.controller(0).configs().await.expect("a list").len(), 1);
}
