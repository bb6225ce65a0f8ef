//! `bellwether status`: how the fleet stands.

use crate::{
    client::Client,
    exit::Exit,
    report::{self, Style},
};
use std::io::Write;

pub(crate) async fn run(client: &Client, style: Style, out: &mut impl Write) -> anyhow::Result<Exit> {
    report::status(&client.status().await?, style, out)?;
    Ok(Exit::Ok)
}
