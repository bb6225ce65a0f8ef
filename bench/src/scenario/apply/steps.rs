//! How long the steps of an apply took, as an agent's own metrics tell it.

use std::collections::BTreeMap;

/// The steps, as the metric names them, in their order.
pub(super) const STEPS: [&str; 6] = ["render", "stage", "check", "swap", "reload", "verify"];

/// The metric's line, up to the name of a step.
const LINE: &str = "bellwether_agent_step_duration_seconds_sum{step=\"";

/// How many seconds each step took so far, in all.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Steps(BTreeMap<String, f64>);

impl Steps {
    /// What pages of metrics say together.
    pub(super) fn read(metrics: &str) -> Self {
        let lines = metrics.lines().filter_map(|line| line.strip_prefix(LINE)?.split_once("\"} "));
        let mut steps = BTreeMap::new();
        for (step, sum) in lines {
            *steps.entry(step.to_owned()).or_default() += sum.parse().unwrap_or(0.0);
        }
        Self(steps)
    }

    /// What was added to an earlier look.
    pub(super) fn since(&self, before: &Self) -> Self {
        let added = self.0.iter().map(|(step, sum)| (step.clone(), sum - before.seconds(step)));
        Self(added.collect())
    }

    /// Milliseconds of one step.
    pub(super) fn ms(&self, step: &str) -> f64 {
        self.seconds(step) * 1_000.0
    }

    fn seconds(&self, step: &str) -> f64 {
        self.0.get(step).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_read_from_a_page_and_told_by_what_was_added() {
        let before =
            Steps::read(&"bellwether_agent_step_duration_seconds_sum{step=\"check\"} 0.25\n".repeat(2));
        let page = "# TYPE bellwether_agent_step_duration_seconds histogram\n\
                    bellwether_agent_step_duration_seconds_bucket{step=\"check\",le=\"0.5\"} 2\n\
                    bellwether_agent_step_duration_seconds_sum{step=\"check\"} 0.75\n\
                    bellwether_agent_step_duration_seconds_sum{step=\"swap\"} 0.125\n";
        let steps = Steps::read(page).since(&before);
        assert_eq!(STEPS.map(|step| steps.ms(step)), [0.0, 0.0, 250.0, 125.0, 0.0, 0.0]);
    }
}
