//! What `bellwether push` and `bellwether delete` leave behind.

use bellwether_proto::http::{RolloutView, Verdict};

use crate::Output;

/// How a push or a delete ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// The exit code.
    pub code: i32,
    /// The rollouts on standard output, one a document.
    pub rollouts: Vec<RolloutView>,
    /// Standard error.
    pub stderr: String,
}

impl Pushed {
    pub(super) fn new(output: Output) -> Self {
        let rollout = |line: &str| {
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} on standard output: {line}"))
        };
        let rollouts = output.stdout.lines().map(rollout).collect();
        Self { code: output.code, rollouts, stderr: output.stderr }
    }

    /// The rollout of a push of one document.
    ///
    /// # Panics
    /// When there is not exactly one.
    pub fn rollout(&self) -> &RolloutView {
        match self.rollouts.as_slice() {
            [rollout] => rollout,
            _ => panic!("not one rollout: {self:#?}"),
        }
    }

    /// Exit code, targets and agents that applied it.
    pub fn counts(&self) -> (i32, usize, usize) {
        let rollout = self.rollout();
        (self.code, rollout.targets, rollout.count(Verdict::Applied))
    }

    /// Who did not apply it, and how that ended, by name.
    pub fn failures(&self) -> Vec<(&str, Verdict)> {
        let failures = self.rollout().failures.as_deref().unwrap_or_default();
        failures.iter().map(|failure| (failure.agent.as_str(), failure.verdict)).collect()
    }
}
