//! Controllers come and go, and no agent is called offline for it.

use std::time::{Duration, Instant};

use bellwether_tests::{Fleet, always_for};

use crate::documents::{document, ports};

/// Twice the time to live of a beat.
const A_WHILE: Duration = Duration::from_secs(6);

#[tokio::test]
async fn a_killed_controller_under_load_costs_nobody_anything() {
    let fleet = Fleet::shared().await.agents(3).start().await;
    fleet.wait_until_listening().await;

    fleet
        .nobody_is_called_offline_while(async {
            for _ in 0..5 {
                assert_eq!(fleet.push(&document("shop", 8080), &[]).await.code, 0);
            }
            // Amid a push; that one may fail, for the controller that took it is gone.
            let amid = async {
                tokio::time::sleep(Duration::from_millis(20)).await;
                fleet.controller(0).process().kill().await;
            };
            let document_amid = document("shop", 8081);
            let (_, ()) = tokio::join!(fleet.push(&document_amid, &[]), amid);

            let killed = Instant::now();
            let pushed = fleet.push(&document("shop", 8082), &[]).await;
            eprintln!("measured: a push right after a controller was killed: {:.2?}", killed.elapsed());
            assert_eq!(pushed.counts(), (0, 3, 3), "{pushed:#?}");

            always_for(A_WHILE, "pushes work through the one that is left", async || {
                let pushed = fleet.push(&document("shop", 8083), &[]).await;
                if pushed.counts() == (0, 3, 3) { Ok(()) } else { Err(format!("{pushed:#?}")) }
            })
            .await;
        })
        .await;

    for agent in fleet.agents() {
        assert_eq!(ports(&agent.current()), [8083]);
    }
    fleet.controller(0).process().start_again();
    fleet.wait_until_converged().await;
}

#[tokio::test]
async fn a_restarted_controller_calls_nobody_offline() {
    let fleet = Fleet::shared().await.agents(3).start().await;
    fleet.wait_until_listening().await;

    fleet
        .nobody_is_called_offline_while(async {
            let status = fleet.controller(0).process().terminate().await;
            assert_eq!(status.code(), Some(0), "{}", fleet.controller(0).process().log());
            assert_eq!(fleet.push(&document("shop", 8080), &[]).await.counts(), (0, 3, 3));
            fleet.controller(0).process().start_again();
            fleet.wait_until_converged().await;
            fleet.wait_until_listening().await;
            assert_eq!(fleet.push(&document("shop", 8081), &[]).await.counts(), (0, 3, 3));
        })
        .await;
}
