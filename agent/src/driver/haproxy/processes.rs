//! Reads what HAProxy's master says of its processes, and has it reload.

use super::{pid, socket, words};
use crate::driver::Failure;
use bellwether_ingress::Digest;
use std::{
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::time::{Instant, sleep};

/// How often to look whether a reload is done. One look costs HAProxy next to nothing.
const LOOK: Duration = Duration::from_millis(2);

/// How often a reload is asked for, within the time that all of it may take.
const ATTEMPTS: u32 = 3;

/// What a new worker may take to answer in the place of the one before.
const TAKING_OVER: Duration = Duration::from_secs(2);

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
        Self::ask_within(socket::PATIENCE, master_socket).await
    }

    async fn ask_within(patience: Duration, master_socket: &Path) -> io::Result<Self> {
        let answer = socket::ask_within(patience.min(socket::PATIENCE), master_socket, "show proc").await?;
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

/// The sockets of one HAProxy.
#[derive(Clone, Debug)]
pub(super) struct Sockets {
    /// That of the master.
    pub(super) master: PathBuf,
    /// That of the newest worker.
    pub(super) admin: PathBuf,
}

/// What became of one reload.
enum Outcome {
    Loaded(Loaded),
    /// A worker has taken over, of another set: a reload that was asked for before came in between.
    Another,
    /// Nothing happened: it was lost.
    Lost,
}

/// Has the master load the set of this digest, and waits until a worker of it has taken over.
///
/// HAProxy 2.6 answers nothing, and 3.0 says `Success=1` or 0 with what it has to complain of; both drop a reload that
/// comes while another is under way. So the processes are looked at, and what was lost is asked for again.
pub(super) async fn reload(sockets: &Sockets, digest: Digest, patience: Duration) -> Result<Loaded, Failure> {
    let end = Instant::now() + patience;
    while Instant::now() < end {
        let attempt_end = end.min(Instant::now() + patience / ATTEMPTS);
        match attempt(sockets, digest, attempt_end).await? {
            Outcome::Loaded(loaded) => return Ok(loaded),
            Outcome::Another => tracing::debug!("another set was loaded in between; once more"),
            Outcome::Lost => tracing::warn!("HAProxy has lost a reload; once more"),
        }
    }
    Err(Failure::of_proxy(format!("no new worker {patience:?} after the reload")))
}

async fn attempt(sockets: &Sockets, digest: Digest, end: Instant) -> Result<Outcome, Failure> {
    let unreachable =
        |error: io::Error| Failure::of_proxy(format!("HAProxy's master does not answer: {error}"));
    let left = || end.saturating_duration_since(Instant::now());
    let before = Processes::ask_within(left() / 2, &sockets.master).await.map_err(unreachable)?;
    match socket::ask_within(left(), &sockets.master, "reload").await {
        Ok(answer) => {
            if let Some(refused) = refusal(&answer) {
                return Err(refused);
            }
        }
        // It starts anew in the middle of the answer.
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {}
        Err(error) => return Err(unreachable(error)),
    }
    loop {
        match Processes::ask_within(left(), &sockets.master).await {
            Ok(now) if now.master != before.master => {
                return Err(Failure::of_proxy("HAProxy's master was replaced during the reload"));
            }
            Ok(now) if now.failed > before.failed => {
                return Err(Failure::of_set("HAProxy refuses to load it"));
            }
            Ok(now) if now.failed == 0 && now.workers.difference(&before.workers).next().is_some() => {
                return Ok(match serves(sockets, &now, digest).await {
                    true => Outcome::Loaded(now.loaded()),
                    false => Outcome::Another,
                });
            }
            // While it starts anew it does not listen.
            Err(error) if !pid::runs(before.master) => return Err(unreachable(error)),
            _ if left().is_zero() => return Ok(Outcome::Lost),
            _ => sleep(LOOK).await,
        }
    }
}

/// What a master says to a reload that it refuses. HAProxy 2.7 and later say `Success=1` or `Success=0` in their first
/// line, and after a line of `--` what they wrote while they started, where they were built to keep that.
fn refusal(answer: &str) -> Option<Failure> {
    let refused = answer.lines().next().is_some_and(|line| line.trim() == "Success=0");
    refused.then(|| Failure::of_set(words::said("HAProxy refuses to load it", answer)))
}

/// Whether the newest worker has loaded the set of this digest. It may be a moment until it is the one that answers.
async fn serves(sockets: &Sockets, processes: &Processes, digest: Digest) -> bool {
    let end = Instant::now() + TAKING_OVER;
    loop {
        let info = socket::ask(&sockets.admin, "show info").await.unwrap_or_default();
        let field = |name: &str| info.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        let pid = field("Pid:").and_then(|pid| pid.parse().ok());
        if pid.is_some_and(|pid: u32| processes.workers.contains(&pid)) {
            return field("description:").is_some_and(|it| it == digest.to_string());
        }
        if Instant::now() >= end {
            return false;
        }
        sleep(LOOK).await;
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

    #[test]
    fn a_master_that_answers_no_is_quoted_and_any_other_answer_is_no_refusal() {
        let refused = "Success=0\n--\n\
                       [NOTICE]   (482886) : haproxy version is 3.0.11-1~bpo12+1\n\
                       [NOTICE]   (482886) : path to executable is /usr/sbin/haproxy\n\
                       [WARNING]  (482886) : config : missing timeouts for frontend 'a'.\n\
                       [ALERT]    (482886) : config : parsing [/s/haproxy.cfg:1]: unknown keyword 'x' out of section.\n\
                       [ALERT]    (482886) : config : Fatal errors found in configuration.\n\
                       [WARNING]  (482886) : Loading failure!\n\n";
        let words =
            "HAProxy refuses to load it: parsing [/s/haproxy.cfg:1]: unknown keyword 'x' out of section.";
        assert_eq!(refusal(refused), Some(Failure::of_set(words)));
        // Built without what keeps the log.
        assert_eq!(refusal("Success=0\n"), Some(Failure::of_set("HAProxy refuses to load it")));

        let loaded = "Success=1\n--\n\
                      [NOTICE]   (482713) : haproxy version is 3.0.11-1~bpo12+1\n\
                      [WARNING]  (482713) : config : 'Success=0' is no name for frontend 'Success=0'.\n\
                      [NOTICE]   (482713) : New worker (482720) forked\n\
                      [NOTICE]   (482713) : Loading success.\n\n";
        for answer in [loaded, "Success=1\n", "", "\n"] {
            assert_eq!(refusal(answer), None, "{answer:?}");
        }
    }
}
