//! Who is let in to the HTTP API of a controller that runs over parts in memory.
#![expect(clippy::unwrap_used, reason = "a helper that panics fails the test")]

use bellwether_controller::{
    Access, ApiKeys, Backends, RunError, Settings, registry::memory::MemoryRegistry, run,
    store::memory::MemoryStore,
};
use bellwether_rpc::{Connection, transport::memory::Memory};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::{Instant, timeout},
};
use tokio_util::sync::CancellationToken;

const OLD: &str = "old-0123456789abcdef";
const NEW: &str = "new-0123456789abcdef";

/// As long as no test should wait, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(30);

/// Everything behind the key, and some of what is not there.
const BY_KEY: [(&str, &str); 9] = [
    ("GET", "/v1/configs"),
    ("PUT", "/v1/configs/shop"),
    ("GET", "/v1/agents"),
    ("GET", "/v1/status"),
    ("POST", "/v1/adopt"),
    ("GET", "/metrics"),
    ("PATCH", "/v1/agents"),
    ("GET", "/nowhere"),
    ("GET", "//healthz"),
];

struct Controller {
    address: SocketAddr,
    running: JoinHandle<Result<(), RunError>>,
    stop: CancellationToken,
}

impl Controller {
    async fn start(access: Access) -> Self {
        Self::start_at("127.0.0.1:0", access).await
    }

    async fn start_at(address: &str, access: Access) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let backends = Backends {
            connection: Connection::new(Memory::new().connect()),
            registry: Arc::new(MemoryRegistry::new()),
            store: Arc::new(MemoryStore::new()),
        };
        let settings = Settings { access, ..Settings::new("default".parse().unwrap()) };
        let stop = CancellationToken::new();
        let running = tokio::spawn(run(settings, backends, listener, stop.clone()));
        Self { address, running, stop }
    }

    /// The answer to a request with this header, head and body.
    async fn ask(&self, method: &str, path: &str, header: &str) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let head =
            format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n");
        stream.write_all(format!("{head}{header}\r\n").as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    async fn status(&self, method: &str, path: &str, header: &str) -> u16 {
        let answer = self.ask(method, path, header).await;
        answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap()
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn keys() -> Access {
    Access::Keys(ApiKeys::parse(&format!("{OLD}\n{NEW}")).unwrap())
}

fn bearer(key: &str) -> String {
    format!("Authorization: Bearer {key}\r\n")
}

#[tokio::test]
async fn without_a_key_every_path_but_two_is_401() {
    let controller = Controller::start(keys()).await;
    for (method, path) in BY_KEY {
        let answer = controller.ask(method, path, "").await;
        assert!(answer.starts_with("HTTP/1.1 401 "), "{method} {path}: {answer}");
        let answer = answer.to_lowercase();
        for said in ["www-authenticate: bearer", "application/problem+json", "authorization: bearer key"] {
            assert!(answer.contains(said), "{method} {path}: {answer}");
        }
    }
    assert_eq!(controller.status("GET", "/healthz", "").await, 200);
    assert_ne!(controller.status("GET", "/readyz", "").await, 401);
}

#[tokio::test]
async fn each_of_several_keys_opens_and_no_other_does() {
    let controller = Controller::start(keys()).await;
    for key in [OLD, NEW] {
        assert_eq!(controller.status("GET", "/v1/agents", &bearer(key)).await, 200);
        assert_eq!(controller.status("GET", "/nowhere", &bearer(key)).await, 404);
    }
    assert_eq!(
        controller.status("GET", "/v1/agents", &format!("authorization: bearer {NEW}\r\n")).await,
        200
    );
    let wrong = [
        bearer("wrong-0123456789abcdef"),
        bearer(""),
        bearer(&NEW[1..]),
        bearer(&format!("{NEW}{NEW}")),
        format!("Authorization: Basic {NEW}\r\n"),
        format!("Authorization: {NEW}\r\n"),
        format!("X-Api-Key: {NEW}\r\n"),
    ];
    for header in wrong {
        assert_eq!(controller.status("GET", "/v1/agents", &header).await, 401, "{header}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_never_sends_its_body_is_answered_and_cut_off() {
    let controller = Controller::start(Access::Local).await;
    let mut stream = TcpStream::connect(controller.address).await.unwrap();
    let started = Instant::now();
    let head = "PUT /v1/configs/shop HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
}

#[tokio::test]
async fn on_loopback_no_key_is_asked_for() {
    let controller = Controller::start(Access::Local).await;
    assert_eq!(controller.status("GET", "/v1/agents", "").await, 200);
    assert_eq!(controller.status("GET", "/metrics", "").await, 404, "no metrics are kept here");
}

#[tokio::test]
async fn a_controller_does_not_run_where_it_would_be_open_to_anyone() {
    let mut exposed = Controller::start_at("0.0.0.0:0", Access::Local).await;
    let ended = timeout(PATIENCE, &mut exposed.running).await.expect("it refuses").unwrap();
    assert!(matches!(ended, Err(RunError::Exposed(_))), "{ended:?}");
    for access in [Access::Anyone, keys()] {
        let controller = Controller::start_at("0.0.0.0:0", access).await;
        assert_eq!(controller.status("GET", "/healthz", "").await, 200);
    }
}
