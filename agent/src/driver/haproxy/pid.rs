//! Tells whether a process of this machine still runs.

use rustix::process::Pid;
use std::fs;

/// When a process began, by the kernel's count: another process of its number has another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Began(u64);

/// When a process began; none for one that has ended, or is nothing but a name.
pub(super) fn began(pid: Pid) -> Option<Began> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?;
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    let alive = !matches!(fields.next()?, "Z" | "X");
    // The 22nd of all fields, of which the third was the first here.
    fields.nth(18).and_then(|ticks| ticks.parse().ok()).filter(|_| alive).map(Began)
}

/// All processes that were started with this argument, each with its parent.
pub(super) fn with_argument(argument: &str) -> Vec<(Pid, Option<Pid>)> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let running = pids.filter_map(Pid::from_raw).filter(|pid| began(*pid).is_some());
    let has_it = |pid: &Pid| {
        let line = fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero())).unwrap_or_default();
        line.split(|byte| *byte == 0).any(|word| word == argument.as_bytes())
    };
    running.filter(has_it).map(|pid| (pid, parent(pid))).collect()
}

fn parent(pid: Pid) -> Option<Pid> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?;
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(1)?.parse().ok().and_then(Pid::from_raw)
}

/// Whether a process runs.
pub(super) fn runs(pid: u32) -> bool {
    i32::try_from(pid).ok().and_then(Pid::from_raw).is_some_and(|pid| began(pid).is_some())
}
