//! A fleet behind an API key: nobody gets in without it, and it is written nowhere.

use std::time::Duration;

use bellwether_tests::{Answer, Binary, Fleet, Launch, Output};

use crate::documents::document;

const KEY: &str = "sesame-0123456789abcdef";

/// What a single `bellwether` may take.
const COMMAND: Duration = Duration::from_secs(60);

#[tokio::test]
async fn with_the_key_everything_works_and_without_it_nothing_does() {
    let fleet = Fleet::shared().await.api_key(KEY).agents(2).log("trace").start().await;
    assert_eq!(fleet.push(&document("shop", 8080), &[]).await.counts(), (0, 2, 2));

    let url = fleet.controller(0).url();
    let refused = command(&["--server", &url, "agents"]).await;
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.stderr.contains("API key"), "{refused:?}");
    for (path, status) in [("/v1/agents", 401), ("/metrics", 401), ("/healthz", 200), ("/readyz", 200)] {
        let answer = Answer::to_get(&format!("{url}{path}")).await.expect("an answer");
        assert_eq!(answer.status, status, "{path}: {answer:?}");
    }
    for (name, process) in fleet.processes() {
        assert!(!process.logs().contains(KEY), "{name} has written the key");
    }
}

async fn command(args: &[&str]) -> Output {
    Launch::of(Binary::Cli).await.args(args).run_to_end(COMMAND).await
}
