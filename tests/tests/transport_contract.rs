//! One contract, kept by every transport: the facts are written once, and hold over `memory` and over `amqp` alike.

#[path = "transport_contract/addresses.rs"]
mod addresses;
#[path = "transport_contract/calls.rs"]
mod calls;
#[path = "transport_contract/everyone.rs"]
mod everyone;
#[path = "transport_contract/fixture.rs"]
mod fixture;
#[path = "transport_contract/links.rs"]
mod links;
#[path = "transport_contract/raw.rs"]
mod raw;
#[path = "transport_contract/recovery.rs"]
mod recovery;
#[path = "transport_contract/resources.rs"]
mod resources;
#[path = "transport_contract/servers.rs"]
mod servers;
#[path = "transport_contract/service.rs"]
mod service;
#[path = "transport_contract/wire.rs"]
mod wire;

/// Each fact over each transport.
macro_rules! contract {
    ($($part:ident: $($fact:ident)*;)*) => {
        mod memory {
            use crate::fixture::MemoryBroker;
            contract!(@tests MemoryBroker::new(); $($($part $fact)*)*);
        }
        mod amqp {
            use crate::fixture::AmqpBroker;
            contract!(@tests AmqpBroker::shared().await; $($($part $fact)*)*);
        }
    };
    (@tests $broker:expr; $($part:ident $fact:ident)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $fact() {
            crate::$part::$fact($broker).await;
        }
    )*};
}

contract! {
    calls:
        a_call_is_answered
        concurrent_calls_each_get_their_own_answer
        a_large_body_arrives_whole
        a_fault_comes_back_typed
        a_panic_is_an_internal_fault
        an_unknown_method_is_a_fault
        an_undecodable_body_is_a_bad_request
        a_body_beyond_the_limit_is_a_bad_request
        a_newer_protocol_is_a_bad_request
        a_call_with_nothing_left_is_not_sent
        a_call_ends_at_its_deadline_when_the_handler_hangs
        an_answer_that_comes_late_harms_nobody
        the_deadline_and_the_caller_reach_the_handler
        dropping_a_call_frees_its_place
        a_notification_has_no_answer
        a_notification_that_makes_no_sense_is_dropped
        a_connection_is_caller_and_server_at_once
        a_call_in_messagepack_is_answered_in_it
        a_nested_call_inherits_deadline_and_trace;
    addresses:
        a_shared_address_without_a_server_is_unroutable
        a_peer_that_is_not_there_is_unroutable_at_once
        many_calls_to_nobody_among_calls_to_somebody_all_end
        a_notification_to_nobody_is_no_error
        a_peer_that_is_gone_is_unroutable_at_once
        a_stopped_peer_server_is_unroutable
        two_servers_share_the_load
        everyone_gets_a_notification
        another_instance_of_the_same_name_answers_unavailable_and_the_right_one_wins
        a_wrong_instance_alone_ends_no_call_before_its_deadline
        a_fault_of_the_right_instance_ends_the_call;
    everyone:
        everyone_answers_and_each_has_one_outcome
        a_peer_that_has_gone_is_known_before_the_deadline
        a_silent_peer_ends_at_the_deadline_and_the_others_when_they_answer
        whoever_is_not_expected_is_not_waited_for
        a_call_to_everyone_where_nobody_is_ends_at_once
        dropped_outcomes_free_their_place
        a_cut_link_ends_all_outcomes_that_are_open_as_disconnected
        a_plain_call_to_everyone_is_refused
        two_processes_of_one_name_are_two_peers;
    servers:
        a_busy_server_answers_overloaded_at_once
        a_queued_method_gets_through_to_a_busy_server
        a_full_queue_answers_overloaded_and_a_dropped_call_internal
        an_expired_request_is_never_handled
        what_waits_in_a_shared_queue_is_handled_by_the_next_server
        a_request_unfinished_by_a_lost_server_is_delivered_again_to_another
        a_redelivered_request_that_is_refused_is_not_safe_to_resend
        shutdown_drains
        a_drain_ends_although_a_handler_hangs
        what_a_drain_has_not_finished_goes_to_another_server
        a_dropped_consumer_hands_back_what_it_has_not_given_out
        a_peer_can_be_served_twice_after_each_other;
    links:
        a_cut_link_fails_calls_in_flight_as_disconnected
        a_server_whose_link_was_cut_binds_again_by_itself
        calls_made_while_disconnected_wait_for_the_link
        a_message_to_oneself_comes_back_over_every_link
        close_fails_calls_in_flight_and_calls_to_come
        a_server_on_a_closed_link_still_stops;
}

/// What hits everyone on the broker needs one of its own.
mod alone {
    use crate::fixture::{AmqpBroker, MemoryBroker};
    use crate::links::a_blocked_broker_refuses_new_calls_as_overloaded_and_takes_them_again as blocked;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn memory_a_blocked_broker_refuses_new_calls_as_overloaded_and_takes_them_again() {
        blocked(MemoryBroker::new()).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn amqp_a_blocked_broker_refuses_new_calls_as_overloaded_and_takes_them_again() {
        blocked(AmqpBroker::alone().await).await;
    }
}
