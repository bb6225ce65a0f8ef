//! What connections and servers measure, in words; each is counted where it happens.
//!
//! They go to whatever recorder the program installs for the crate `metrics`; without one they cost next to nothing.
//!
//! | name | labels | |
//! | --- | --- | --- |
//! | `bellwether_rpc_calls_total` | `method`, `outcome`: `ok` or a [`CallError::name`] | calls that have ended here, each peer of a call to everyone by itself |
//! | `bellwether_rpc_call_duration_seconds` | `method` | from a call to its end |
//! | `bellwether_rpc_requests_total` | `method`, `outcome`: `ok` or a [`FaultKind::name`] | requests that were answered here |
//! | `bellwether_rpc_request_duration_seconds` | `method` | from a request's arrival to its answer |
//! | `bellwether_rpc_requests_dropped_total` | `reason`: `expired`, `another_instance`, `no_reply_to`, `bad_notification`, `answer_on_a_request_queue` | deliveries that were dropped without an answer |
//! | `bellwether_rpc_requests_handed_back_total` | `method` | requests that went back to the broker at the end of a drain |
//! | `bellwether_rpc_answers_dropped_total` | `reason`: `late_answer` (or a duplicate), `wrong_instance`, `not_an_answer` | answers that no call was waiting for |
//! | `bellwether_rpc_answers_unsent_total` | | answers that could not be handed to the broker |
//! | `bellwether_rpc_connections_total` | | connections made to the broker |
//! | `bellwether_rpc_connections_lost_total` | | connections to the broker that broke |
//!
//! [`CallError::name`]: crate::CallError::name
//! [`FaultKind::name`]: crate::FaultKind::name

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
