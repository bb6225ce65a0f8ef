//! `bellwether delete NAME`: deletes a config and waits until every agent has its verdict.

use crate::{
    client::Client,
    commands::ChangeArgs,
    exit::Exit,
    follow::{Ended, Follow},
    report::{self, Style},
};
use anyhow::Context;
use bellwether_ingress::ConfigName;
use clap::Args;
use std::io::Write;

const EXAMPLES: &str = "\
Examples:
  bellwether delete shop
  bellwether delete shop --timeout 30s -o json

Exit codes:
  0 all applied        1 any other error    2 wrong usage
  3 some failed        4 all failed         5 no target (the config is deleted all the same)";

/// Deletes a config, and waits until no agent serves it any more.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DeleteArgs {
    /// The config's name.
    name: ConfigName,
    #[command(flatten)]
    change: ChangeArgs,
}

pub(crate) async fn run(
    DeleteArgs { name, change }: DeleteArgs,
    client: &Client,
    style: Style,
    out: &mut impl Write,
) -> anyhow::Result<Exit> {
    let mut follow = Follow::new(client, change.timeout, style)?;
    let ended = follow.through(client.delete_config(&name, &change)).await;
    match ended.with_context(|| name.to_string())? {
        Ended::Interrupted => Ok(Exit::Interrupted),
        Ended::Done(rollout) => {
            report::rollout(&rollout, style, out)?;
            Ok(Exit::of(&rollout))
        }
    }
}
