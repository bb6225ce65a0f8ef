//! What a program has counted, and what memory it takes.

use bellwether_tests::{Answer, Resident};

/// The sum of all series of a metric that have these labels, such as `reason="expired"`; 0 when there is none.
pub(crate) fn counted(page: &str, name: &str, labels: &[&str]) -> u64 {
    let series = page.lines().filter_map(|line| line.strip_prefix(name)?.rsplit_once(' '));
    let ours = series.filter(|(series, _)| {
        (series.is_empty() || series.starts_with('{')) && labels.iter().all(|label| series.contains(label))
    });
    ours.filter_map(|(_, value)| value.parse::<u64>().ok()).sum()
}

/// The page behind `/metrics`.
pub(crate) fn page(answer: Result<Answer, String>) -> String {
    let answer = answer.expect("it answers");
    answer.body.as_str().unwrap_or_else(|| panic!("{answer:?}")).to_owned()
}

/// Resident memory of a process in MiB: now, and the most it ever was.
pub(crate) fn memory(pid: u32) -> (u64, u64) {
    let Resident { now, peak } = Resident::of(pid).expect("it runs");
    (now / 1_024, peak / 1_024)
}
