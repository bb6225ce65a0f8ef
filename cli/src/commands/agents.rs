//! `bellwether agents [NAME]` and `bellwether agents forget NAME`: who is there.

use crate::{
    client::Client,
    exit::Exit,
    report::{self, Style},
};
use bellwether_proto::AgentName;
use clap::{Args, Subcommand};
use std::io::Write;

const EXAMPLES: &str = "\
Examples:
  bellwether agents
  bellwether agents node-7
  bellwether agents forget node-7
  bellwether agents -o json | jq '.[] | select(.converged | not) | .name'

An agent that is itself named forget is shown by `bellwether agents -- forget`.";

const FORGET_EXAMPLES: &str = "\
Examples:
  bellwether agents forget node-7";

/// Lists the agents: who is there, and who serves what it should; or shows one in detail.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
pub(crate) struct AgentsArgs {
    /// The one to show.
    name: Option<AgentName>,
    #[command(subcommand)]
    command: Option<AgentsCommand>,
}

#[derive(Debug, Subcommand)]
enum AgentsCommand {
    /// Forgets an agent that is offline and will not come back. One that does is known again.
    #[command(after_help = FORGET_EXAMPLES)]
    Forget {
        /// The agent.
        name: AgentName,
    },
}

pub(crate) async fn run(
    AgentsArgs { name, command }: AgentsArgs,
    client: &Client,
    style: Style,
    out: &mut impl Write,
) -> anyhow::Result<Exit> {
    match (command, name) {
        (Some(AgentsCommand::Forget { name }), _) => {
            report::forgotten(&client.forget_agent(&name).await?, style, out)?;
        }
        (None, Some(name)) => report::agent(&client.agent(&name).await?, style, out)?,
        (None, None) => report::agents(&client.agents().await?, style, out)?,
    }
    Ok(Exit::Ok)
}
