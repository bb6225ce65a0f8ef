//! How results are to look.

use clap::ValueEnum;
use std::{
    env,
    io::{self, IsTerminal},
};

/// For whom results are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people.
    #[default]
    Table,
    /// For programs: JSON alone.
    Json,
}

/// How results are to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Style {
    pub(crate) output: Output,
    pub(super) colours: bool,
    /// Columns of the terminal; a file or a pipe has no limit.
    pub(super) width: Option<u16>,
}

impl Style {
    /// What suits standard output: colours only on a terminal, and there only without `NO_COLOR`
    /// (<https://no-color.org>).
    pub(crate) fn of_stdout(output: Output) -> Self {
        let plain = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || env::var_os("TERM").is_some_and(|terminal| terminal == "dumb");
        let colours = io::stdout().is_terminal() && !plain;
        Self { output, colours, width: comfy_table::Table::new().width() }
    }

    /// What suits a file.
    #[cfg(test)]
    pub(crate) fn plain(output: Output) -> Self {
        Self { output, colours: false, width: None }
    }
}
