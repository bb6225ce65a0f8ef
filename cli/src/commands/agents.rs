//! `bellwether agents`: who is there.

use crate::{
    client::Client,
    exit::Exit,
    report::{self, Style},
};
use std::io::Write;

pub(crate) async fn run(client: &Client, style: Style, out: &mut impl Write) -> anyhow::Result<Exit> {
    report::agents(&client.agents().await?, style, out)?;
    Ok(Exit::Ok)
}
