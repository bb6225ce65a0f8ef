//! The two agents that the page holds for: ours, and the example in Python.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bellwether_tests::{Binary, Launch, Program, RabbitMq, folder, workspace};
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::OnceCell;

/// Debian's, which finds Debian's python3-pika.
const PYTHON: &str = "/usr/bin/python3";

/// Where the example keeps what it serves, in its folder.
const SET: &str = "set.json";

/// Whose agent it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Rust,
    Python,
}

/// An agent that runs, and its folder.
pub(crate) struct Agent {
    pub(crate) kind: Kind,
    pub(crate) name: String,
    pub(crate) program: Program,
    launch: Launch,
    folder: TempDir,
}

impl Agent {
    pub(crate) async fn start(kind: Kind, rabbitmq: &RabbitMq, fleet: &str, name: &str) -> Self {
        Self::start_with(kind, rabbitmq, fleet, name, &[]).await
    }

    pub(crate) async fn start_with(
        kind: Kind,
        rabbitmq: &RabbitMq,
        fleet: &str,
        name: &str,
        args: &[&str],
    ) -> Self {
        let folder = folder(name);
        let url = rabbitmq.url();
        let launch = match kind {
            Kind::Rust => Launch::of(Binary::Agent)
                .await
                .args(["--amqp-url", &url, "--fleet", fleet, "--name", name, "--state-dir"])
                .arg(folder.path()),
            Kind::Python => python().await.arg(name).arg(folder.path().join(SET)).args([&url, fleet]),
        };
        let launch = launch.args(args);
        Self { kind, name: name.to_owned(), program: launch.clone().start(), launch, folder }
    }

    /// Starts it once more, after it has ended.
    pub(crate) fn start_again(&mut self) {
        assert!(self.program.exited().is_some(), "it still runs");
        self.program = self.launch.clone().start();
    }

    /// The documents that it serves, sorted by name.
    pub(crate) fn serves(&self) -> Vec<Value> {
        let file = match self.kind {
            Kind::Rust => "current/ingress.json",
            Kind::Python => SET,
        };
        let set = read(&self.folder.path().join(file)).unwrap_or_default();
        let mut documents = set["configs"].as_array().cloned().unwrap_or_default();
        documents.sort_by_key(|document| document["metadata"]["name"].to_string());
        documents
    }

    /// Their names.
    pub(crate) fn names(&self) -> Vec<String> {
        let name = |document: &Value| document["metadata"]["name"].as_str().map(str::to_owned);
        self.serves().iter().filter_map(name).collect()
    }

    /// What lies in its folder.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.folder.path()).expect("our own folder");
        entries.flatten().map(|entry| entry.path()).collect()
    }
}

/// The set in a file: none before the first, never half of one.
fn read(file: &Path) -> Option<Value> {
    let text = std::fs::read_to_string(file).ok()?;
    Some(serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display())))
}

/// The example, about to be started.
async fn python() -> Launch {
    static CHECKED: OnceCell<()> = OnceCell::const_new();
    CHECKED.get_or_init(has_pika).await;
    let agent = workspace::path("docs/examples/agent.py");
    Launch::program(PYTHON).arg(agent).env("PYTHONUNBUFFERED", "1").env("PYTHONDONTWRITEBYTECODE", "1")
}

/// # Panics
/// When it has not: nothing is skipped in silence.
async fn has_pika() {
    assert!(Path::new(PYTHON).is_file(), "{PYTHON} is not installed: run scripts/install");
    let import =
        Launch::program(PYTHON).args(["-c", "import pika"]).run_to_end(Duration::from_secs(60)).await;
    let how = "run scripts/install, or install python3-pika by hand";
    assert_eq!(import.code, 0, "{PYTHON} has no pika: {how}:\n{}", import.stderr);
}

/// Each fact about each agent.
macro_rules! of_both_agents {
    ($($fact:ident)*) => {
        mod rust {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $fact() {
                    super::$fact($crate::agents::Kind::Rust).await;
                }
            )*
        }
        mod python {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $fact() {
                    super::$fact($crate::agents::Kind::Python).await;
                }
            )*
        }
    };
}
pub(crate) use of_both_agents;
