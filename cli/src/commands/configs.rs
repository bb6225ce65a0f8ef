//! `bellwether configs`: what the fleet should serve.

use crate::{
    client::Client,
    exit::Exit,
    report::{self, Style},
};
use std::io::Write;

pub(crate) async fn run(client: &Client, style: Style, out: &mut impl Write) -> anyhow::Result<Exit> {
    report::configs(&client.configs().await?, style, out)?;
    Ok(Exit::Ok)
}
