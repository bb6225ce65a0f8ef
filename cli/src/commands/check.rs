//! `bellwether check FILE…`: whether configs are good, without asking anybody.

use crate::{
    console, documents,
    exit::Exit,
    report::{self, Output, Style},
};
use clap::Args;
use std::{io::Write, path::PathBuf};

const EXAMPLES: &str = "\
Examples:
  bellwether check shop.yaml
  bellwether check configs/*.yaml && bellwether push configs/*.yaml
  kustomize build . | bellwether check -

Exit codes:
  0 all are good   1 something is wrong   2 wrong usage";

/// Checks configs without a fleet: each by itself, and whether all of them can stand beside each other.
///
/// Every finding is written to standard error, as file:line:column: field: message.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CheckArgs {
    /// YAML files of one or more documents; `-` is standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

pub(crate) fn run(
    CheckArgs { files }: CheckArgs,
    style: Style,
    out: &mut impl Write,
) -> anyhow::Result<Exit> {
    let checked = documents::check(&files);
    report::checked(&checked, style, out)?;
    if checked.findings.is_empty() {
        return Ok(Exit::Ok);
    }
    if style.output == Output::Table {
        console::complain(&checked.findings);
    }
    Ok(Exit::OtherError)
}
