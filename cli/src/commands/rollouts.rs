//! `bellwether rollouts [ID]`: what became of pushes and deletes.

use crate::{
    client::Client,
    exit::Exit,
    report::{self, Style},
};
use bellwether_proto::RolloutId;
use clap::Args;
use std::io::Write;

const EXAMPLES: &str = "\
Examples:
  bellwether rollouts
  bellwether rollouts 01920b6e-7f3c-7a51-9c1e-0d4b6f1f8a11
  bellwether rollouts -o json | jq '.[0]'";

/// Lists pushes and deletes, the newest first; or shows one, with its failures.
///
/// The exit code is that of the look-up, not of the rollout.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct RolloutsArgs {
    /// The one to show.
    id: Option<RolloutId>,
}

pub(crate) async fn run(
    args: RolloutsArgs,
    client: &Client,
    style: Style,
    out: &mut impl Write,
) -> anyhow::Result<Exit> {
    match args.id {
        Some(id) => report::rollout(&client.rollout(id).await?, style, out)?,
        None => report::rollouts(&client.rollouts().await?, style, out)?,
    }
    Ok(Exit::Ok)
}
