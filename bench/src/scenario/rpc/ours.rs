//! The product: a server and a client, each with a connection of its own.

use super::Caller;
use anyhow::Context;
use bellwether_rpc::{
    Address, Connection, Deadline, Limits, Method, Router,
    transport::amqp::{Amqp, AmqpSettings},
};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

struct Echo;

impl Method for Echo {
    const NAME: &'static str = "Echo";
    type Request = String;
    type Reply = String;
}

pub(super) struct Ours {
    server: Connection,
    client: Connection,
    address: Address,
    serving: JoinHandle<()>,
    stop: CancellationToken,
}

impl Ours {
    pub(super) async fn start(url: &str) -> anyhow::Result<Self> {
        let connect = |name: &str| -> anyhow::Result<Connection> {
            let settings = AmqpSettings::new([url.parse()?], "bench".into(), name.into()).for_controller();
            Ok(Connection::new(Amqp::start(settings)))
        };
        let (server, client) = (connect("bench-server")?, connect("bench-client")?);
        let address = Address::shared("echo");
        let router = Router::new().on::<Echo, _, _>(|_, text| async move { Ok(text) });
        let limits = Limits { concurrency: 1_024, prefetch: 1_024, ..Limits::default() };
        let echo = server.server(address.clone(), router, limits);
        let (mut bound, stop) = (echo.bound(), CancellationToken::new());
        let serving = tokio::spawn(echo.run(stop.clone()));
        bound.wait_for(Option::is_some).await.context("the server did not start")?;
        client.wait_for_link(Deadline::after(Duration::from_secs(10))).await?;
        Ok(Self { server, client, address, serving, stop })
    }

    pub(super) async fn stop(self) {
        self.stop.cancel();
        let _ = self.serving.await;
        self.client.close().await;
        self.server.close().await;
    }
}

impl Caller for Ours {
    async fn call(&self, payload: &str) -> anyhow::Result<()> {
        let deadline = Deadline::after(Duration::from_secs(30));
        let reply = self.client.call::<Echo>(&self.address, &payload.to_owned(), deadline).await?;
        anyhow::ensure!(reply.len() == payload.len(), "a wrong reply");
        Ok(())
    }
}
