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

/// One figure beside its baseline and its goal, where it has them.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    name: String,
    /// The median over the rounds.
    value: f64,
    unit: &'static str,
    baseline: Option<f64>,
    /// The median of the rounds' own ratios.
    ratio: Option<f64>,
    ratio_min: Option<f64>,
    ratio_max: Option<f64>,
    rounds: usize,
    goal: Option<String>,
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
        let holds = goal.holds(rounds.ratio().median);
        Self { goal: Some(goal.to_string()), holds, ..Self::share(name, unit, rounds) }
    }

    /// A part of the baseline, without a goal.
    pub(crate) fn share(name: impl Into<String>, unit: &'static str, rounds: &Rounds) -> Self {
        let Spread { median: ratio, min, max } = rounds.ratio();
        Self {
            baseline: Some(rounds.baseline().median),
            ratio: Some(ratio),
            ratio_min: Some(min),
            ratio_max: Some(max),
            ..Self::alone(name, unit, rounds.len(), rounds.product())
        }
    }

    /// A figure without a baseline.
    pub(crate) fn alone(name: impl Into<String>, unit: &'static str, rounds: usize, figure: Spread) -> Self {
        Self {
            name: name.into(),
            value: figure.median,
            unit,
            baseline: None,
            ratio: None,
            ratio_min: None,
            ratio_max: None,
            rounds,
            goal: None,
            holds: true,
        }
    }

    /// Its ratio to the baseline, with how far that strayed.
    fn ratio(&self) -> Option<String> {
        let (ratio, min, max) = (self.ratio?, self.ratio_min?, self.ratio_max?);
        Some(format!("{ratio:.2}× ({min:.2}..{max:.2})"))
    }

    fn verdict(&self) -> Option<&'static str> {
        self.goal.as_ref().map(|_| if self.holds { "yes" } else { "NOT MET" })
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
        let or_none = |cell: Option<String>| cell.unwrap_or_else(|| "–".to_owned());
        for row in &self.rows {
            table.add_row([
                row.name.clone(),
                format!("{:.2}", row.value),
                or_none(row.baseline.map(|baseline| format!("{baseline:.2}"))),
                row.unit.to_owned(),
                or_none(row.ratio()),
                or_none(row.goal.clone()),
                or_none(row.verdict().map(str::to_owned)),
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
