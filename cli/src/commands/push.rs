//! `bellwether push FILE…`: sends configs and waits until every agent has its verdict.

use crate::{
    client::Client,
    commands::ChangeArgs,
    console, documents,
    exit::Exit,
    follow::{Ended, Follow},
    report::{self, Style},
};
use anyhow::bail;
use bellwether_ingress::IngressConfig;
use clap::Args;
use std::{io::Write, path::PathBuf};

const EXAMPLES: &str = "\
Examples:
  bellwether push shop.yaml
  bellwether push shop.yaml blog.yaml --timeout 30s
  kustomize build . | bellwether push -
  bellwether push shop.yaml -o json | jq '.failures[]'

Exit codes:
  0 all applied        1 any other error    2 wrong usage
  3 some failed        4 all failed         5 no target (the config is stored all the same)
  Of several documents the worst: 1, then 5, 4, 3, 0.";

/// Sends configs to every agent that they select, and waits until each has its verdict.
///
/// A file may hold several documents, separated by `---`. All documents of all files are checked before any is
/// sent; then they are pushed one by one.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct PushArgs {
    /// YAML files of one or more documents; `-` is standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    change: ChangeArgs,
}

pub(crate) async fn run(
    PushArgs { files, change }: PushArgs,
    client: &Client,
    style: Style,
    out: &mut impl Write,
) -> anyhow::Result<Exit> {
    match documents::read(&files) {
        Ok(configs) => push(&configs, &change, client, style, out).await,
        Err(findings) => {
            console::complain(findings);
            bail!("nothing was sent")
        }
    }
}

/// Pushes checked configs one by one; the exit is that of the worst.
pub(crate) async fn push(
    configs: &[IngressConfig],
    change: &ChangeArgs,
    client: &Client,
    style: Style,
    out: &mut impl Write,
) -> anyhow::Result<Exit> {
    let mut follow = Follow::new(client, change.timeout, style)?;
    let mut worst = Exit::Ok;
    let mut left = configs.iter();
    for config in left.by_ref() {
        match follow.through(client.put_config(config, change)).await {
            Ok(Ended::Done(rollout)) => {
                report::rollout(&rollout, style, out)?;
                worst = worst.worst(Exit::of(&rollout));
            }
            Ok(Ended::Interrupted) => {
                worst = Exit::Interrupted;
                break;
            }
            Err(error) => {
                console::complain(format_args!("error: {}: {error}", config.name()));
                worst = worst.worst(Exit::OtherError);
                if !error.concerns_the_document() {
                    break;
                }
            }
        }
    }
    if left.len() > 0 {
        let names = report::shortened(left.map(|config| config.name().as_str()));
        console::complain(format_args!("not sent: {names}"));
    }
    Ok(worst)
}
