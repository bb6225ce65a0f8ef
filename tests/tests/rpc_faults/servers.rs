//! Servers that can be killed, and what their handlers have really run.

use crate::{address, settings};
use bellwether_rpc::{Connection, Context, Fault, Limits, service, transport::amqp::Amqp};
use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{runtime::Runtime, time::sleep};
use tokio_util::sync::CancellationToken;

/// How long a handler takes, so that always some are in the middle of it.
const WORK: Duration = Duration::from_millis(5);

/// Whose calls are counted.
#[service]
pub(crate) trait Work {
    /// Gives back the number, which has run from when the handler begins.
    async fn run_once(&self, cx: &Context, number: u64) -> Result<u64, Fault>;
}

/// The numbers of the calls whose handler has begun.
#[derive(Default)]
pub(crate) struct Handled(Mutex<HashSet<u64>>);

impl Handled {
    pub(crate) fn has(&self, number: u64) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&number)
    }

    fn add(&self, number: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(number);
    }
}

struct Worker(Arc<Handled>);

impl Work for Worker {
    async fn run_once(&self, _cx: &Context, number: u64) -> Result<u64, Fault> {
        self.0.add(number);
        sleep(WORK).await;
        Ok(number)
    }
}

/// A server on a runtime of its own.
pub(crate) struct Server {
    runtime: Runtime,
}

impl Server {
    pub(crate) fn start(url: &str, name: &str, handled: &Arc<Handled>) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let (settings, worker) = (settings(url, name), Worker(handled.clone()));
        runtime.spawn(async move {
            let connection = Connection::new(Amqp::start(settings));
            let limits = Limits { concurrency: 256, prefetch: 512, ..Limits::default() };
            connection.server(address(), worker.router(), limits).run(CancellationToken::new()).await;
        });
        Self { runtime }
    }

    /// Ends it where it stands, as SIGKILL would: nothing runs on, and its sockets close.
    pub(crate) fn kill(self) {
        self.runtime.shutdown_background();
    }
}
