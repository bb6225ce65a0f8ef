//! Leads a port to a server: before it is there, nobody listens at that port.

use std::net::Ipv4Addr;

use bellwether_tests::Port;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

/// Listens while this lives.
pub(crate) struct Relay(AbortHandle);

impl Relay {
    pub(crate) async fn lead(from: &Port, to: u16) -> Self {
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, from.number())).await.expect("a port of our own");
        let relaying = tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                tokio::spawn(async move {
                    if let Ok(mut far) = TcpStream::connect((Ipv4Addr::LOCALHOST, to)).await {
                        let _ = copy_bidirectional(&mut near, &mut far).await;
                    }
                });
            }
        });
        Self(relaying.abort_handle())
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.0.abort();
    }
}
