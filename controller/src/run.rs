//! One controller, from its backends to its shutdown.

use crate::{
    Exposed, Settings, controller::Controller, http::router, presence::watch_presence, registry::Registry,
    service, store::Store,
};
use bellwether_program::http::serve;
use bellwether_rpc::Connection;
use std::{sync::Arc, time::Duration};
use tokio::{
    net::TcpListener,
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

/// How long rollouts that run may go on after shutdown has begun.
const DRAIN: Duration = Duration::from_secs(10);

/// How long open HTTP requests may go on after that.
const HTTP_DRAIN: Duration = Duration::from_secs(1);

/// What a controller stands on. Replicas of one fleet share the broker, the registry and the store.
pub struct Backends {
    /// Its own connection to the fleet's broker.
    pub connection: Connection,
    /// Who is online.
    pub registry: Arc<dyn Registry>,
    /// What they should serve.
    pub store: Arc<dyn Store>,
}

/// Why a controller ended other than by its shutdown.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The HTTP listener cannot be used.
    #[error("HTTP: {0}")]
    Http(#[from] std::io::Error),
    /// A task ended that nobody had asked to.
    #[error("a task of the controller ended: {0}")]
    TaskEnded(String),
    /// The HTTP API would be open to people that nobody let in.
    #[error(transparent)]
    Exposed(#[from] Exposed),
}

/// Runs a controller until `shutdown`; then it finishes what it has begun. The connection stays open: it is the
/// caller's.
///
/// # Errors
/// When the HTTP listener cannot be used, or may not be with the access that the settings give; when a task ends by
/// itself.
pub async fn run(
    settings: Settings,
    backends: Backends,
    listener: TcpListener,
    shutdown: CancellationToken,
) -> Result<(), RunError> {
    settings.access.may_be_served_at(listener.local_addr()?)?;
    let controller = Arc::new(Controller::new(settings, backends));
    let (server, recording) = service::server(&controller);
    let mut crew = JoinSet::new();
    crew.spawn(watch_presence(controller.clone(), server.bound(), shutdown.clone()));
    crew.spawn(server.run(shutdown.clone()));
    crew.spawn(recording);
    let ended = attend(listener, &controller, &mut crew, &shutdown).await;
    while crew.join_next().await.is_some() {}
    let _ = timeout(DRAIN, controller.tasks.wait()).await;
    let _ = controller.registry.withdraw(controller.connection.instance()).await;
    ended
}

/// Answers HTTP to the end. A task of the crew that ends before it was asked to ends the controller: without one of
/// them it would be deaf, or swallow beats, and look well.
async fn attend(
    listener: TcpListener,
    controller: &Arc<Controller>,
    crew: &mut JoinSet<()>,
    shutdown: &CancellationToken,
) -> Result<(), RunError> {
    let mut outcome = Ok(());
    let answering = serve_http(listener, controller, shutdown);
    tokio::pin!(answering);
    loop {
        tokio::select! {
            () = &mut answering => return outcome,
            Some(ended) = crew.join_next() => if !shutdown.is_cancelled() {
                let reason = ended.err().map_or_else(|| "it returned".to_owned(), |error| error.to_string());
                outcome = Err(RunError::TaskEnded(reason));
                shutdown.cancel();
            }
        }
    }
}

/// Answers HTTP until `shutdown`, and then for as long as rollouts run: their authors are waiting.
async fn serve_http(listener: TcpListener, controller: &Arc<Controller>, shutdown: &CancellationToken) {
    let closing = CancellationToken::new();
    let http = serve(listener, router(controller.clone()), closing.clone());
    let drain = async {
        shutdown.cancelled().await;
        controller.tasks.close();
        let _ = timeout(DRAIN, controller.tasks.wait()).await;
        closing.cancel();
        sleep(HTTP_DRAIN).await;
    };
    tokio::select! {
        () = http => {}
        () = drain => {}
    }
}
