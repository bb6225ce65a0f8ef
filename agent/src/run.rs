//! The life of an agent: starts its tasks, and ends them in order.

use crate::{
    AgentError, Settings,
    apply::ApplyLoop,
    driver::Driver,
    health::{Health, HealthServer},
    heartbeat::Heartbeat,
    service::Service,
    set::ConfigSet,
    state::{Remembered, State},
    sync::{Fetcher, Sync},
};
use bellwether_proto::{
    agent::{self, Agent},
    controller::{self, ControllerClient, Goodbye},
};
use bellwether_rpc::{Connection, Deadline, Limits};
use tokio::{
    task::{JoinError, JoinHandle},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

/// Runs one agent until `shutdown`: it beats, answers, syncs and applies. On the way out it says goodbye, finishes
/// what it is applying, and leaves the connection to whoever owns it.
///
/// With a remembered set it serves that first, whether or not a broker can be reached.
///
/// # Errors
/// When the state folder cannot be read, the health pages cannot listen, or a task of the agent ends by itself.
pub async fn run(
    settings: Settings,
    connection: Connection,
    driver: Box<dyn Driver>,
    state: impl Into<State>,
    shutdown: CancellationToken,
) -> Result<(), AgentError> {
    let health_server = HealthServer::bind(&settings).await?;
    let instance = connection.instance();
    let state = state.into();
    let remembered = remembered(&state)?;
    let client = ControllerClient::new(connection.clone(), controller::address());

    let (apply_loop, applier, served) = ApplyLoop::new(driver, state, remembered);
    let (name, labels) = (settings.name.clone(), settings.labels.clone());
    let fetcher = Fetcher { client: client.clone(), name: name.clone(), instance, labels };
    let (sync, trigger) = Sync::new(fetcher, applier.clone(), served.clone());
    let service = Service {
        name: name.clone(),
        version: settings.version.clone(),
        instance,
        applier,
        served: served.clone(),
        sync: trigger.clone(),
        shutdown: shutdown.clone(),
    };
    let limits = Limits { drain: settings.drain, ..Limits::default() };
    let server = connection.server(agent::address(&name), service.router(), limits);
    let health = Health { instance, link: connection.link(), bound: server.bound(), served: served.clone() };
    let heartbeat = Heartbeat::new(&settings, instance, client.clone(), server.bound(), served, trigger);

    tracing::info!(agent = %name, %instance, version = settings.version, "starting");
    let mut heartbeat = Task::start("heartbeat", |stop| heartbeat.run(stop));
    let mut sync = Task::start("sync", |stop| sync.run(stop));
    let mut server = Task::start("server", |stop| server.run(stop));
    let mut apply_loop = Task::start("apply loop", |stop| apply_loop.run(stop));

    let mut health = health_server.map(|it| Task::start("health server", |stop| it.run(health, stop)));

    let ended = tokio::select! {
        () = shutdown.cancelled() => Ok(()),
        error = heartbeat.ended() => Err(error),
        error = sync.ended() => Err(error),
        error = server.ended() => Err(error),
        error = apply_loop.ended() => Err(error),
        Some(error) = ended_if_any(health.as_mut()) => Err(error),
    };

    heartbeat.stop().await;
    sync.stop().await;
    say_goodbye(&settings, &connection, &client).await;
    server.stop().await;
    apply_loop.stop_within(settings.drain).await;
    tracing::info!(agent = %name, "stopped");
    ended
}

async fn ended_if_any(task: Option<&mut Task>) -> Option<AgentError> {
    Some(task?.ended().await)
}

/// What the state folder remembers. What cannot be read is nothing, and does not empty the proxy.
fn remembered(state: &State) -> Result<ConfigSet, AgentError> {
    match state.load()? {
        Remembered::Nothing => Ok(ConfigSet::default()),
        Remembered::Set(set) => Ok(set),
        Remembered::Broken { reason, kept_as } => {
            metrics::counter!("bellwether_agent_state_broken_total").increment(1);
            let kept_as = kept_as.display();
            tracing::error!(reason, %kept_as, "the remembered set cannot be read; what the proxy serves stays as it is");
            Ok(ConfigSet::default())
        }
    }
}

/// Tells the controllers, if any can be reached, that this is no crash.
async fn say_goodbye(settings: &Settings, connection: &Connection, client: &ControllerClient) {
    if connection.link().borrow().generation().is_none() {
        return;
    }
    let goodbye = Goodbye { name: settings.name.clone(), instance: connection.instance() };
    if let Err(error) = client.offline_agent(&goodbye, Deadline::after(settings.goodbye)).await {
        tracing::debug!(%error, "the goodbye was not heard");
    }
}

/// A task of the agent, and how to stop it. Dropped, it is aborted.
struct Task {
    name: &'static str,
    stop: CancellationToken,
    handle: JoinHandle<()>,
}

impl Task {
    fn start<F: Future<Output = ()> + Send + 'static>(
        name: &'static str,
        run: impl FnOnce(CancellationToken) -> F,
    ) -> Self {
        let stop = CancellationToken::new();
        let handle = tokio::spawn(run(stop.clone()));
        Self { name, stop, handle }
    }

    /// Waits for an end that nobody asked for.
    async fn ended(&mut self) -> AgentError {
        let ended = (&mut self.handle).await;
        let reason =
            ended.err().map_or_else(|| "it returned".to_owned(), |error: JoinError| error.to_string());
        AgentError::TaskEnded { task: self.name, reason }
    }

    /// Stops it, however long that takes.
    async fn stop(&mut self) {
        self.stop.cancel();
        if !self.handle.is_finished() {
            let _ = (&mut self.handle).await;
        }
    }

    /// Stops it, and kills it when that takes longer than `limit`.
    async fn stop_within(mut self, limit: std::time::Duration) {
        if timeout(limit, self.stop()).await.is_err() {
            tracing::warn!(task = self.name, ?limit, "did not stop in time");
        }
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.handle.abort();
    }
}
