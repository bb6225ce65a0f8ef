//! Keeps a session alive: connects, waits for its end, and connects again.

use super::{
    AmqpSettings,
    backoff::Backoff,
    names::Names,
    session::{Environment, Session},
};
use crate::{
    Instance, Link,
    transport::{Inbound, Inbox, InboxSlot},
};
use std::sync::{Arc, Mutex, PoisonError, atomic::AtomicU64};
use tokio::{
    sync::watch,
    task::{JoinHandle, JoinSet},
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

/// Owns the session, and the task that makes new ones.
pub(super) struct Supervisor {
    shared: Arc<Shared>,
    task: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    environment: Arc<Environment>,
    session: Mutex<Option<Arc<Session>>>,
    closed: CancellationToken,
}

impl Supervisor {
    pub(super) fn start(settings: AmqpSettings) -> Self {
        let environment = Arc::new(Environment {
            instance: Instance::new(),
            names: Names::new(settings.namespace.clone()),
            inbox: InboxSlot::default(),
            link: watch::Sender::new(Link::Down { reason: "not connected yet".into() }),
            generations: AtomicU64::new(0),
            settings,
        });
        let shared =
            Arc::new(Shared { environment, session: Mutex::default(), closed: CancellationToken::new() });
        let task = tokio::spawn(shared.clone().supervise());
        Self { shared, task: Mutex::new(Some(task)) }
    }

    pub(super) fn instance(&self) -> Instance {
        self.shared.environment.instance
    }

    pub(super) fn link(&self) -> watch::Receiver<Link> {
        self.shared.environment.link.subscribe()
    }

    pub(super) fn deliver_to(&self, inbox: Inbox) -> bool {
        self.shared.environment.inbox.fill(inbox)
    }

    pub(super) fn session(&self) -> Option<Arc<Session>> {
        self.shared.lock().clone()
    }

    /// Ends the session politely, and makes no other.
    pub(super) async fn close(&self) {
        self.shared.closed.cancel();
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task {
            let _ = task.await;
        }
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.shared.closed.cancel();
    }
}

impl Shared {
    async fn supervise(self: Arc<Self>) {
        let mut backoff = Backoff::new(self.environment.settings.longest_pause);
        for url in self.environment.settings.urls.iter().cycle() {
            let mut tasks = JoinSet::new();
            let opening = timeout(
                self.environment.settings.connect_timeout,
                Session::open(self.environment.clone(), url, &mut tasks),
            );
            let opened = tokio::select! {
                () = self.closed.cancelled() => break,
                opened = opening => opened,
            };
            match opened {
                Ok(Ok(session)) => {
                    let since = Instant::now();
                    let reason = self.live(&session).await;
                    backoff.lasted(since.elapsed());
                    self.retire(&session, format!("{}: {reason}", url.host_and_port())).await;
                }
                Ok(Err(error)) => self.set_down(format!("{}: {error}", url.host_and_port())),
                Err(_) => self.set_down(format!("{}: no answer in time", url.host_and_port())),
            }
            drop(tasks);
            tokio::select! {
                () = self.closed.cancelled() => break,
                () = sleep(backoff.pause()) => {}
            }
        }
        self.environment.link.send_replace(Link::Closed);
    }

    /// Lends the session out until it is over, and says why it is.
    async fn live(&self, session: &Arc<Session>) -> String {
        *self.lock() = Some(session.clone());
        session.show_link();
        metrics::counter!("bellwether_rpc_connections_total").increment(1);
        tracing::info!(generation = session.generation, "connected to the broker");
        tokio::select! {
            reason = session.over() => reason,
            () = self.closed.cancelled() => {
                session.settle().await;
                "closed".to_owned()
            }
        }
    }

    /// Takes the session back: its calls end, and its connections too, whoever still holds a channel of them.
    async fn retire(&self, session: &Session, reason: String) {
        if !self.closed.is_cancelled() {
            metrics::counter!("bellwether_rpc_connections_lost_total").increment(1);
        }
        // The link first: who finds no session waits for the link to change.
        self.set_down(reason);
        *self.lock() = None;
        self.environment.inbox.put(Inbound::Lost { generation: session.generation });
        session.close().await;
    }

    /// Says it once for each reason, not for each attempt.
    fn set_down(&self, reason: String) {
        if self.closed.is_cancelled() {
            self.environment.link.send_replace(Link::Closed);
            return;
        }
        let down = Link::Down { reason };
        self.environment.link.send_if_modified(|link| {
            let changed = *link != down;
            if changed {
                tracing::warn!("{down}; trying again");
                *link = down;
            }
            changed
        });
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Arc<Session>>> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
