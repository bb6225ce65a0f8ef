//! A node on which an agent is killed and started again, while what it leaves there runs on.

use std::fs;
use std::path::PathBuf;

use bellwether_tests::{Binary, Fleet, Launch, Program, RabbitMq, eventually, folder};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use tempfile::TempDir;

/// Runs an agent, and once more for each line that comes through `again`. The harness ends what a program leaves when
/// that program ends: this one, with the test.
const NODE: &str = r#"
mkfifo again
while "$@" & do
  echo $! >agent.pid.new && mv agent.pid.new agent.pid
  wait $!
  read -r _ <again
done"#;

/// A node of a fleet, with one agent and what it leaves.
pub(crate) struct Node {
    name: &'static str,
    _program: Program,
    folder: TempDir,
}

impl Node {
    /// Starts an agent of this name, with arguments of its own.
    pub(crate) async fn start(fleet: &Fleet, name: &'static str, arguments: &[&str]) -> Self {
        let folder = folder("node");
        let agent = Binary::Agent.path().await;
        let launch = Launch::program("/bin/sh").args(["-c", NODE, "node"]).arg(agent);
        let launch = launch.args(["--fleet", fleet.name(), "--name", name]).args(arguments);
        let launch = launch.arg("--state-dir").arg(folder.path().join("s"));
        let launch = launch.env("BELLWETHER_AMQP_URL", RabbitMq::shared().await.url());
        let program = launch.working_folder(folder.path()).start();
        Self { name, _program: program, folder }
    }

    /// The agent's state folder.
    pub(crate) fn state_dir(&self) -> PathBuf {
        self.folder.path().join("s")
    }

    /// SIGKILL to the agent alone, and waits until it is gone.
    pub(crate) async fn kill_agent(&self) {
        let pid = self.agent().unwrap();
        kill_process(pid, Signal::KILL).unwrap();
        eventually(format!("{} is gone", self.name), async || !self.is_agent_alive()).await;
    }

    /// Whether the agent that was last started runs.
    pub(crate) fn is_agent_alive(&self) -> bool {
        self.agent().is_some_and(|pid| test_kill_process(pid).is_ok())
    }

    /// Starts it as it was started first.
    pub(crate) async fn start_agent_again(&self) {
        let before = self.agent();
        let again = self.folder.path().join("again");
        tokio::task::spawn_blocking(|| fs::write(again, "\n")).await.unwrap().unwrap();
        eventually("another agent runs", async || self.agent() != before).await;
    }

    fn agent(&self) -> Option<Pid> {
        let pid = fs::read_to_string(self.folder.path().join("agent.pid")).ok()?;
        Pid::from_raw(pid.trim().parse().ok()?)
    }
}
