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

/// Whether a process runs.
pub(super) fn runs(pid: u32) -> bool {
    i32::try_from(pid).ok().and_then(Pid::from_raw).is_some_and(|pid| began(pid).is_some())
}
