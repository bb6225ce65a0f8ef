//! Three workers share a queue; callers try again where that repeats nothing.
//!
//!     cargo run -p bellwether-rpc --example workers

use bellwether_rpc::{
    Address, CallError, Connection, Context, Deadline, Fault, Limits, service, transport::memory::Memory,
};
use std::{error::Error, time::Duration};
use tokio::{task::JoinSet, time::sleep};
use tokio_util::sync::CancellationToken;

/// Resizes pictures.
#[service]
pub trait Resizer {
    /// Takes a while.
    async fn resize(&self, cx: &Context, picture: u32) -> Result<String, Fault>;
}

struct Worker(&'static str);

impl Resizer for Worker {
    async fn resize(&self, _cx: &Context, picture: u32) -> Result<String, Fault> {
        sleep(Duration::from_millis(50)).await;
        Ok(format!("picture {picture}, by {}", self.0))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (broker, shutdown) = (Memory::new(), CancellationToken::new());
    let address = Address::shared("resizer");
    let mut workers = JoinSet::new();
    for name in ["Ada", "Bob", "Cleo"] {
        let limits = Limits { concurrency: 2, ..Limits::default() };
        let connection = Connection::new(broker.connect());
        let server = connection.server(address.clone(), Worker(name).router(), limits);
        let mut bound = server.bound();
        workers.spawn(server.run(shutdown.clone()));
        bound.wait_for(Option::is_some).await?;
    }

    let resizer = ResizerClient::new(Connection::new(broker.connect()), address);
    let mut calls = JoinSet::new();
    for picture in 1..=20 {
        let resizer = resizer.clone();
        calls.spawn(async move { patiently(&resizer, picture).await });
    }
    while let Some(ended) = calls.join_next().await {
        println!("{}", ended??);
    }

    shutdown.cancel();
    workers.join_all().await;
    Ok(())
}

/// Every worker was busy, or none was there: no handler has run, so asking again repeats nothing.
async fn patiently(resizer: &ResizerClient, picture: u32) -> Result<String, CallError> {
    let deadline = Deadline::after(Duration::from_secs(10));
    loop {
        match resizer.resize(&picture, deadline).await {
            Err(CallError::DeadlineExceeded { sent }) => return Err(CallError::DeadlineExceeded { sent }),
            Err(error) if error.is_safe_to_resend() => sleep(Duration::from_millis(20)).await,
            outcome => return outcome,
        }
    }
}
