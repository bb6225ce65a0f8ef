//! CPU time that processes have used, in nanoseconds of the kernel's own accounting.

use std::{fs, time::Duration};

/// What the threads of this process have used so far.
pub(crate) fn of_this_process() -> Duration {
    of(std::process::id())
}

/// What the threads of a process have used so far; nothing when there is no such process.
pub(crate) fn of(pid: u32) -> Duration {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let used = threads.filter_map(|thread| fs::read_to_string(thread.path().join("schedstat")).ok());
    Duration::from_nanos(used.filter_map(|it| it.split(' ').next()?.parse::<u64>().ok()).sum())
}
