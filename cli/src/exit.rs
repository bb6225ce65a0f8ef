//! What the exit code says.

use bellwether_proto::http::{RolloutView, Verdict};
use std::process::ExitCode;

/// How a command ended. Wrong usage (2) is clap's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done; of a rollout: every target applied it.
    Ok,
    /// Any error that is none of the others.
    OtherError,
    /// Some targets did not apply it.
    SomeFailed,
    /// No target applied it.
    AllFailed,
    /// There was no target.
    NoTarget,
    /// Ctrl-C.
    Interrupted,
}

impl Exit {
    /// How a rollout that is done ended. Absent agents are not its targets, so they do not count.
    pub(crate) fn of(rollout: &RolloutView) -> Self {
        match (rollout.count(Verdict::Applied), rollout.targets) {
            (_, 0) => Self::NoTarget,
            (0, _) => Self::AllFailed,
            (applied, targets) if applied < targets => Self::SomeFailed,
            _ => Self::Ok,
        }
    }

    /// The worse of two.
    #[must_use]
    pub(crate) fn worst(self, other: Self) -> Self {
        if other.badness() > self.badness() { other } else { self }
    }

    fn badness(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::SomeFailed => 1,
            Self::AllFailed => 2,
            Self::NoTarget => 3,
            Self::OtherError => 4,
            Self::Interrupted => 5,
        }
    }

    fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::OtherError => 1,
            Self::SomeFailed => 3,
            Self::AllFailed => 4,
            Self::NoTarget => 5,
            Self::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn the_exit_code_follows_from_the_verdicts() {
        use Verdict::{Applied, Offline, Rejected, TimedOut};
        let cases: [(&[(Verdict, usize)], u8); 7] = [
            (&[(Applied, 3)], 0),
            (&[(Applied, 2), (Rejected, 1)], 3),
            (&[(Applied, 998), (Offline, 2)], 3),
            (&[(Rejected, 1)], 4),
            (&[(Applied, 0), (Rejected, 2), (TimedOut, 1)], 4),
            (&[(Offline, 3)], 4),
            (&[], 5),
        ];
        for (verdicts, code) in cases {
            assert_eq!(Exit::of(&sample::rollout(verdicts, &[])).code(), code, "{verdicts:?}");
        }
    }

    #[test]
    fn absent_agents_are_no_failures_and_no_targets() {
        assert_eq!(Exit::of(&sample::rollout(&[(Verdict::Applied, 1)], &["node-9"])), Exit::Ok);
        assert_eq!(Exit::of(&sample::rollout(&[], &["node-9"])), Exit::NoTarget);
    }

    #[test]
    fn of_several_the_worst_counts() {
        let worst_first = [Exit::OtherError, Exit::NoTarget, Exit::AllFailed, Exit::SomeFailed, Exit::Ok];
        for (rank, worse) in worst_first.iter().enumerate() {
            for better in worst_first.iter().skip(rank) {
                assert_eq!(worse.worst(*better), *worse);
                assert_eq!(better.worst(*worse), *worse);
            }
        }
    }
}
