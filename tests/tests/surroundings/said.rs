//! That what is wrong is said: by `/readyz` as JSON, and in the log.

use std::time::{Duration, Instant};

use bellwether_tests::{Answer, Fleet, Process, eventually};

/// When it must have been said, and what a busy machine may add to that.
const SAID: Duration = Duration::from_secs(5);
const ALLOWANCE: Duration = Duration::from_millis(1_500);

/// How often the same may be said in the log: once by each part that suffers from it, and again when it changes.
const OFTEN: usize = 12;

/// Every controller says so under this check, and in its log, soon after `since`: all of these words.
pub(crate) async fn by_controllers(fleet: &Fleet, since: Instant, check: &str, words: &[&str]) {
    for controller in fleet.controllers() {
        let said = eventually(format!("/readyz says {words:?}"), async || {
            let answer = controller.get("/readyz").await?;
            is_red(&answer, check, words)
        });
        said.await;
        in_log(controller.process(), words).await;
        soon(since, words);
    }
}

/// The same of an agent, whose pages are at this address.
pub(crate) async fn by_agent(fleet: &Fleet, since: Instant, address: &str, words: &[&str]) {
    on_the_agents_page(address, words).await;
    in_log(fleet.agents()[0].process(), words).await;
    soon(since, words);
}

/// `/readyz` at this address says so.
pub(crate) async fn on_the_agents_page(address: &str, words: &[&str]) {
    eventually(format!("/readyz of the agent says {words:?}"), async || {
        is_red(&Answer::to_get(&format!("http://{address}/readyz")).await?, "broker", words)
    })
    .await;
}

fn is_red(answer: &Answer, check: &str, words: &[&str]) -> Result<(), String> {
    let said = &answer.body["checks"][check];
    let detail = said["detail"].as_str().unwrap_or_default();
    let red = answer.status == 503 && answer.body["ready"] == false && said["ok"] == false;
    if red && words.iter().all(|word| detail.contains(word)) { Ok(()) } else { Err(format!("{answer:?}")) }
}

/// Some line says all of it, and it does not fill the log.
pub(crate) async fn in_log(process: &Process, words: &[&str]) {
    let lines = eventually(format!("the log says {words:?}"), async || {
        let log = process.log();
        let lines = log.lines().filter(|line| words.iter().all(|word| line.contains(word)));
        let lines: Vec<_> = lines.map(str::to_owned).collect();
        if lines.is_empty() { Err(log) } else { Ok(lines) }
    })
    .await;
    assert!(lines.len() <= OFTEN, "said {} times: {lines:#?}", lines.len());
}

#[track_caller]
fn soon(since: Instant, words: &[&str]) {
    let took = since.elapsed();
    eprintln!("measured: {words:?} was said within {took:.2?}");
    assert!(took <= SAID + ALLOWANCE, "{words:?} was said after {took:?}");
}
