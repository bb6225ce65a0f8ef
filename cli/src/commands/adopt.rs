//! `bellwether adopt`: lets the fleet follow a store that took the place of another.

use crate::{
    client::Client,
    exit::Exit,
    report::{self, Style},
};
use std::io::Write;

pub(crate) async fn run(client: &Client, style: Style, out: &mut impl Write) -> anyhow::Result<Exit> {
    report::adoption(&client.adopt().await?, style, out)?;
    Ok(Exit::Ok)
}
