//! What the command understands: the options that all commands share, and the list of commands.

use crate::{
    client::{Access, Client, ServerUrl},
    commands::{agents, check, completion, delete, get, push, rollouts},
    dev::DevArgs,
    report::Output,
    simulate::SimulateArgs,
};
use bellwether_program::unrepeated;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  bellwether dev                            a whole fleet in one process, nothing to install
  bellwether check shop.yaml                whether a config is good, without a fleet
  bellwether push shop.yaml                 send a config to every agent that it selects
  bellwether status                         how the fleet stands
  bellwether agents                         who is there, and who serves what it should
  bellwether --server http://10.0.0.5:7400,http://10.0.0.6:7400 configs

Exit codes:
  0 done (push, delete: all applied)   1 any other error   2 wrong usage
  3 some failed                        4 all failed        5 no target";

/// Pushes ingress configs to a fleet of agents, and shows who serves what.
#[derive(Debug, Parser)]
#[command(name = "bellwether", version, after_help = EXAMPLES, max_term_width = 110)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) server: ServerArgs,

    /// How results are written: for people, or as JSON alone on standard output.
    #[arg(short, long, global = true, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) output: Output,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What there is to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Dev(DevArgs),
    Check(check::CheckArgs),
    Push(push::PushArgs),
    Delete(delete::DeleteArgs),
    Get(get::GetArgs),
    /// Lists the configs that the fleet should serve.
    #[command(after_help = "\
Examples:
  bellwether configs
  bellwether configs -o json")]
    Configs,
    Agents(agents::AgentsArgs),
    /// Shows how the fleet stands: its store, its agents, how far each config has got, and its controllers.
    #[command(after_help = "\
Examples:
  bellwether status
  bellwether status -o json | jq '.configs[] | select(.converged < .agents) | .name'")]
    Status,
    Rollouts(rollouts::RolloutsArgs),
    /// Lets the fleet follow a store that took the place of the one it follows.
    ///
    /// When Redis comes back empty, or as an older copy, agents refuse what it says and keep serving, and controllers
    /// send nothing: `bellwether status` says so. If there is a backup, restore it instead. Otherwise this puts the
    /// store into the place of the one that the agents follow: they drop what it does not hold, and pushes work again.
    #[command(after_help = "\
Examples:
  bellwether status                         is the store behind the fleet?
  bellwether adopt
  bellwether push *.yaml                    what was lost with the old store

Run it twice, and the second time it changes nothing.")]
    Adopt,
    Simulate(SimulateArgs),
    Completion(completion::CompletionArgs),
}

/// Which controllers to ask, and as whom.
#[derive(Debug, Args)]
pub(crate) struct ServerArgs {
    /// A controller's URL; several by repeating it or with commas. The next is tried only when no connection to
    /// the one before could be made.
    #[arg(
        long = "server",
        global = true,
        env = "BELLWETHER_SERVER",
        hide_env_values = true,
        default_value = "http://127.0.0.1:7400",
        value_delimiter = ',',
        value_name = "URL",
        value_parser = unrepeated::<ServerUrl>()
    )]
    servers: Vec<ServerUrl>,

    /// A file that holds the API key, sent to the controllers.
    #[arg(long, global = true, env = "BELLWETHER_API_KEY_FILE", value_name = "FILE")]
    api_key_file: Option<PathBuf>,
}

impl ServerArgs {
    /// A client of these controllers.
    pub(crate) fn client(self) -> anyhow::Result<Client> {
        let access = self.api_key_file.map_or(Ok(Access::Open), |file| Access::by_key_in(&file))?;
        Client::new(self.servers, access)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_do_not_contradict_each_other() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_shows_examples_in_its_help() {
        fn shows_examples(command: &mut clap::Command) {
            let help = command.render_long_help().to_string();
            assert!(help.contains("Examples:"), "{help}");
            command.get_subcommands_mut().filter(|of| of.get_name() != "help").for_each(shows_examples);
        }
        shows_examples(&mut Cli::command());
    }

    #[test]
    fn an_agent_may_have_the_name_of_a_subcommand() {
        let parsed = |args: &[&str]| match Cli::try_parse_from([&["bellwether", "agents"], args].concat()) {
            Ok(Cli { command: Command::Agents(agents), .. }) => format!("{agents:?}"),
            other => panic!("{other:?}"),
        };
        for (args, name, forgets) in [
            (&["--", "forget"][..], "forget", false),
            (&["forget", "node-7"], "node-7", true),
            (&["forget", "forget"], "forget", true),
            (&["help"], "help", false),
        ] {
            let agents = parsed(args);
            assert!(agents.contains(name) && agents.contains("Forget") == forgets, "{agents}");
        }
        assert!(Cli::try_parse_from(["bellwether", "agents", "node-7", "forget", "node-7"]).is_err());
    }

    #[test]
    fn an_unparseable_url_is_wrong_usage_and_its_password_is_not_shown() {
        for url in
            ["http://me:secret@host:99999", "me:secret@host", "ftp://me:secret@host", "http://me:secret@"]
        {
            let error = Cli::try_parse_from(["bellwether", "--server", url, "agents"]).unwrap_err();
            assert_eq!(error.exit_code(), 2);
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}
