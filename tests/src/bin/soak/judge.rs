//! What has to be true of a fleet that was left alone again.

use bellwether_tests::{Fleet, RabbitMq, eventually};
use serde_json::Value;

/// Connections of a controller: it publishes on one, and consumes on another.
const OF_A_CONTROLLER: usize = 2;

/// Agents that serve anything else than the documents of the store.
pub(crate) async fn documents(fleet: &Fleet) -> Vec<String> {
    let controller = fleet.controller(0);
    let mut stored = Vec::new();
    for config in controller.configs().await.expect("the list of configs") {
        let answer = controller.get(&format!("/v1/configs/{}", config.name)).await.expect("a config");
        stored.push(answer.body["config"].clone());
    }
    stored.sort_by_key(name);
    let differing = fleet.agents().iter().filter_map(|agent| {
        let mut serves = agent.current()["configs"].as_array().cloned().unwrap_or_default();
        serves.sort_by_key(name);
        (serves != stored).then(|| format!("{} serves {serves:?}, and not {stored:?}", agent.name()))
    });
    differing.collect()
}

fn name(document: &Value) -> String {
    document["metadata"]["name"].to_string()
}

/// Waits until the broker holds what the fleet needs, and nothing else: queues, messages, connections.
///
/// # Panics
/// When that does not come about; the message says what is there.
pub(crate) async fn broker(fleet: &Fleet, rabbitmq: &RabbitMq) {
    let (agents, controllers) = (fleet.agents().len(), fleet.controllers().len());
    let prefix = format!("bellwether.{}.", fleet.name());
    let needed = [1, agents, agents + controllers, 0, agents + OF_A_CONTROLLER * controllers];
    let looked = eventually("the broker holds what the fleet needs", async || {
        let queues = rabbitmq.ctl(&["list_queues", "name", "messages"]).await;
        let of =
            |kind: &str| queues.lines().filter(|line| line.starts_with(&format!("{prefix}{kind}"))).count();
        let known = of("controller") + of("agent.") + of("reply.");
        let waiting = queues.lines().filter(|line| !line.ends_with("\t0")).count();
        let strangers = queues.lines().count() - known;
        let connections = rabbitmq.ctl(&["list_connections", "pid"]).await.lines().count();
        let found = [of("controller"), of("agent."), of("reply."), waiting + strangers, connections];
        if found == needed { Ok(()) } else { Err(format!("{found:?} and not {needed:?}:\n{queues}")) }
    });
    looked.await;
}
