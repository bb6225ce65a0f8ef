//! The product: a server and a client, each with connections of its own.

use super::{PEER, Place, SERVICE, calls::Caller};
use anyhow::Context as _;
use bellwether_rpc::{
    Address, CallError, Connection, Context, Deadline, Fault, Limits, service,
    transport::amqp::{Amqp, AmqpSettings},
};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Says what it was told.
#[service]
pub(crate) trait Wall {
    /// Says it again.
    async fn echo(&self, cx: &Context, text: String) -> Result<String, Fault>;
}

struct Stone;

impl Wall for Stone {
    async fn echo(&self, _cx: &Context, text: String) -> Result<String, Fault> {
        Ok(text)
    }
}

pub(super) struct Ours {
    server: Connection,
    client: Connection,
    wall: WallClient,
    nobody: WallClient,
    serving: JoinHandle<()>,
    stop: CancellationToken,
}

impl Ours {
    pub(super) async fn start(url: &str, place: Place) -> anyhow::Result<Self> {
        let connect = |name: &str| -> anyhow::Result<Connection> {
            let settings = AmqpSettings::new([url.parse()?], "bench".into(), name.into()).for_controller();
            Ok(Connection::new(Amqp::start(settings)))
        };
        let (server, client) = (connect("bench-server")?, connect("bench-client")?);
        let address = match place {
            Place::Shared => Address::shared(SERVICE),
            Place::Peer => Address::peer(SERVICE, PEER),
        };
        let limits = Limits { concurrency: 1_024, prefetch: 1_024, ..Limits::default() };
        let echo = server.server(address.clone(), Stone.router(), limits);
        let (mut bound, stop) = (echo.bound(), CancellationToken::new());
        let serving = tokio::spawn(echo.run(stop.clone()));
        bound.wait_for(Option::is_some).await.context("the server did not start")?;
        client.wait_for_link(deadline()).await?;
        let wall = WallClient::new(client.clone(), address);
        let nobody = WallClient::new(client.clone(), Address::peer(SERVICE, "nobody"));
        Ok(Self { server, client, wall, nobody, serving, stop })
    }

    /// Learns that nobody is there.
    pub(super) async fn call_nobody(&self) -> anyhow::Result<()> {
        let outcome = self.nobody.echo(&"x".to_owned(), deadline()).await;
        anyhow::ensure!(matches!(outcome, Err(CallError::Unroutable { .. })), "{outcome:?}");
        Ok(())
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
        let reply = self.wall.echo(&payload.to_owned(), deadline()).await?;
        anyhow::ensure!(reply.len() == payload.len(), "a wrong reply");
        Ok(())
    }
}

fn deadline() -> Deadline {
    Deadline::after(Duration::from_secs(30))
}
