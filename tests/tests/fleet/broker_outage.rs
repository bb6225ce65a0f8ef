//! RabbitMQ goes and comes back: nobody is called offline for it, and all is as before soon after.

use std::time::{Duration, Instant};

use bellwether_tests::{Fleet, RabbitMq, Redis, eventually};

use crate::documents::{document, ports};
use crate::measured::promised;

/// Twice the time to live of a beat.
const AWAY: Duration = Duration::from_secs(6);
const BACK: Duration = Duration::from_secs(15);

#[tokio::test]
async fn nobody_is_called_offline_while_rabbitmq_is_away_and_soon_after_it_pushes_work() {
    let rabbitmq = RabbitMq::start().await;
    let fleet = Fleet::on(&rabbitmq, Redis::shared().await).agents(3).start().await;
    assert_eq!(fleet.push(&document("shop", 8080), &[]).await.counts(), (0, 3, 3));
    fleet.wait_until_listening().await;

    fleet
        .nobody_is_called_offline_while(async {
            rabbitmq.stop().await;
            let stopped = Instant::now();
            eventually("both controllers miss it", async || {
                for controller in fleet.controllers() {
                    let readiness = controller.get("/readyz").await?;
                    if readiness.status != 503 || readiness.body["checks"]["broker"]["ok"] != false {
                        return Err(format!("{readiness:?}"));
                    }
                }
                Ok(())
            })
            .await;
            let refused = fleet.push(&document("shop", 8081), &[]).await;
            assert_eq!((refused.code, refused.rollouts.len()), (1, 0), "{refused:#?}");
            assert!(refused.stderr.contains("the broker: "), "{}", refused.stderr);
            tokio::time::sleep(AWAY.saturating_sub(stopped.elapsed())).await;

            rabbitmq.start_again().await;
            let back = Instant::now();
            fleet.wait_until_converged().await;
            let pushed = fleet.push(&document("shop", 8082), &[]).await;
            promised("all online and a push after RabbitMQ came back", back, BACK);
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
