//! Runs an operator's command on a staged set, within a time limit.

use crate::words::last_lines;
use rustix::process::{Pid, Signal, kill_process_group};
use std::{
    io,
    path::Path,
    process::{ExitStatus, Stdio},
    time::Duration,
};
use tokio::{
    io::AsyncReadExt,
    net::unix::pipe::Receiver,
    process::{Child, Command},
    time::timeout,
};

/// How much of a command's output is looked at, from its end.
const OUTPUT_BYTES: usize = 16 * 1024;
const OUTPUT_LINES: usize = 5;

/// How long to wait for the rest of the output once the command has ended: what it left running may hold it open.
const OUTPUT_GRACE: Duration = Duration::from_millis(200);

/// A command, as for `sh -c`, with the time it may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    /// The command.
    pub command: String,
    /// How long it may take; after that it and all that it started is killed.
    pub time_limit: Duration,
}

impl Hook {
    /// Runs the command. It finds the staged folder in `BELLWETHER_DIR` and the digest in `BELLWETHER_DIGEST`.
    ///
    /// # Errors
    /// How it ended, if not well, with the last lines of what it said.
    pub(super) async fn run(&self, folder: &Path, digest: &str) -> Result<(), String> {
        let (mut child, output) =
            self.start(folder, digest).map_err(|error| format!("sh cannot be started: {error}"))?;
        let mut output = Tail::of(output);
        let mut group = Group::of(&child);
        let ended = timeout(self.time_limit, output.read_until_exit(&mut child)).await;
        let Ok(ended) = ended else {
            group.kill();
            let _ = child.wait().await;
            return Err(said(format!("no end after {:?}, killed", self.time_limit), &output));
        };
        group.leave();
        match ended {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(said(status.to_string(), &output)),
            Err(error) => Err(format!("its end is not known: {error}")),
        }
    }

    /// Starts the command. Both its streams are one pipe, so that what it says stays in order.
    fn start(&self, folder: &Path, digest: &str) -> io::Result<(Child, Receiver)> {
        let (reader, writer) = io::pipe()?;
        let output = Receiver::from_owned_fd(reader.into())?;
        let child = Command::new("sh")
            .arg("-c")
            .arg(&self.command)
            .env("BELLWETHER_DIR", folder)
            .env("BELLWETHER_DIGEST", digest)
            .stdin(Stdio::null())
            .stdout(writer.try_clone()?)
            .stderr(writer)
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        Ok((child, output))
    }
}

fn said(end: String, output: &Tail) -> String {
    match last_lines(&output.bytes, OUTPUT_LINES) {
        words if words.is_empty() => end,
        words => format!("{end}: {words}"),
    }
}

/// The end of what a command says.
struct Tail {
    /// Nothing once there is no more to read.
    output: Option<Receiver>,
    bytes: Vec<u8>,
}

impl Tail {
    fn of(output: Receiver) -> Self {
        Self { output: Some(output), bytes: Vec::new() }
    }

    /// Reads until the command has ended and its output too, or a moment after that.
    async fn read_until_exit(&mut self, child: &mut Child) -> io::Result<ExitStatus> {
        let status = loop {
            tokio::select! {
                status = child.wait() => break status?,
                () = self.read(), if self.output.is_some() => {}
            }
        };
        let rest = async {
            while self.output.is_some() {
                self.read().await;
            }
        };
        // What the command left running holds the output open: not waited for.
        let _ = timeout(OUTPUT_GRACE, rest).await;
        Ok(status)
    }

    async fn read(&mut self) {
        let Some(output) = &mut self.output else { return };
        match output.read_buf(&mut self.bytes).await {
            Ok(0) | Err(_) => self.output = None,
            Ok(_) => {
                let excess = self.bytes.len().saturating_sub(OUTPUT_BYTES);
                self.bytes.drain(..excess);
            }
        }
    }
}

/// The process group of a command; killed when dropped before the command's end.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        Self(child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw))
    }

    fn kill(&mut self) {
        if let Some(group) = self.0.take() {
            // It can only be gone already.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }

    /// The command has ended; what it left running on purpose may run on.
    fn leave(&mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn run(command: &str, time_limit: Duration) -> Result<(), String> {
        Hook { command: command.to_owned(), time_limit }.run(Path::new("/the/folder"), "abc").await
    }

    const LONG: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn a_command_finds_the_folder_and_the_digest_and_nothing_to_read() {
        let command = r#"test "$BELLWETHER_DIR $BELLWETHER_DIGEST" = "/the/folder abc" && ! read -r line"#;
        assert_eq!(run(command, LONG).await, Ok(()));
    }

    #[tokio::test]
    async fn a_failure_says_its_status_and_its_last_lines() {
        let words = run("seq 1 9; echo 'it is bad' >&2; exit 3", LONG).await.unwrap_err();
        assert!(words.starts_with("exit status: 3: ") && words.contains("it is bad"), "{words}");
        assert!(!words.contains('1'), "{words}");
    }

    #[tokio::test]
    async fn a_flood_of_output_is_read_and_bounded() {
        let words = run("yes | head -c 3000000; exit 1", LONG).await.unwrap_err();
        assert!(words.len() < 1_100, "{}", words.len());
    }

    #[tokio::test]
    async fn a_command_that_does_not_end_is_killed_with_all_that_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let pid_file = folder.path().join("pid");
        let command = format!("sleep 600 & echo $! > {0}.new; mv {0}.new {0}; wait", pid_file.display());
        let words = run(&command, Duration::from_millis(500)).await.unwrap_err();
        assert!(words.starts_with("no end after 500ms, killed"), "{words}");
        let pid = std::fs::read_to_string(&pid_file).unwrap();
        let gone = || !is_running(pid.trim());
        let deadline = std::time::Instant::now() + LONG;
        while !gone() {
            assert!(std::time::Instant::now() < deadline, "{pid} still runs");
            tokio::task::yield_now().await;
        }
    }

    /// Whether a process is there and is no zombie.
    fn is_running(pid: &str) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit(')').next().is_some_and(|rest| !rest.is_empty() && !rest.trim_start().starts_with('Z'))
    }

    #[tokio::test]
    async fn what_a_command_leaves_running_does_not_hold_it_up() {
        let started = std::time::Instant::now();
        assert_eq!(run("sleep 20 & exit 0", LONG).await, Ok(()));
        assert!(started.elapsed() < Duration::from_secs(10));
    }
}
