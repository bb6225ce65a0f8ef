//! The table of a scenario, and its JSON.

use crate::{
    machine::Machine,
    rounds::{Rounds, Spread},
};
use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;
use std::fmt;

/// What was measured, and on what.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    scenario: String,
    machine: Machine,
    rows: Vec<Row>,
}

/// One figure beside its baseline and its goal.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    name: String,
    /// The median over the rounds.
    value: f64,
    unit: &'static str,
    baseline: f64,
    /// The median of the rounds' own ratios.
    ratio: f64,
    ratio_min: f64,
    ratio_max: f64,
    rounds: usize,
    goal: String,
    holds: bool,
}

/// What the ratio to the baseline should be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Goal {
    AtLeast(f64),
    AtMost(f64),
}

impl Goal {
    fn holds(self, ratio: f64) -> bool {
        match self {
            Self::AtLeast(least) => ratio >= least,
            Self::AtMost(most) => ratio <= most,
        }
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(least) => write!(f, "≥ {least:.2}×"),
            Self::AtMost(most) => write!(f, "≤ {most:.2}×"),
        }
    }
}

impl Row {
    pub(crate) fn new(name: impl Into<String>, unit: &'static str, rounds: &Rounds, goal: Goal) -> Self {
        let Spread { median: ratio, min, max } = rounds.ratio();
        Self {
            name: name.into(),
            value: rounds.product().median,
            unit,
            baseline: rounds.baseline().median,
            ratio,
            ratio_min: min,
            ratio_max: max,
            rounds: rounds.len(),
            goal: goal.to_string(),
            holds: goal.holds(ratio),
        }
    }
}

impl Report {
    pub(crate) fn new(scenario: String, rows: Vec<Row>) -> Self {
        Self { scenario, machine: Machine::this(), rows }
    }

    pub(crate) fn every_goal_holds(&self) -> bool {
        self.rows.iter().all(|row| row.holds)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        table.set_header(["FIGURE", "OURS", "BASELINE", "UNIT", "RATIO (min..max)", "GOAL", "HOLDS"]);
        for row in &self.rows {
            table.add_row([
                row.name.clone(),
                format!("{:.2}", row.value),
                format!("{:.2}", row.baseline),
                row.unit.to_owned(),
                format!("{:.2}× ({:.2}..{:.2})", row.ratio, row.ratio_min, row.ratio_max),
                row.goal.clone(),
                if row.holds { "yes" } else { "NOT MET" }.to_owned(),
            ]);
        }
        for column in [1, 2] {
            if let Some(column) = table.column_mut(column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        let rounds = self.rows.first().map_or(0, |row| row.rounds);
        writeln!(f, "{}: {rounds} rounds on {}", self.scenario, self.machine)?;
        write!(f, "{}", table.trim_fmt())
    }
}
