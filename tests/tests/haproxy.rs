//! The `haproxy` driver on a real HAProxy.
#![expect(clippy::unwrap_used, reason = "a fixture that panics fails the test")]

#[path = "haproxy/agents.rs"]
mod agents;
#[path = "haproxy/agreement.rs"]
mod agreement;
#[path = "../../ingress/tests/properties/arbitrary_config.rs"]
#[expect(dead_code, reason = "only documents are needed here")]
mod arbitrary_config;
#[path = "haproxy/bursts.rs"]
mod bursts;
#[path = "haproxy/certificates.rs"]
mod certificates;
#[path = "haproxy/client.rs"]
mod client;
#[path = "haproxy/echo.rs"]
mod echo;
#[path = "haproxy/failures.rs"]
mod failures;
#[path = "haproxy/fixture.rs"]
mod fixture;
#[path = "haproxy/health.rs"]
mod health;
#[path = "haproxy/killed_agent.rs"]
mod killed_agent;
#[path = "haproxy/load.rs"]
mod load;
#[path = "haproxy/matching.rs"]
mod matching;
#[path = "haproxy/node.rs"]
mod node;
#[path = "haproxy/reloads.rs"]
mod reloads;
#[path = "haproxy/restarts.rs"]
mod restarts;
