//! What an agent measures, in words; each is counted where it happens.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

/// Describes every metric of this crate to the recorder that is installed.
pub fn describe() {
    describe_counter!(
        "bellwether_agent_beats_total",
        "Beats that were sent, by whether they ask for an answer"
    );
    describe_counter!("bellwether_agent_syncs_total", "Syncs with a controller, by how they ended");
    describe_counter!(
        "bellwether_agent_applies_total",
        "Sets that the driver was given, by the step that failed"
    );
    describe_histogram!(
        "bellwether_agent_apply_duration_seconds",
        Unit::Seconds,
        "How long the driver took for a set"
    );
    describe_histogram!(
        "bellwether_agent_step_duration_seconds",
        Unit::Seconds,
        "How long each step of applying a set took"
    );
    describe_counter!(
        "bellwether_agent_proxy_deaths_total",
        "How often the proxy that the agent runs ended by itself"
    );
    describe_counter!(
        "bellwether_agent_state_broken_total",
        "How often what was remembered on disk could not be read"
    );
    describe_gauge!("bellwether_agent_revision", "The highest revision that the agent has taken");
    describe_gauge!("bellwether_agent_failing", "1 while something that should serve does not");
}
