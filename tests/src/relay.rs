//! Leads a port to a server: before it is there nobody listens at that port, and what goes through it can be stalled,
//! slowed down and cut.

use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use tokio_util::task::AbortOnDropHandle;

use crate::Port;

/// What one read takes, and how many of them may be on their way.
const CHUNK: usize = 64 * 1024;
const ON_THE_WAY: usize = 64;

/// How it treats what comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Treatment {
    stalled: bool,
    delay: Duration,
    /// Connections of an earlier one are cut.
    epoch: u64,
}

/// Listens, and joins whoever comes to the server, while this lives.
#[derive(Debug)]
pub struct Relay {
    treatment: watch::Sender<Treatment>,
    _task: AbortOnDropHandle<()>,
}

impl Relay {
    /// Leads from a port of this machine to another.
    ///
    /// # Panics
    /// When somebody else listens there.
    pub async fn lead(from: &Port, to: u16) -> Self {
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, from.number())).await.expect("a port of our own");
        let (treatment, watched) =
            watch::channel(Treatment { stalled: false, delay: Duration::ZERO, epoch: 0 });
        let task = AbortOnDropHandle::new(tokio::spawn(forward(listener, to, watched)));
        Self { treatment, _task: task }
    }

    /// Nothing goes through while it is stalled, and no connection ends.
    pub fn stall(&self, stalled: bool) {
        self.treatment.send_modify(|treatment| treatment.stalled = stalled);
    }

    /// Everything comes this much later, either way.
    pub fn delay(&self, delay: Duration) {
        self.treatment.send_modify(|treatment| treatment.delay = delay);
    }

    /// Ends every connection there is.
    pub fn cut(&self) {
        self.treatment.send_modify(|treatment| treatment.epoch += 1);
    }
}

async fn forward(listener: TcpListener, to: u16, treatment: watch::Receiver<Treatment>) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        connections.spawn(join(client, to, treatment.clone()));
        while connections.try_join_next().is_some() {}
    }
}

/// Joins a client to the server, until either closes or the connection is cut.
async fn join(client: TcpStream, to: u16, mut treatment: watch::Receiver<Treatment>) {
    let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, to)).await else { return };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    let epoch = treatment.borrow().epoch;
    tokio::select! {
        () = pass(from_client, to_server, treatment.clone()) => {}
        () = pass(from_server, to_client, treatment.clone()) => {}
        _ = treatment.wait_for(|treatment| treatment.epoch != epoch) => {}
    }
}

/// Passes on what comes one way, each piece when it is due.
async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut treatment: watch::Receiver<Treatment>) {
    let (sender, mut due) = mpsc::channel::<(Instant, Vec<u8>)>(ON_THE_WAY);
    let watched = treatment.clone();
    let reading = async move {
        let mut chunk = vec![0; CHUNK];
        while let Ok(read @ 1..) = from.read(&mut chunk).await {
            let due = Instant::now() + watched.borrow().delay;
            if sender.send((due, chunk[..read].to_vec())).await.is_err() {
                return;
            }
        }
    };
    let writing = async move {
        while let Some((at, chunk)) = due.recv().await {
            sleep_until(at).await;
            let flows = treatment.wait_for(|treatment| !treatment.stalled).await.is_ok();
            if !flows || to.write_all(&chunk).await.is_err() {
                return;
            }
        }
    };
    tokio::join!(reading, writing);
}
