//! What connections and servers measure, in words; each is counted where it happens.

use metrics::{Unit, describe_counter, describe_histogram};

/// Describes every metric of this crate to the recorder that is installed.
pub fn describe() {
    describe_counter!("bellwether_rpc_calls_total", "Calls that have ended here, by how");
    describe_histogram!("bellwether_rpc_call_duration_seconds", Unit::Seconds, "From a call to its end");
    describe_counter!("bellwether_rpc_requests_total", "Requests that were answered here, by how");
    describe_histogram!(
        "bellwether_rpc_request_duration_seconds",
        Unit::Seconds,
        "From a request's arrival to its answer"
    );
    describe_counter!(
        "bellwether_rpc_requests_dropped_total",
        "Deliveries that were dropped without an answer, by why"
    );
    describe_counter!(
        "bellwether_rpc_requests_handed_back_total",
        "Requests that went back to the broker, unanswered at the end of a server's drain"
    );
    describe_counter!(
        "bellwether_rpc_answers_dropped_total",
        "Answers that came here and that no call was waiting for, by why"
    );
    describe_counter!(
        "bellwether_rpc_answers_unsent_total",
        "Answers that could not be handed to the broker"
    );
    describe_counter!("bellwether_rpc_connections_total", "Connections made to the broker");
    describe_counter!("bellwether_rpc_connections_lost_total", "Connections to the broker that broke");
}
