//! What a controller measures, in words; each is counted where it happens, but for rollouts.

use bellwether_proto::http::{RolloutView, Verdict};
use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use std::time::Duration;

/// Describes every metric of this crate to the recorder that is installed.
pub fn describe() {
    describe_fleet();
    describe_rollouts();
    describe_backends();
    describe_http();
}

fn describe_fleet() {
    describe_counter!(
        "bellwether_controller_beats_total",
        "Beats that were taken here, by what became of them"
    );
    describe_counter!(
        "bellwether_controller_beats_of_the_future_total",
        "Beats of processes that were started in the future: their machine's clock is wrong"
    );
    describe_histogram!(
        "bellwether_controller_beat_batch_size",
        Unit::Count,
        "How many beats were recorded at a time"
    );
    describe_counter!(
        "bellwether_controller_resyncs_total",
        "Agents that were told that what they serve is stale"
    );
    describe_gauge!("bellwether_controller_agents", "Agents of the fleet, by state");
    describe_gauge!(
        "bellwether_controller_agents_converged",
        "Agents that are not offline and serve what they should"
    );
    describe_counter!("bellwether_controller_agents_lost_total", "Agents that this replica called offline");
    describe_gauge!(
        "bellwether_controller_beat_interval_seconds",
        Unit::Seconds,
        "How often agents are told to beat"
    );
    describe_counter!(
        "bellwether_controller_beats_missed_total",
        "Agents whose beats were missing, and that answered when this replica asked"
    );
    describe_gauge!(
        "bellwether_controller_hears_fleet",
        "1 while this replica has listened for long enough to call the silent offline"
    );
    describe_gauge!(
        "bellwether_controller_store_behind_fleet",
        "1 while agents have taken what the store does not hold, and nothing is sent"
    );
}

fn describe_rollouts() {
    describe_counter!("bellwether_controller_rollouts_started_total", "Rollouts that began here");
    describe_counter!("bellwether_controller_rollouts_total", "Rollouts that have ended here, by how");
    describe_gauge!("bellwether_controller_rollouts_running", "Rollouts that run here now");
    describe_histogram!(
        "bellwether_controller_rollout_duration_seconds",
        Unit::Seconds,
        "From a rollout's first send to its last verdict"
    );
    describe_counter!("bellwether_controller_verdicts_total", "Targets of rollouts, by verdict");
}

fn describe_backends() {
    describe_histogram!(
        "bellwether_controller_registry_duration_seconds",
        Unit::Seconds,
        "How long the registry took"
    );
    describe_counter!("bellwether_controller_registry_errors_total", "How often the registry failed");
    describe_histogram!(
        "bellwether_controller_store_duration_seconds",
        Unit::Seconds,
        "How long the store took"
    );
    describe_counter!("bellwether_controller_store_errors_total", "How often the store failed");
}

fn describe_http() {
    describe_counter!("bellwether_controller_http_requests_total", "HTTP requests that were answered");
    describe_histogram!(
        "bellwether_controller_http_request_duration_seconds",
        Unit::Seconds,
        "From a request's head to its answer, waiting for a rollout included"
    );
}

/// A rollout begins here.
pub(crate) fn rollout_begins() {
    counter!("bellwether_controller_rollouts_started_total").increment(1);
    gauge!("bellwether_controller_rollouts_running").increment(1);
}

/// One target has its verdict.
pub(crate) fn verdict(verdict: Verdict) {
    counter!("bellwether_controller_verdicts_total", "verdict" => verdict.as_str()).increment(1);
}

/// A rollout has ended here.
pub(crate) fn rollout_ends(view: &RolloutView) {
    gauge!("bellwether_controller_rollouts_running").decrement(1);
    counter!("bellwether_controller_rollouts_total", "outcome" => outcome(view)).increment(1);
    histogram!("bellwether_controller_rollout_duration_seconds")
        .record(Duration::from_millis(view.elapsed_ms));
}

fn outcome(view: &RolloutView) -> &'static str {
    match (view.count(Verdict::Applied), view.targets) {
        (_, 0) => "no_target",
        (0, _) => "failed",
        (applied, targets) if applied < targets => "partial",
        _ => "applied",
    }
}
