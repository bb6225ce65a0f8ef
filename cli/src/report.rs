//! What is written to standard output: for people, or as JSON.

mod adoption;
mod agent;
mod agents;
mod check;
mod configs;
mod rollout;
mod rollouts;
#[cfg(test)]
pub(crate) mod sample;
mod simulation;
mod status;
mod style;
mod summary;
mod table;
mod text;

pub(crate) use style::{Output, Style};
pub(crate) use text::{printable, shortened};

use crate::{documents::Checked, simulate::Summary};
use bellwether_proto::http::{
    AdoptionView, AgentDetail, AgentView, ConfigDetail, ConfigView, Forgotten, RolloutView, StatusView,
};
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

/// One agent.
pub(crate) fn agent(agent: &AgentDetail, style: Style, out: &mut impl Write) -> io::Result<()> {
    match style.output {
        Output::Table => write_text(&agent::text(agent), out),
        Output::Json => write_json(agent, out),
    }
}

/// An agent that was forgotten.
pub(crate) fn forgotten(forgotten: &Forgotten, style: Style, out: &mut impl Write) -> io::Result<()> {
    match style.output {
        Output::Table => write_text(&format!("{} is forgotten", forgotten.forgotten), out),
        Output::Json => write_json(forgotten, out),
    }
}

/// One config: for people as YAML that can be pushed again.
pub(crate) fn config(config: &ConfigDetail, style: Style, out: &mut impl Write) -> io::Result<()> {
    match style.output {
        Output::Table => write_text(config.config.to_yaml().trim_end(), out),
        Output::Json => write_json(config, out),
    }
}

/// How the fleet stands.
pub(crate) fn status(status: &StatusView, style: Style, out: &mut impl Write) -> io::Result<()> {
    match style.output {
        Output::Table => write_text(&status::text(status, style), out),
        Output::Json => write_json(status, out),
    }
}

/// What a simulation did.
pub(crate) fn simulation(summary: &Summary, style: Style, out: &mut impl Write) -> io::Result<()> {
    match style.output {
        Output::Table => write_text(&simulation::text(summary), out),
        Output::Json => write_json(summary, out),
    }
}

/// What became of adopting the fleet.
pub(crate) fn adoption(adoption: &AdoptionView, style: Style, out: &mut impl Write) -> io::Result<()> {
    match style.output {
        Output::Table => write_text(&adoption::text(adoption), out),
        Output::Json => write_json(adoption, out),
    }
}

/// The files in which nothing is wrong; for programs with what is wrong in the others.
pub(crate) fn checked(checked: &Checked, style: Style, out: &mut impl Write) -> io::Result<()> {
    match style.output {
        Output::Table if checked.good.is_empty() => Ok(()),
        Output::Table => write_text(&check::text(checked), out),
        Output::Json => write_json(checked, out),
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
