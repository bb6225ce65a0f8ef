//! Calls within one process, with nothing installed: the memory transport, as tests and simulations use it. What a call
//! costs without a broker is counted with it, in instructions:
//!
//!     cargo build --release -p bellwether-rpc --example memory
//!     valgrind --tool=callgrind target/release/examples/memory 1000
//!     valgrind --tool=callgrind target/release/examples/memory 11000

use bellwether_rpc::{
    Address, Connection, Context, Deadline, Fault, Limits, service, transport::memory::Memory,
};
use std::{error::Error, time::Duration};
use tokio_util::sync::CancellationToken;

/// Says what it was told.
#[service]
pub trait Echo {
    /// Says it again.
    async fn say(&self, cx: &Context, text: String) -> Result<String, Fault>;
}

struct Wall;

impl Echo for Wall {
    async fn say(&self, _cx: &Context, text: String) -> Result<String, Fault> {
        Ok(text)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let calls: u32 = std::env::args().nth(1).map_or(Ok(1), |calls| calls.parse())?;
    let memory = Memory::new();
    let (client, server) = (Connection::new(memory.connect()), Connection::new(memory.connect()));
    let (address, shutdown) = (Address::shared("echo"), CancellationToken::new());

    let serving = server.server(address.clone(), Wall.router(), Limits::default());
    let mut bound = serving.bound();
    let serving = tokio::spawn(serving.run(shutdown.clone()));
    bound.wait_for(Option::is_some).await?;

    let (echo, text) = (EchoClient::new(client, address), "x".repeat(200));
    for _ in 0..calls {
        echo.say(&text, Deadline::after(Duration::from_secs(5))).await?;
    }
    println!("{calls} calls were answered");

    shutdown.cancel();
    serving.await?;
    Ok(())
}
