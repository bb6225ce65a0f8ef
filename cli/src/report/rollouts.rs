//! The list of rollouts.

use super::{
    Style,
    table::{Rows, Tone, plain},
    text::{duration, thousands},
};
use bellwether_proto::http::{RolloutState, RolloutView, Verdict};
use std::cmp::Reverse;

const NONE: &str = "No rollouts yet. Start one with `bellwether push FILE`.";

pub(super) fn text(rollouts: &[RolloutView], style: Style) -> String {
    if rollouts.is_empty() {
        return NONE.to_owned();
    }
    let mut newest_first: Vec<_> = rollouts.iter().collect();
    newest_first.sort_by_key(|rollout| Reverse(rollout.rollout));
    let mut rows =
        Rows::new(style, &["ROLLOUT", "CONFIG", "STATE", "APPLIED", "FAILED", "ABSENT", "TOOK"], 7);
    for rollout in newest_first {
        rows.add([
            plain(rollout.rollout),
            plain(config(rollout)),
            plain(state(rollout.state)),
            plain(format!(
                "{} of {}",
                thousands(rollout.count(Verdict::Applied)),
                thousands(rollout.targets)
            )),
            failed(rollout),
            plain(thousands(rollout.absent.len())),
            plain(duration(rollout.elapsed_ms)),
        ]);
    }
    format!("{}\n\n`bellwether rollouts ID` shows who failed and why.", rows.finish())
}

fn config(rollout: &RolloutView) -> String {
    let deleted = if rollout.digest.is_none() { " (deleted)" } else { "" };
    format!("{}@{}{deleted}", rollout.config, rollout.revision)
}

fn state(state: RolloutState) -> &'static str {
    match state {
        RolloutState::Running => "running",
        RolloutState::Done => "done",
    }
}

fn failed(rollout: &RolloutView) -> (String, Tone) {
    let failed = rollout.verdicts.iter().filter(|(verdict, _)| **verdict != Verdict::Applied);
    let failed: usize = failed.map(|(_, count)| count).sum();
    (thousands(failed), if failed > 0 { Tone::Bad } else { Tone::Plain })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Output, sample};

    #[test]
    fn the_newest_comes_first() {
        let older = sample::rollout(&[(Verdict::Applied, 1_000)], &[]);
        let mut newer = sample::rollout(&[(Verdict::Applied, 1), (Verdict::Lost, 2)], &["node-9"]);
        newer.digest = None;
        let text = text(&[older, newer], Style::plain(Output::Table));
        let lines: Vec<Vec<_>> = text.lines().map(|line| line.split_whitespace().skip(1).collect()).collect();
        assert_eq!(lines.get(1).unwrap().join(" "), "shop@42 (deleted) done 1 of 3 2 1 1.2 s");
        assert_eq!(lines.get(2).unwrap().join(" "), "shop@42 done 1,000 of 1,000 0 0 1.2 s");
    }

    #[test]
    fn an_empty_list_says_what_to_do() {
        assert_eq!(text(&[], Style::plain(Output::Table)), NONE);
    }
}
