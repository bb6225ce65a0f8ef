//! What is written to standard output: for people, or as JSON.

mod agents;
mod configs;
mod rollout;
mod rollouts;
#[cfg(test)]
pub(crate) mod sample;
mod style;
mod summary;
mod table;
mod text;

pub(crate) use style::{Output, Style};
pub(crate) use text::{printable, shortened};

use bellwether_proto::http::{AgentView, ConfigView, RolloutView};
use serde::Serialize;
use std::io::{self, Write};

/// A rollout: one line that can be forwarded, and a table of what failed.
pub(crate) fn rollout(rollout: &RolloutView, style: Style, out: &mut impl Write) -> io::Result<()> {
    match style.output {
        Output::Table => write_text(&rollout::text(rollout, style), out),
        Output::Json => write_json(rollout, out),
    }
}

/// The list of rollouts.
pub(crate) fn rollouts(rollouts: &[RolloutView], style: Style, out: &mut impl Write) -> io::Result<()> {
    match style.output {
        Output::Table => write_text(&rollouts::text(rollouts, style), out),
        Output::Json => write_json(rollouts, out),
    }
}

/// The list of agents.
pub(crate) fn agents(agents: &[AgentView], style: Style, out: &mut impl Write) -> io::Result<()> {
    match style.output {
        Output::Table => write_text(&agents::text(agents, style), out),
        Output::Json => write_json(agents, out),
    }
}

/// The list of configs.
pub(crate) fn configs(configs: &[ConfigView], style: Style, out: &mut impl Write) -> io::Result<()> {
    match style.output {
        Output::Table => write_text(&configs::text(configs, style), out),
        Output::Json => write_json(configs, out),
    }
}

fn write_text(text: &str, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{text}")?;
    out.flush()
}

/// One compact line.
fn write_json<T: Serialize + ?Sized>(value: &T, out: &mut impl Write) -> io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    out.write_all(&line)?;
    out.flush()
}
