//! The bar that a person watches while a rollout runs.

use crate::report::{Output, Style};
use bellwether_proto::http::RolloutView;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{self, IsTerminal};

/// A bar on standard error, if that is a terminal and the result is for people. It disappears when it is dropped.
pub(crate) struct Progress {
    shown: bool,
    bar: Option<ProgressBar>,
}

impl Progress {
    pub(crate) fn new(style: Style) -> Self {
        Self { shown: style.output == Output::Table && io::stderr().is_terminal(), bar: None }
    }

    /// How long to let the controller wait before it answers: a bar that is watched should move.
    pub(crate) fn poll_seconds(&self) -> u64 {
        if self.shown { 1 } else { 10 }
    }

    pub(crate) fn show(&mut self, rollout: &RolloutView) {
        if self.shown {
            let bar = self.bar.get_or_insert_with(|| bar_of(rollout));
            bar.set_position(rollout.verdicts.values().sum::<usize>() as u64);
        }
    }
}

fn bar_of(rollout: &RolloutView) -> ProgressBar {
    let bar = ProgressBar::new(rollout.targets as u64);
    if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {human_pos} of {human_len}") {
        bar.set_style(style);
    }
    bar.set_message(format!("{}@{}", rollout.config, rollout.revision));
    bar
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
