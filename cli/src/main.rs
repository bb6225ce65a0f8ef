//! The operator's command: reads its arguments, runs one command, and says by its exit code how that ended.

mod args;
mod client;
mod commands;
mod console;
mod dev;
mod documents;
mod exit;
mod follow;
mod progress;
mod report;
mod simulate;

use crate::{args::Cli, exit::Exit};
use anyhow::Context;
use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(exit) => exit.into(),
        Err(error) => {
            console::complain(format_args!("error: {error:#}"));
            Exit::OtherError.into()
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<Exit> {
    // Fails only when a provider has been installed before: then that one serves.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    let exit = runtime.block_on(Box::pin(commands::run(cli)));
    // Not a plain drop: that would wait for a name lookup that hangs.
    runtime.shutdown_background();
    exit
}
