//! Answers HTTP over connections that no client can hold for ever.

use axum::{Router, serve::Listener};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use std::{sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

/// Connections that may be open at the same time; further ones wait to be accepted.
const CONNECTIONS: usize = 4_096;

/// How long a client may take to send a request's head. It runs from the end of the answer before, so a connection that
/// idles for this long is closed too.
const HEAD_TIMEOUT: Duration = Duration::from_secs(15);

/// The most bytes of a request's head; more is 431.
const HEAD_BYTES: usize = 16 * 1024;

/// The most headers of a request; more is 431.
const HEADERS: usize = 64;

/// How long a client may leave an answer unread, or unacknowledged.
#[cfg(target_os = "linux")]
const UNREAD_MS: u32 = 30_000;

/// Answers HTTP/1.1 until `closing`; then it finishes the requests that it has begun to read. Dropped, it ends them.
///
/// What a request itself may take, and how many may be in flight, is for `router` to say.
pub async fn serve(mut listener: TcpListener, router: Router, closing: CancellationToken) {
    let builder = builder();
    let (graceful, mut connections) = (GracefulShutdown::new(), JoinSet::new());
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let (place, stream) = tokio::select! {
            accepted = accept(&mut listener, &places) => accepted,
            Some(_) = connections.join_next() => continue,
            () = closing.cancelled() => break,
        };
        set_up(&stream);
        let service = TowerToHyperService::new(router.clone());
        let answering = graceful.watch(builder.serve_connection(TokioIo::new(stream), service));
        connections.spawn(async move {
            if let Err(error) = answering.await {
                tracing::debug!(%error, "an HTTP connection was cut");
            }
            drop(place);
        });
    }
    drop(listener);
    graceful.shutdown().await;
}

fn builder() -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_header_size(HEAD_BYTES)
        .max_headers(HEADERS);
    builder
}

/// The next connection, once there is a place for it.
async fn accept(listener: &mut TcpListener, places: &Arc<Semaphore>) -> (impl Send + use<>, TcpStream) {
    let place = places.clone().acquire_owned().await;
    // Retries by itself, and waits where there are no file descriptors left.
    let (stream, _) = Listener::accept(listener).await;
    (place, stream)
}

/// A client that does not read its answer loses the connection; a socket that refuses a setting serves without.
fn set_up(stream: &TcpStream) {
    let _ = stream.set_nodelay(true);
    #[cfg(target_os = "linux")]
    let _ = rustix::net::sockopt::set_tcp_user_timeout(stream, UNREAD_MS);
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;
    use std::net::{Ipv4Addr, SocketAddr};
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        task::JoinHandle,
        time::{Instant, sleep},
    };

    /// A server whose every answer takes `takes`.
    async fn server(takes: Duration) -> (SocketAddr, CancellationToken, JoinHandle<()>) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let answer = move || async move {
            sleep(takes).await;
            "hello"
        };
        let closing = CancellationToken::new();
        let router = Router::new().route("/", get(answer));
        (address, closing.clone(), tokio::spawn(serve(listener, router, closing)))
    }

    /// All that is answered to `request`, until the connection is closed.
    async fn answer(address: SocketAddr, request: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer).await;
        answer
    }

    // The clock of these tests jumps to whatever is waited for next.

    #[tokio::test(start_paused = true)]
    async fn a_client_that_never_ends_its_request_is_cut_off() {
        let (address, ..) = server(Duration::ZERO).await;
        let started = Instant::now();
        assert_eq!(answer(address, "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ").await, "");
        assert!(started.elapsed() >= HEAD_TIMEOUT && started.elapsed() < HEAD_TIMEOUT * 2);
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_connection_is_closed_after_its_answer() {
        let (address, ..) = server(Duration::ZERO).await;
        let answer = answer(address, "GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("hello"), "{answer}");
    }

    #[tokio::test]
    async fn a_head_that_is_too_large_is_refused() {
        let (address, ..) = server(Duration::ZERO).await;
        for headers in ["X-Long: ".to_owned() + &"x".repeat(HEAD_BYTES), "X-Many: x\r\n".repeat(HEADERS + 1)]
        {
            let request = format!("GET / HTTP/1.1\r\nHost: x\r\n{headers}\r\n\r\n");
            let answer = answer(address, &request).await;
            assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn closing_lets_a_request_finish_and_takes_no_more() {
        let (address, closing, serving) = server(Duration::from_secs(20)).await;
        let asking = tokio::spawn(answer(address, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
        sleep(Duration::from_secs(1)).await;
        closing.cancel();
        assert!(asking.await.unwrap().ends_with("hello"));
        serving.await.unwrap();
        assert!(TcpStream::connect(address).await.is_err());
    }
}
