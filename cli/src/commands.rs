//! One module a command, and the way from the arguments to it.

pub(crate) mod adopt;
pub(crate) mod agents;
mod change;
pub(crate) mod check;
pub(crate) mod completion;
pub(crate) mod configs;
pub(crate) mod delete;
pub(crate) mod get;
pub(crate) mod push;
pub(crate) mod rollouts;
pub(crate) mod status;

pub(crate) use change::ChangeArgs;

use crate::{
    args::{Cli, Command},
    console::Stdout,
    dev,
    exit::Exit,
    report::Style,
    simulate,
};

/// Runs the command that the arguments name.
pub(crate) async fn run(Cli { server, output, command }: Cli) -> anyhow::Result<Exit> {
    let style = Style::of_stdout(output);
    let mut out = Stdout::new();
    match command {
        Command::Dev(args) => dev::run(args, style, &mut out).await,
        Command::Check(args) => check::run(args, style, &mut out),
        Command::Push(args) => push::run(args, &server.client()?, style, &mut out).await,
        Command::Delete(args) => delete::run(args, &server.client()?, style, &mut out).await,
        Command::Configs => configs::run(&server.client()?, style, &mut out).await,
        Command::Get(args) => get::run(args, &server.client()?, style, &mut out).await,
        Command::Status => status::run(&server.client()?, style, &mut out).await,
        Command::Adopt => adopt::run(&server.client()?, style, &mut out).await,
        Command::Agents(args) => agents::run(args, &server.client()?, style, &mut out).await,
        Command::Rollouts(args) => rollouts::run(args, &server.client()?, style, &mut out).await,
        Command::Simulate(args) => simulate::run(args, style, &mut out).await,
        Command::Completion(args) => completion::run(args, &mut out),
    }
}
