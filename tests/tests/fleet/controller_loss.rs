//! Controllers come and go, and no agent is called offline for it.

use std::cell::Cell;
use std::time::{Duration, Instant};

use bellwether_tests::{Fleet, always_for, eventually};

use crate::documents::document;

/// Twice the time to live of a beat.
const A_WHILE: Duration = Duration::from_secs(6);
/// Time in which a controller that judges too early would.
const A_MOMENT: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_killed_controller_under_load_costs_nobody_anything() {
    let fleet = Fleet::shared().await.agents(3).start().await;
    fleet.wait_until_listening().await;
    let succeeded = Cell::new(0);

    fleet
        .nobody_is_called_offline_while(async {
            let story = async {
                eventually("pushes work", async || succeeded.get() >= 5).await;
                fleet.controller(0).process().kill().await;
                let killed = Instant::now();
                let pushed = fleet.push(&document("blog", 8081), &[]).await;
                eprintln!("measured: a push right after a controller was killed: {:.2?}", killed.elapsed());
                assert_eq!(pushed.counts(), (0, 3, 3), "{pushed:#?}");
                always_for(A_WHILE, "pushes work through the one that is left", async || {
                    let pushed = fleet.push(&document("blog", 8081), &[]).await;
                    if pushed.counts() == (0, 3, 3) { Ok(()) } else { Err(format!("{pushed:#?}")) }
                })
                .await;
            };
            tokio::select! {
                () = story => {}
                () = push_on_and_on(&fleet, &succeeded) => {}
            }
        })
        .await;

    eprintln!("measured: pushes beside: {} in all", succeeded.get());
    fleet.controller(0).process().start_again();
    fleet.wait_until_converged().await;
    for agent in fleet.agents() {
        assert_eq!(agent.serves(), ["blog", "shop"]);
    }
}

/// The load. One push may fail: that which the controller has taken when it is killed.
async fn push_on_and_on(fleet: &Fleet, succeeded: &Cell<usize>) {
    let mut failed = Vec::new();
    while failed.len() <= 1 {
        let pushed = fleet.push(&document("shop", 8080), &[]).await;
        if pushed.code == 0 {
            succeeded.set(succeeded.get() + 1);
        } else {
            failed.push(pushed);
        }
    }
    panic!("more than one push failed: {failed:#?}");
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

#[tokio::test]
async fn controllers_that_were_all_away_call_nobody_offline_when_they_return() {
    let fleet = Fleet::shared().await.agents(3).start().await;
    fleet.wait_until_listening().await;

    fleet
        .nobody_is_called_offline_while(async {
            for controller in fleet.controllers() {
                controller.process().terminate().await;
            }
            // No beat is recorded for longer than it counts, and in the end none waits in the queue.
            tokio::time::sleep(A_WHILE / 2).await;
            fleet.agents().iter().for_each(|agent| agent.process().pause());
            tokio::time::sleep(A_WHILE / 2).await;
            for controller in fleet.controllers() {
                controller.process().start_again();
            }
            fleet.wait_until_ready().await;
            tokio::time::sleep(A_MOMENT).await;
            fleet.agents().iter().for_each(|agent| agent.process().resume());
            let back = Instant::now();
            fleet.wait_until_converged().await;
            eprintln!("measured: all online once they beat again: {:.2?}", back.elapsed());
            fleet.wait_until_listening().await;
            assert_eq!(fleet.push(&document("shop", 8080), &[]).await.counts(), (0, 3, 3));
        })
        .await;
}

/// The broker goes on handing it beats, which nobody records: of an even number of agents always the same ones'.
#[tokio::test]
async fn a_controller_that_stands_still_swallows_beats_and_costs_nobody_anything() {
    let fleet = Fleet::shared().await.agents(4).start().await;
    fleet.wait_until_listening().await;

    fleet
        .nobody_is_called_offline_while(async {
            fleet.controller(0).process().pause();
            tokio::time::sleep(Duration::from_secs(8)).await;
            fleet.controller(0).process().resume();
            fleet.wait_until_converged().await;
            fleet.wait_until_listening().await;
            assert_eq!(fleet.push(&document("shop", 8080), &[]).await.counts(), (0, 4, 4));
        })
        .await;
}
