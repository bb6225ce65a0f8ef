//! Tables without borders, as wide as the terminal.

use super::{Style, text::printable};
use comfy_table::{Cell, Color, ColumnConstraint, ContentArrangement, Row, Table, Width, presets};

/// Below this many columns, wrapped text cannot be read.
const NARROWEST: u16 = 12;

/// What a cell's colour says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Good,
    Doubtful,
    Bad,
    Plain,
}

/// A table under construction.
pub(super) struct Rows {
    table: Table,
    style: Style,
    wrapping: usize,
}

impl Rows {
    /// A table whose columns from `wrapping` on are wrapped when the terminal is narrow; the others never are.
    pub(super) fn new(style: Style, header: &[&str], wrapping: usize) -> Self {
        let mut table = Table::new();
        table
            .load_style(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .force_no_tty();
        if let Some(width) = style.width {
            table.set_width(width);
        }
        if style.colours {
            table.enforce_styling();
        }
        table.set_header(Row::from(header.to_vec()));
        Self { table, style, wrapping }
    }

    /// Adds a row; its text may come from elsewhere.
    pub(super) fn add<const N: usize>(&mut self, cells: [(String, Tone); N]) {
        let style = self.style;
        self.table.add_row(cells.map(|(text, tone)| cell(&text, tone, style)));
    }

    pub(super) fn finish(mut self) -> String {
        let widths = self.table.column_max_content_widths();
        for (index, (column, width)) in self.table.column_iter_mut().zip(widths).enumerate() {
            let wraps = index >= self.wrapping && width > NARROWEST;
            let constraint = if wraps {
                ColumnConstraint::LowerBoundary(Width::Fixed(NARROWEST))
            } else {
                ColumnConstraint::ContentWidth
            };
            column.set_padding((0, 2)).set_constraint(constraint);
        }
        self.table.trim_fmt()
    }
}

fn cell(text: &str, tone: Tone, style: Style) -> Cell {
    let cell = Cell::new(printable(text));
    match tone {
        _ if !style.colours => cell,
        Tone::Plain => cell,
        Tone::Good => cell.fg(Color::DarkGreen),
        Tone::Doubtful => cell.fg(Color::DarkYellow),
        Tone::Bad => cell.fg(Color::DarkRed),
    }
}

/// A cell that needs no colour.
pub(super) fn plain(text: impl ToString) -> (String, Tone) {
    (text.to_string(), Tone::Plain)
}
