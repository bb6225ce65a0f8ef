//! Whether the memory of those who live through it all stays flat.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use bellwether_tests::{Fleet, Resident};

use crate::story::KEPT;

/// How much larger the middle of the second half may be than that of the first: a tenth, and what an allocator keeps.
const SLACK_KIB: u64 = 8 * 1_024;

/// Resident memory of each, in KiB, over the first and over the second half.
pub(crate) struct Memory {
    half: Duration,
    halves: BTreeMap<String, [Vec<u64>; 2]>,
}

impl Memory {
    pub(crate) fn new(duration: Duration) -> Self {
        Self { half: duration / 2, halves: BTreeMap::new() }
    }

    pub(crate) fn look(&mut self, fleet: &Fleet, elapsed: Duration) {
        for (name, process) in fleet.processes().filter(|(name, _)| KEPT.contains(&name.as_str())) {
            let halves = self.halves.entry(name).or_default();
            halves[usize::from(elapsed >= self.half)]
                .extend(Resident::of(process.pid()).map(|resident| resident.now));
        }
    }

    /// Who has grown, or was not seen in both halves.
    pub(crate) fn faults(&self) -> Vec<String> {
        let grown = self.halves.iter().filter(|(_, [first, second])| match (middle(first), middle(second)) {
            (Some(first), Some(second)) => second > first + first / 10 + SLACK_KIB,
            _ => true,
        });
        grown.map(|(name, halves)| format!("the memory of {name} is not flat: {}", shown(halves))).collect()
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = self.halves.iter().map(|(name, halves)| format!("memory of {name}: {}", shown(halves)));
        f.write_str(&lines.collect::<Vec<_>>().join("\n"))
    }
}

fn shown([first, second]: &[Vec<u64>; 2]) -> String {
    format!("{:?} KiB, then {:?} KiB", middle(first), middle(second))
}

fn middle(values: &[u64]) -> Option<u64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied()
}
