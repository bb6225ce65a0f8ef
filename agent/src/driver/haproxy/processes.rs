//! Reads what HAProxy's master says of its processes, and has it reload.

use super::{pid, socket, words};
use crate::driver::Failure;
use std::{collections::BTreeSet, io, path::Path, time::Duration};
use tokio::time::{Instant, sleep};

/// How often to look whether a reload is done.
const LOOK: Duration = Duration::from_millis(10);

/// What `show proc` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Processes {
    pub(super) master: u32,
    /// Reloads that failed since the last one that did not.
    pub(super) failed: u32,
    /// The workers of the newest set; those of older sets are left out.
    pub(super) workers: BTreeSet<u32>,
}

/// Which processes a set was loaded by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Loaded {
    pub(super) master: u32,
    pub(super) workers: BTreeSet<u32>,
}

impl Processes {
    /// Asks the master.
    pub(super) async fn ask(master_socket: &Path) -> io::Result<Self> {
        let answer = socket::ask(master_socket, "show proc").await?;
        Self::read(&answer).ok_or_else(|| io::Error::other("`show proc` names no master"))
    }

    fn read(answer: &str) -> Option<Self> {
        let (mut found, mut is_old) = (Self::default(), false);
        for line in answer.lines() {
            is_old |= line.starts_with("# old workers");
            let mut words = line.split_whitespace();
            let (Some(pid), Some(kind)) = (words.next().and_then(|pid| pid.parse().ok()), words.next())
            else {
                continue;
            };
            match kind {
                "master" => {
                    found.master = pid;
                    let failed = line.split_once("[failed: ").and_then(|(_, rest)| rest.split_once(']'));
                    found.failed = failed.and_then(|(count, _)| count.trim().parse().ok()).unwrap_or(0);
                }
                "worker" if !is_old => drop(found.workers.insert(pid)),
                _ => {}
            }
        }
        (found.master != 0).then_some(found)
    }

    pub(super) fn loaded(&self) -> Loaded {
        Loaded { master: self.master, workers: self.workers.clone() }
    }
}

/// Has the master reload, and waits until a new worker has taken over.
///
/// HAProxy 2.6 answers nothing, and 3.0 says `Success=1` or 0 with what it has to complain of. So the processes are
/// looked at either way.
pub(super) async fn reload(master_socket: &Path, patience: Duration) -> Result<Loaded, Failure> {
    let unreachable =
        |error: io::Error| Failure::of_proxy(format!("HAProxy's master does not answer: {error}"));
    let end = Instant::now() + patience;
    let before = Processes::ask(master_socket).await.map_err(unreachable)?;
    let answer = match socket::ask_within(patience, master_socket, "reload").await {
        Ok(answer) => answer,
        // It starts anew in the middle of the answer.
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => String::new(),
        Err(error) => return Err(unreachable(error)),
    };
    if answer.contains("Success=0") {
        return Err(Failure::of_set(words::said("HAProxy refuses to load it", &answer)));
    }
    loop {
        let now = Processes::ask(master_socket).await;
        match now {
            Ok(now) if now.master != before.master => {
                return Err(Failure::of_proxy("HAProxy's master was replaced during the reload"));
            }
            Ok(now) if now.failed == 0 && now.workers.difference(&before.workers).next().is_some() => {
                return Ok(now.loaded());
            }
            Ok(now) if now.failed > before.failed => {
                return Err(Failure::of_set("HAProxy refuses to load it"));
            }
            // While it starts anew it does not listen.
            Err(error) if !pid::runs(before.master) => return Err(unreachable(error)),
            _ if Instant::now() >= end => {
                return Err(Failure::of_proxy(format!("no new worker {patience:?} after the reload")));
            }
            _ => sleep(LOOK).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workers_of_the_newest_set_are_told_from_old_ones() {
        let answer = "#<PID>          <type>          <reloads>       <uptime>        <version>\n\
                      1149            master          3 [failed: 1]   0d00h00m02s     2.6.12-1+deb12u4\n\
                      # workers\n1153            worker          1               0d00h00m02s     2.6.12\n\
                      # old workers\n1150            worker          2               0d00h00m43s     2.6.12\n\
                      # programs\n\n";
        let processes = Processes::read(answer).unwrap();
        assert_eq!(processes, Processes { master: 1149, failed: 1, workers: BTreeSet::from([1153]) });
        assert_eq!(Processes::read("Unknown command\n"), None);
    }
}
