//! One controller, from its backends to its shutdown.

use crate::{
    Settings, controller::Controller, http::router, presence::watch_presence, registry::Registry, service,
    store::Store,
};
use bellwether_rpc::Connection;
use std::{future::IntoFuture, sync::Arc, time::Duration};
use tokio::{net::TcpListener, time::timeout};
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
    /// The HTTP listener failed.
    #[error("HTTP: {0}")]
    Http(#[from] std::io::Error),
}

/// Runs a controller until `shutdown`; then it finishes what it has begun. The connection stays open: it is the
/// caller's.
///
/// # Errors
/// When the HTTP listener fails.
pub async fn run(
    settings: Settings,
    backends: Backends,
    listener: TcpListener,
    shutdown: CancellationToken,
) -> Result<(), RunError> {
    let controller = Arc::new(Controller::new(settings, backends));
    let (server, recording) = service::server(&controller);
    let watching = tokio::spawn(watch_presence(controller.clone(), server.bound(), shutdown.clone()));
    let serving = tokio::spawn(server.run(shutdown.clone()));
    let answered = serve_http(listener, &controller, &shutdown).await;
    // A listener that failed ends the rest too.
    shutdown.cancel();
    let _ = serving.await;
    let _ = recording.await;
    let _ = watching.await;
    let _ = controller.registry.withdraw(controller.connection.instance()).await;
    Ok(answered?)
}

/// Answers HTTP until `shutdown`, and then for as long as rollouts run: their authors are waiting.
async fn serve_http(
    listener: TcpListener,
    controller: &Arc<Controller>,
    shutdown: &CancellationToken,
) -> std::io::Result<()> {
    let closing = CancellationToken::new();
    let http = axum::serve(listener, router(controller.clone()))
        .with_graceful_shutdown(closing.clone().cancelled_owned())
        .into_future();
    tokio::pin!(http);
    tokio::select! {
        ended = &mut http => return ended,
        () = shutdown.cancelled() => {}
    }
    controller.tasks.close();
    tokio::select! {
        ended = &mut http => return ended,
        _ = timeout(DRAIN, controller.tasks.wait()) => {}
    }
    closing.cancel();
    // Whoever keeps a connection open without a request does not hold the controller up.
    timeout(HTTP_DRAIN, http).await.unwrap_or(Ok(()))
}
