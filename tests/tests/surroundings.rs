//! Wrong surroundings: what is wrong is said soon, with host and cause, in the log and by `/readyz`; nobody crashes, hangs
//! or is emptied; and when it is put right, all is well by itself.

#[path = "surroundings/broker.rs"]
mod broker;
#[path = "surroundings/redis.rs"]
mod redis;
#[path = "surroundings/said.rs"]
mod said;

use bellwether_tests::Fleet;

/// A document for every agent.
fn document(name: &str, port: u16) -> String {
    format!(
        "apiVersion: bellwether/v1\nkind: IngressConfig\nmetadata: {{name: {name}}}\nspec:\n  \
         listeners: [{{name: web, port: {port}, protocol: HTTP}}]\n"
    )
}

/// Everybody is there, and a push reaches all.
async fn is_well(fleet: &Fleet) {
    fleet.wait_until_converged().await;
    let agents = fleet.agents().len();
    let pushed = fleet.push(&document("shop", 8080), &[]).await;
    assert_eq!(pushed.counts(), (0, agents, agents), "{pushed:#?}");
}
