//! `bellwether get NAME`: a config as the store holds it.

use crate::{
    client::Client,
    exit::Exit,
    report::{self, Style},
};
use anyhow::Context;
use bellwether_ingress::ConfigName;
use clap::Args;
use std::io::Write;

const EXAMPLES: &str = "\
Examples:
  bellwether get shop > shop.yaml
  bellwether get shop | sed 's/8080/8081/' | bellwether push -
  bellwether get shop -o json | jq '.author, .config.spec'";

/// Writes a config as YAML that can be pushed again; with JSON, its record too.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct GetArgs {
    /// The config's name.
    name: ConfigName,
}

pub(crate) async fn run(
    GetArgs { name }: GetArgs,
    client: &Client,
    style: Style,
    out: &mut impl Write,
) -> anyhow::Result<Exit> {
    report::config(&client.config(&name).await.with_context(|| name.to_string())?, style, out)?;
    Ok(Exit::Ok)
}
