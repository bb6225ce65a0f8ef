//! The smallest service: one method, one server, one call, over RabbitMQ.
//!
//!     cargo run -p bellwether-rpc --example echo -- amqp://127.0.0.1:5672/%2f

use bellwether_rpc::{
    Address, Connection, Context, Deadline, Fault, Limits, service,
    transport::amqp::{Amqp, AmqpSettings},
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
    let url = std::env::args().nth(1).unwrap_or_else(|| "amqp://127.0.0.1:5672/%2f".to_owned());
    let connection =
        Connection::new(Amqp::start(AmqpSettings::new([url.parse()?], "examples".into(), "echo".into())));
    let (address, shutdown) = (Address::shared("echo"), CancellationToken::new());

    let server = connection.server(address.clone(), Wall.router(), Limits::default());
    let mut bound = server.bound();
    let serving = tokio::spawn(server.run(shutdown.clone()));
    bound.wait_for(Option::is_some).await?;

    let echo = EchoClient::new(connection.clone(), address);
    println!("{}", echo.say(&"hello".to_owned(), Deadline::after(Duration::from_secs(5))).await?);

    shutdown.cancel();
    serving.await?;
    connection.close().await;
    Ok(())
}
