//! What a push and a delete have in common: their options.

use crate::client::Author;
use bellwether_ingress::TimeSpan;
use clap::Args;

/// How a change is made.
#[derive(Debug, Args)]
pub(crate) struct ChangeArgs {
    /// How long the agents have to apply it: a whole number and ms, s or m.
    #[arg(long, default_value = "5s", value_name = "TIME")]
    pub(crate) timeout: TimeSpan,
    /// Who makes the change, as `bellwether configs` shows it.
    #[arg(long, default_value_t, value_name = "NAME")]
    pub(crate) author: Author,
}
