//! What an operator and a node's owner see: the product's own programs, each a process, on real servers.

#[path = "fleet/agent_restart.rs"]
mod agent_restart;
#[path = "fleet/api_key.rs"]
mod api_key;
#[path = "fleet/broker_outage.rs"]
mod broker_outage;
#[path = "fleet/connections.rs"]
mod connections;
#[path = "fleet/controller_loss.rs"]
mod controller_loss;
#[path = "fleet/documents.rs"]
mod documents;
#[path = "fleet/freeze.rs"]
mod freeze;
#[path = "fleet/http_edges.rs"]
mod http_edges;
#[path = "fleet/measured.rs"]
mod measured;
#[path = "fleet/metrics.rs"]
mod metrics;
#[path = "fleet/passwords.rs"]
mod passwords;
#[path = "fleet/presence.rs"]
mod presence;
#[path = "fleet/push.rs"]
mod push;
#[path = "fleet/redis_outage.rs"]
mod redis_outage;
#[path = "fleet/refusals.rs"]
mod refusals;
#[path = "fleet/rollouts.rs"]
mod rollouts;
#[path = "fleet/simulate.rs"]
mod simulate;
