//! Calls over RabbitMQ, beside bare lapin loops that do no more than they must.

mod absent;
mod bare;
mod calls;
mod everyone;
pub(crate) mod footprint;
mod ours;

use crate::report::Row;
use bellwether_tests::RabbitMq;

/// The service that is called.
const SERVICE: &str = "echo";
/// The name of the peer that is called.
const PEER: &str = "peer-1";

/// Where calls go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// A queue that servers share. Nothing is confirmed: the floor.
    Shared,
    /// One peer. That nobody is there is reported, by a confirm.
    Peer,
}

/// The broker that is measured with.
struct Broker {
    url: String,
    /// Its process, when it is one of our own.
    pid: Option<u32>,
    _own: Option<RabbitMq>,
}

impl Broker {
    async fn start(url: Option<String>) -> Self {
        if let Some(url) = url {
            return Self { url, pid: None, _own: None };
        }
        let own = RabbitMq::start().await;
        Self { url: own.url(), pid: own.pid(), _own: Some(own) }
    }
}

pub(crate) async fn measure(url: Option<String>, rounds: usize) -> anyhow::Result<Vec<Row>> {
    let broker = Broker::start(url).await;
    let mut rows = calls::measure(&broker, Place::Shared, rounds).await?;
    rows.extend(calls::measure(&broker, Place::Peer, rounds).await?);
    rows.push(absent::measure(&broker, rounds).await?);
    rows.extend(everyone::measure(&broker, rounds).await?);
    rows.extend(footprint::measure(&broker, rounds).await?);
    Ok(rows)
}
