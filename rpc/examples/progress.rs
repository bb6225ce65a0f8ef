//! A long call tells how far it is by notifications to its caller, who serves an address of its own.
//!
//!     cargo run -p bellwether-rpc --example progress

use bellwether_rpc::{
    Address, Connection, Context, Deadline, Fault, Limits, service, transport::memory::Memory,
};
use serde::{Deserialize, Serialize};
use std::{error::Error, time::Duration};
use tokio::{task::JoinSet, time::sleep};
use tokio_util::sync::CancellationToken;

/// What to copy, and who wants to know how far it is.
#[derive(Debug, Serialize, Deserialize)]
pub struct Order {
    /// How many files.
    pub files: u32,
    /// The name of the observer.
    pub observer: String,
}

/// Copies files.
#[service]
pub trait Copier {
    /// Copies them, and tells after each.
    async fn copy(&self, cx: &Context, order: Order) -> Result<u32, Fault>;
}

/// Is told how far something is.
#[service]
pub trait Observer {
    /// So many are done.
    #[method(notification)]
    async fn progress(&self, cx: &Context, done: u32) -> Result<(), Fault>;
}

struct Machine {
    connection: Connection,
}

impl Copier for Machine {
    async fn copy(&self, cx: &Context, order: Order) -> Result<u32, Fault> {
        let observer =
            ObserverClient::new(self.connection.clone(), Address::peer("observer", order.observer));
        for done in 1..=order.files {
            sleep(Duration::from_millis(100)).await;
            // Whether anybody is told or not, the copying goes on.
            let _ = observer.notify_progress(&done, cx).await;
        }
        Ok(order.files)
    }
}

struct Screen;

impl Observer for Screen {
    async fn progress(&self, _cx: &Context, done: u32) -> Result<(), Fault> {
        println!("{done} done");
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (broker, shutdown) = (Memory::new(), CancellationToken::new());
    let (machine, caller) = (Connection::new(broker.connect()), Connection::new(broker.connect()));
    let mut servers = JoinSet::new();
    for server in [
        machine.server(
            Address::shared("copier"),
            Machine { connection: machine.clone() }.router(),
            Limits::default(),
        ),
        caller.server(Address::peer("observer", "me"), Screen.router(), Limits::default()),
    ] {
        let mut bound = server.bound();
        servers.spawn(server.run(shutdown.clone()));
        bound.wait_for(Option::is_some).await?;
    }

    let copier = CopierClient::new(caller, Address::shared("copier"));
    let order = Order { files: 5, observer: "me".to_owned() };
    let copied = copier.copy(&order, Deadline::after(Duration::from_secs(10))).await?;
    println!("{copied} files copied");

    shutdown.cancel();
    servers.join_all().await;
    Ok(())
}
