//! One rollout: its line, and below it who failed and why.

use super::{
    Style, summary,
    table::{Rows, Tone, plain},
};
use bellwether_proto::http::RolloutView;

pub(super) fn text(rollout: &RolloutView, style: Style) -> String {
    let line = summary::line(rollout);
    let failures = rollout.failures.as_deref().unwrap_or_default();
    if failures.is_empty() {
        return line;
    }
    let mut rows = Rows::new(style, &["AGENT", "VERDICT", "REASON"], 2);
    for failure in failures {
        let verdict = summary::words(failure.verdict).to_owned();
        rows.add([plain(&failure.agent), (verdict, Tone::Bad), plain(&failure.reason)]);
    }
    format!("{line}\n\n{}", rows.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Output, sample};
    use bellwether_proto::http::Verdict;

    #[test]
    fn a_reason_of_several_lines_stays_in_its_column() {
        let mut rollout =
            sample::rollout(&[(Verdict::Applied, 1), (Verdict::Rejected, 1), (Verdict::TimedOut, 1)], &[]);
        let failures = rollout.failures.as_mut().unwrap();
        failures.first_mut().unwrap().reason = "haproxy -c:\n\u{1b}[31mline 3: unknown keyword\n".to_owned();
        let text = text(&rollout, Style::plain(Output::Table));
        let (_, table) = text.split_once("\n\n").unwrap();
        assert_eq!(
            table,
            "AGENT   VERDICT    REASON\n\
             node-1  rejected   haproxy -c:\n\
             \u{20}                  \\u{1b}[31mline 3: unknown keyword\n\
             node-2  timed out  because it timed_out"
        );
    }

    #[test]
    fn a_narrow_terminal_wraps_the_reason() {
        let rollout = sample::rollout(&[(Verdict::Rejected, 1)], &[]);
        let style = Style { width: Some(30), ..Style::plain(Output::Table) };
        let text = text(&rollout, style);
        let (_, table) = text.split_once("\n\n").unwrap();
        assert!(table.lines().all(|line| line.len() <= 30), "{table}");
    }
}
