//! What the programs say that they understand: their `--help`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bellwether_tests::{Binary, Launch};

const BINARIES: [Binary; 3] = [Binary::Controller, Binary::Agent, Binary::Cli];
const SUBCOMMANDS: [&str; 2] = ["", "healthcheck"];
const BOUND: Duration = Duration::from_secs(30);

/// The help of every program and of its health check.
#[derive(Debug)]
pub(crate) struct Programs {
    helps: BTreeMap<(&'static str, &'static str), Help>,
}

/// One help.
#[derive(Debug)]
pub(crate) struct Help {
    text: String,
    flags: BTreeSet<String>,
    variables: BTreeSet<String>,
}

impl Programs {
    pub(crate) async fn ask() -> Self {
        let mut helps = BTreeMap::new();
        for binary in BINARIES {
            for subcommand in SUBCOMMANDS {
                if let Some(help) = help(binary, subcommand).await {
                    helps.insert((binary.name(), subcommand), help);
                }
            }
        }
        Self { helps }
    }

    /// Whether there is such a program.
    pub(crate) fn has(&self, program: &str) -> bool {
        self.names().any(|name| name == program)
    }

    /// Their names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.helps.keys().filter(|(_, subcommand)| subcommand.is_empty()).map(|(name, _)| *name)
    }

    /// The help of a program, or of its subcommand.
    pub(crate) fn help(&self, program: &str, subcommand: &str) -> Option<&Help> {
        let of = |(name, sub): &&(&str, &str)| *name == program && *sub == subcommand;
        self.helps.keys().find(of).map(|key| &self.helps[key])
    }
}

impl Help {
    fn new(text: &str) -> Self {
        // A long line is folded anywhere between two words.
        let unfolded: Vec<&str> = text.split_whitespace().collect();
        let unfolded = unfolded.join(" ");
        let variables = unfolded.split("[env: ").skip(1);
        let variables = variables.map(|after| after.chars().take_while(|c| !"=]".contains(*c)).collect());
        let options = text.lines().map(str::trim).filter(|line| line.starts_with('-'));
        let words = options.flat_map(|line| line.split([' ', ',', '=', '.']));
        let flags = words.filter(|word| word.starts_with('-')).map(str::to_owned);
        Self { flags: flags.collect(), variables: variables.collect(), text: unfolded }
    }

    /// Whether it names this flag.
    pub(crate) fn has_flag(&self, flag: &str) -> bool {
        self.flags.contains(flag)
    }

    /// Whether it names this variable of the environment.
    pub(crate) fn has_variable(&self, variable: &str) -> bool {
        self.variables.contains(variable)
    }

    /// Whether it says this, wherever the lines are folded.
    pub(crate) fn says(&self, text: &str) -> bool {
        self.text.contains(text)
    }
}

async fn help(binary: Binary, subcommand: &str) -> Option<Help> {
    let mut launch = Launch::of(binary).await;
    if !subcommand.is_empty() {
        launch = launch.arg(subcommand);
    }
    let output = launch.arg("--help").run_to_end(BOUND).await;
    (output.code == 0).then(|| Help::new(&output.stdout))
}
