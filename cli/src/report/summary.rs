//! A rollout in one line that a person can forward.

use super::text::{shortened, thousands};
use bellwether_proto::http::{RolloutState, RolloutView, Verdict};

/// `998 of 1,000 serve shop@42: 998 applied, 2 offline (node-7, node-9; they take it on return)`.
pub(super) fn line(rollout: &RolloutView) -> String {
    let parts = parts(rollout).join(", ");
    let head = head(rollout);
    if parts.is_empty() { head } else { format!("{head}: {parts}") }
}

fn is_delete(rollout: &RolloutView) -> bool {
    rollout.digest.is_none()
}

fn head(rollout: &RolloutView) -> String {
    let RolloutView { config, revision, targets, .. } = rollout;
    let applied = thousands(rollout.count(Verdict::Applied));
    let all = thousands(*targets);
    let so_far = if rollout.state == RolloutState::Running { " so far" } else { "" };
    match (is_delete(rollout), targets) {
        (false, 0) => format!("no target for {config}@{revision}, which is stored for when one comes"),
        (true, 0) => format!("no target served {config}, which is deleted (revision {revision})"),
        (false, _) => format!("{applied} of {all} serve {config}@{revision}{so_far}"),
        (true, _) => format!("{applied} of {all} serve {config} no more (revision {revision}){so_far}"),
    }
}

/// What became of whom.
fn parts(rollout: &RolloutView) -> Vec<String> {
    let mut parts = Vec::new();
    for verdict in Verdict::ALL {
        let count = rollout.count(verdict);
        if count > 0 {
            parts.push(format!("{} {}{}", thousands(count), words(verdict), who(rollout, verdict)));
        }
    }
    let pending = rollout.targets.saturating_sub(rollout.verdicts.values().sum());
    if pending > 0 {
        parts.push(format!("{} pending", thousands(pending)));
    }
    if !rollout.absent.is_empty() {
        let names: Vec<_> = rollout.absent.iter().map(|name| name.as_str()).collect();
        parts.push(format!("{} absent{}", thousands(names.len()), named(rollout, &names, true)));
    }
    parts
}

/// The verdict in plain words.
pub(super) fn words(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::TimedOut => "timed out",
        other => other.as_str(),
    }
}

fn who(rollout: &RolloutView, verdict: Verdict) -> String {
    let failures = rollout.failures.iter().flatten();
    let names: Vec<_> =
        failures.filter(|failure| failure.verdict == verdict).map(|failure| failure.agent.as_str()).collect();
    named(rollout, &names, matches!(verdict, Verdict::Offline | Verdict::Unroutable))
}

fn named(rollout: &RolloutView, names: &[&str], returns: bool) -> String {
    let list = shortened(names.iter().copied());
    let does = if is_delete(rollout) { "drop" } else { "take" };
    match (names.len(), returns) {
        (0, _) => String::new(),
        (_, false) => format!(" ({list})"),
        (1, true) => format!(" ({list}; it {does}s it on return)"),
        (_, true) => format!(" ({list}; they {does} it on return)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn the_line_counts_every_verdict_and_names_who_failed() {
        use Verdict::{Applied, Lost, Offline, Rejected, TimedOut};
        type Case<'a> = (&'a [(Verdict, usize)], &'a [&'a str], &'a str);
        let cases: [Case<'_>; 7] = [
            (&[(Applied, 3)], &[], "3 of 3 serve shop@42: 3 applied"),
            (
                &[(Applied, 998), (Offline, 2)],
                &[],
                "998 of 1,000 serve shop@42: 998 applied, 2 offline (node-1, node-2; they take it on return)",
            ),
            (
                &[(Applied, 2)],
                &["node-9"],
                "2 of 2 serve shop@42: 2 applied, 1 absent (node-9; it takes it on return)",
            ),
            (
                &[(Applied, 2), (Rejected, 1), (TimedOut, 1), (Lost, 1)],
                &[],
                "2 of 5 serve shop@42: 2 applied, 1 rejected (node-1), 1 timed out (node-2), 1 lost (node-3)",
            ),
            (
                &[(Rejected, 1_200)],
                &[],
                "0 of 1,200 serve shop@42: 1,200 rejected (node-1, node-2, node-3 and 1,197 more)",
            ),
            (&[], &[], "no target for shop@42, which is stored for when one comes"),
            (
                &[],
                &["node-7", "node-9"],
                "no target for shop@42, which is stored for when one comes: \
                 2 absent (node-7, node-9; they take it on return)",
            ),
        ];
        for (verdicts, absent, expected) in cases {
            assert_eq!(line(&sample::rollout(verdicts, absent)), expected);
        }
    }

    #[test]
    fn the_line_of_a_delete_says_no_more() {
        let delete =
            |verdicts, absent| line(&RolloutView { digest: None, ..sample::rollout(verdicts, absent) });
        let three = delete(&[(Verdict::Applied, 3)], &["node-9"]);
        assert_eq!(
            three,
            "3 of 3 serve shop no more (revision 42): 3 applied, 1 absent (node-9; it drops it on return)"
        );
        assert_eq!(delete(&[], &[]), "no target served shop, which is deleted (revision 42)");
    }

    #[test]
    fn the_line_of_a_rollout_that_runs_says_who_is_pending() {
        let mut running = sample::rollout(&[(Verdict::Applied, 2)], &[]);
        running.state = RolloutState::Running;
        running.targets = 1_002;
        assert_eq!(line(&running), "2 of 1,002 serve shop@42 so far: 2 applied, 1,000 pending");
    }
}
