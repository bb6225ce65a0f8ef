//! One publish reaches every peer, and each has an outcome of its own; one has gone, one refuses.
//!
//!     cargo run -p bellwether-rpc --example everyone

use bellwether_rpc::{
    Address, Connection, Context, Deadline, Fault, Instance, Limits, Peer, service, transport::memory::Memory,
};
use std::{error::Error, time::Duration};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// A lamp.
#[service]
pub trait Lamp {
    /// Shines in this colour.
    async fn shine(&self, cx: &Context, colour: String) -> Result<(), Fault>;
}

struct Bulb {
    colours: &'static [&'static str],
}

impl Lamp for Bulb {
    async fn shine(&self, _cx: &Context, colour: String) -> Result<(), Fault> {
        let known = self.colours.contains(&colour.as_str());
        known.then_some(()).ok_or_else(|| Fault::rejected(format!("this lamp has no {colour}")))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (broker, shutdown) = (Memory::new(), CancellationToken::new());
    let (mut lamps, mut peers) = (JoinSet::new(), Vec::new());
    for (name, colours) in [("attic", &["red", "green"]), ("cellar", &["red", "blue"])] {
        let connection = Connection::new(broker.connect());
        let server =
            connection.server(Address::peer("lamp", name), Bulb { colours }.router(), Limits::default());
        let mut bound = server.bound();
        lamps.spawn(server.run(shutdown.clone()));
        bound.wait_for(Option::is_some).await?;
        peers.push(Peer::new(name, connection.instance()));
    }
    peers.push(Peer::new("garden, which was unplugged", Instance::new()));

    let everyone = EveryLamp::new(Connection::new(broker.connect()), "lamp");
    let deadline = Deadline::after(Duration::from_secs(5));
    let mut outcomes = everyone.shine(&"green".to_owned(), peers, deadline).await?;
    while let Some((peer, outcome)) = outcomes.next().await {
        match outcome {
            Ok(_) => println!("{}: shines", peer.name),
            Err(error) => println!("{}: {error}", peer.name),
        }
    }

    shutdown.cancel();
    lamps.join_all().await;
    Ok(())
}
