//! Thousands of small worlds, each from a seed: whatever goes wrong in one, every call ends once, in time and truly.

#[path = "simulation/calls.rs"]
mod calls;
#[path = "simulation/counted.rs"]
mod counted;
#[path = "simulation/directory.rs"]
mod directory;
#[path = "simulation/history.rs"]
mod history;
#[path = "simulation/invariants.rs"]
mod invariants;
#[path = "simulation/links.rs"]
mod links;
#[path = "simulation/service.rs"]
mod service;
#[path = "simulation/tap.rs"]
mod tap;
#[path = "simulation/trace.rs"]
mod trace;
#[path = "simulation/world.rs"]
mod world;

use std::{
    collections::BTreeSet,
    ops::Range,
    sync::atomic::{AtomicU64, Ordering},
    thread,
};
use tap::Bug;
use trace::Step;

/// How many seeds are run, unless `BELLWETHER_SEEDS` says another number.
const SEEDS: u64 = 10_000;

/// Within how many seeds a bug put in on purpose has to be found.
const SOON: u64 = 500;

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is no number: {text}")))
}

/// What is wrong with the world of one seed.
fn verdict(seed: u64, bug: Option<Bug>) -> Result<(), String> {
    invariants::check(&world::run(seed, bug), world::ON_THE_WIRE)
}

/// The first seed found to fail, and why. Two threads share the seeds.
fn first_failure(seeds: Range<u64>, bug: Option<Bug>) -> Option<(u64, String)> {
    let next = AtomicU64::new(seeds.start);
    let search = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return None;
            }
            if let Err(what) = verdict(seed, bug) {
                next.store(seeds.end, Ordering::Relaxed);
                return Some((seed, what));
            }
        }
    };
    thread::scope(|scope| {
        let searches = [scope.spawn(search), scope.spawn(search)];
        searches.into_iter().filter_map(|search| search.join().expect("no panic")).min()
    })
}

#[test]
fn every_call_ends_once_in_time_and_truly_whatever_goes_wrong() {
    if let Some(seed) = number("BELLWETHER_SEED") {
        let trace = world::run(seed, None);
        trace.iter().for_each(|(at, step)| println!("{at:>12?} {step:?}"));
        assert_eq!(invariants::check(&trace, world::ON_THE_WIRE), Ok(()), "seed {seed}");
        return;
    }
    if let Some((seed, what)) = first_failure(0..number("BELLWETHER_SEEDS").unwrap_or(SEEDS), None) {
        panic!(
            "seed {seed}: {what}\nreplay it: BELLWETHER_SEED={seed} cargo test -p bellwether-rpc --test simulation \
             every_call -- --nocapture"
        );
    }
}

#[test]
fn a_seed_replays_exactly() {
    for seed in 0..200 {
        let (one, again) = (world::run(seed, None), world::run(seed, None));
        let parting = one.iter().zip(&again).find(|(step, replayed)| step != replayed);
        assert_eq!((parting, one.len()), (None, again.len()), "seed {seed}");
    }
}

/// A simulation in which nothing happens would hold too.
#[test]
fn every_kind_of_outcome_happens() {
    let mut seen = BTreeSet::new();
    for (_, step) in (0..300).flat_map(|seed| world::run(seed, None)) {
        match step {
            Step::Ended { outcome: Ok(_), .. } => seen.insert("ok"),
            Step::Ended { outcome: Err(error), .. } => seen.insert(error.name()),
            Step::Started { redelivered: true, .. } => seen.insert("run again"),
            Step::Probed { .. } => seen.insert("probed"),
            Step::Ignored { answers: 1.. } => seen.insert("answered too late"),
            Step::Dropped { .. } => seen.insert("dropped"),
            _ => continue,
        };
    }
    let all = [
        "answered too late",
        "deadline_exceeded",
        "disconnected",
        "dropped",
        "fault",
        "ok",
        "overloaded",
        "probed",
        "run again",
        "unroutable",
    ];
    assert_eq!(seen, BTreeSet::from(all));
}

/// The simulation bites: a bug that is put in on purpose is found, and called by its name.
fn is_found(bug: Bug, named: &str) {
    let (seed, what) = first_failure(0..SOON, Some(bug)).unwrap_or_else(|| panic!("{bug:?} is not found"));
    println!("{bug:?} is found by seed {seed}: {what}");
    assert!(what.contains(named), "{bug:?}, seed {seed}: {what}");
}

#[test]
fn an_answer_that_goes_to_the_wrong_call_is_found() {
    is_found(Bug::CrossedReplies, "it got the answer to call");
}

#[test]
fn a_deadline_that_does_not_travel_is_found() {
    is_found(Bug::DeadlineForgotten, "its handler started at");
}

#[test]
fn a_lost_link_that_nobody_is_told_of_is_found() {
    is_found(Bug::LossSwallowed, "it outlived the link");
}

#[test]
fn a_refusal_of_what_was_sent_is_found() {
    is_found(Bug::SentButRefused, "but its handler ran");
}

#[test]
fn a_waiter_that_leaks_is_found() {
    is_found(Bug::WaiterLeaked, "waiters leaked");
}

#[test]
fn a_notification_that_is_answered_is_found() {
    is_found(Bug::NotificationAsks, "it is a notification, but it was answered");
}

#[test]
fn a_notification_that_is_repeated_is_found() {
    is_found(Bug::NotificationRepeated, "ran twice for what was delivered once");
}

#[test]
fn a_queue_that_loses_its_order_is_found() {
    is_found(Bug::QueueReversed, "overtook it in a queue");
}

#[test]
fn an_answer_that_is_taken_for_that_of_another_peer_is_found() {
    is_found(Bug::SendersMixedUp, "was taken for that of");
}

#[test]
fn an_answer_that_vanishes_is_found() {
    is_found(Bug::AnswerSwallowed, "were taken or counted");
}

#[test]
fn a_message_that_forgets_whom_it_is_meant_for_is_found() {
    is_found(Bug::InstanceForgotten, "but ran on");
}
