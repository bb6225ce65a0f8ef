//! What a process has in memory, as the kernel accounts for it.

use std::fs;

/// Resident memory of a process, in KiB.
#[derive(Clone, Copy, Debug)]
pub struct Resident {
    /// Now.
    pub now: u64,
    /// The most it ever was.
    pub peak: u64,
}

impl Resident {
    /// Of the process of this id, if there is one.
    pub fn of(pid: u32) -> Option<Self> {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let kib = |field| {
            let line = status.lines().find_map(|line| line.strip_prefix(field))?;
            line.split_whitespace().next()?.parse().ok()
        };
        Some(Self { now: kib("VmRSS:")?, peak: kib("VmHWM:")? })
    }
}
