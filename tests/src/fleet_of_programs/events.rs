//! The fleet's events, read from Redis and not from a controller.

use ::redis::streams::{StreamId, StreamRangeReply};
use ::redis::{AsyncCommands, Client, RedisResult};

/// What happened to an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// `agent.online`, `agent.offline`
    pub kind: String,
    /// The agent's name.
    pub agent: String,
    /// When, in milliseconds since 1970, by Redis's clock.
    pub at_ms: u64,
}

pub(super) async fn read(redis_url: &str, fleet: &str) -> RedisResult<Vec<Event>> {
    let mut redis = Client::open(redis_url)?.get_multiplexed_async_connection().await?;
    let reply: StreamRangeReply = redis.xrange_all(format!("bw:{{{fleet}}}:events")).await?;
    Ok(reply.ids.iter().map(event).collect())
}

fn event(entry: &StreamId) -> Event {
    Event {
        kind: entry.get("type").unwrap_or_default(),
        agent: entry.get("agent").unwrap_or_default(),
        at_ms: entry.get("at").unwrap_or_default(),
    }
}
