//! `bellwether completion SHELL`: what a shell needs to complete this command.

use crate::{args::Cli, exit::Exit};
use clap::{Args, CommandFactory};
use clap_complete::Shell;
use std::io::Write;

const EXAMPLES: &str = "\
Examples:
  source <(bellwether completion bash)
  bellwether completion zsh > ~/.zfunc/_bellwether
  bellwether completion fish > ~/.config/fish/completions/bellwether.fish";

/// Writes the completion script of a shell to standard output.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CompletionArgs {
    /// Which shell.
    #[arg(value_enum)]
    shell: Shell,
}

pub(crate) fn run(args: CompletionArgs, out: &mut impl Write) -> anyhow::Result<Exit> {
    // Into memory first: the generator panics where it cannot write.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "bellwether", &mut script);
    out.write_all(&script)?;
    out.flush()?;
    Ok(Exit::Ok)
}
