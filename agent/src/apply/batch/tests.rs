//! How a batch merges what it is asked, and settles who asked.

use super::*;
use crate::testing::{at, del, set, whole};
use bellwether_proto::StoreId;
use std::time::Duration;

struct Case {
    store: StoreId,
    batch: Batch<&'static str>,
    refusals: Refusals,
}

impl Case {
    fn new(served: &[(&str, u64)], head: u64) -> Self {
        let store = StoreId::new();
        let served = ConfigSet::of_whole(&whole(store, head, served));
        Self { store, batch: Batch::new(&served), refusals: Refusals::default() }
    }

    fn push(&mut self, ticket: &'static str, change: Change) {
        let at = at(self.store, change.revision.get());
        self.batch.change(&at, change, &self.refusals, ticket);
    }

    fn switch(&mut self, ticket: &'static str, head: u64, members: &[(&str, u64)]) {
        self.batch.switch(&whole(self.store, head, members), &mut self.refusals, Instant::now(), ticket);
    }

    fn refuse(&mut self, change: &Change) {
        self.refusals.note(self.store, change, "bad".into(), Instant::now(), 0.5);
    }

    /// The outcomes so far, once it is known what replaced what.
    fn overtaken(&mut self) -> Vec<(&'static str, Outcome)> {
        self.batch.settle_overtaken();
        self.batch.take_settled()
    }

    /// The outcomes when the whole target serves.
    fn all_served(&mut self) -> Vec<(&'static str, Outcome)> {
        let target = self.batch.target().clone();
        self.batch.settle(&target, true, &self.refusals);
        self.batch.take_settled()
    }
}

fn superseded(by: u64) -> Outcome {
    Err(NotApplied::Superseded { by: by.into() })
}

#[test]
fn only_the_newest_of_a_name_is_left_and_those_before_it_are_superseded() {
    let mut case = Case::new(&[("a", 1)], 1);
    case.push("first", set("a", 2));
    case.push("third", set("a", 4));
    case.push("late", set("a", 3));
    case.push("again", set("a", 4));
    let mut overtaken = case.overtaken();
    overtaken.sort_by_key(|(ticket, _)| *ticket);
    assert_eq!(overtaken, [("first", superseded(4)), ("late", superseded(4))]);
    let known = case.batch.target().known();
    assert_eq!(case.all_served(), [("third", Ok(known.clone())), ("again", Ok(known))]);
}

#[test]
fn what_serves_already_needs_nothing_new() {
    let mut case = Case::new(&[("a", 1)], 5);
    case.push("again", set("a", 1));
    case.push("gone", del("b", 4));
    assert!(!case.batch.has_news());
    assert_eq!(case.overtaken(), []);
    assert_eq!(case.all_served().len(), 2);
}

#[test]
fn a_whole_set_replaces_pushes_before_it_and_is_extended_by_those_after() {
    let mut case = Case::new(&[], 1);
    case.push("in it", set("a", 2));
    case.push("gone", set("b", 3));
    case.switch("sync", 4, &[("a", 2), ("c", 4)]);
    case.push("after", set("d", 5));
    assert_eq!(case.overtaken(), [("gone", superseded(4))]);
    let mut served: Vec<_> =
        case.all_served().into_iter().map(|(ticket, outcome)| (ticket, outcome.is_ok())).collect();
    served.sort_unstable();
    assert_eq!(served, [("after", true), ("in it", true), ("sync", true)]);
}

#[test]
fn a_whole_set_that_a_push_has_overtaken_is_not_taken() {
    let mut case = Case::new(&[], 1);
    case.push("push", set("a", 5));
    case.switch("sync", 4, &[]);
    let lower = NotApplied::LowerHead { ours: 5.into(), theirs: 4.into() };
    assert_eq!(case.overtaken(), [("sync", Err(lower))]);
    assert_eq!(case.all_served().len(), 1);
}

#[test]
fn a_refused_revision_is_refused_again_in_the_same_words_and_an_older_one_is_superseded() {
    let mut case = Case::new(&[("a", 1)], 1);
    case.refuse(&set("a", 3));
    case.push("older", set("a", 2));
    case.push("same", set("a", 3));
    case.push("newer", set("a", 4));
    let rejected = Err(NotApplied::Rejected { words: "bad".into() });
    assert_eq!(case.overtaken(), [("older", superseded(3)), ("same", rejected)]);
    assert_eq!(case.all_served().len(), 1);
}

#[test]
fn a_whole_set_leaves_out_what_was_refused_a_moment_ago_and_nothing_else() {
    let mut case = Case::new(&[("a", 1)], 1);
    case.refuse(&set("a", 3));
    case.switch("sync", 4, &[("a", 3), ("b", 4)]);
    let target = case.batch.target().revisions();
    assert_eq!(target.values().map(|revision| revision.get()).collect::<Vec<_>>(), [1, 4]);
    assert_eq!(case.all_served(), [], "not all of it serves");
    case.batch.settle_rest(&NotApplied::Busy);
    assert_eq!(case.batch.take_settled().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_whole_set_tries_again_what_was_refused_long_ago() {
    let mut case = Case::new(&[("a", 1)], 1);
    case.refuse(&set("a", 3));
    tokio::time::advance(Duration::from_secs(2)).await;
    case.switch("sync", 4, &[("a", 3)]);
    assert_eq!(case.batch.target().revisions().values().next(), Some(&3.into()));
}

#[test]
fn a_whole_set_that_lacks_what_was_refused_forgets_the_refusal() {
    let mut case = Case::new(&[("a", 1)], 1);
    case.refuse(&set("a", 3));
    case.refuse(&set("b", 9));
    case.switch("sync", 4, &[("a", 4)]);
    assert_eq!(
        case.refusals.summary().as_deref(),
        Some("b@9: bad"),
        "what is newer than the set is not forgotten"
    );
    assert_eq!(case.all_served().len(), 1);
}

#[test]
fn an_heir_of_which_nothing_may_be_tried_is_not_followed_yet() {
    let mut case = Case::new(&[("a", 1)], 1);
    let heir = StoreId::new();
    let refused = set("a", 7);
    case.refusals.note(heir, &refused, "bad".into(), Instant::now(), 0.5);
    let mut whole = whole(heir, 9, &[("a", 7)]);
    whole.head.succeeds.push(case.store);
    case.batch.switch(&whole, &mut case.refusals, Instant::now(), "sync");
    assert_eq!(case.batch.target().store_id(), Some(case.store));
    assert!(!case.batch.has_news());
}

#[test]
fn a_store_that_may_not_be_followed_is_named_with_ours() {
    let mut case = Case::new(&[("a", 1)], 1);
    let (ours, theirs) = (case.store, StoreId::new());
    case.batch.change(&at(theirs, 9), set("a", 9), &case.refusals, "push");
    case.batch.switch(&whole(theirs, 9, &[]), &mut case.refusals, Instant::now(), "sync");
    let foreign = Err(NotApplied::Foreign { ours, theirs });
    assert_eq!(case.overtaken(), [("push", foreign.clone()), ("sync", foreign)]);
}

#[test]
fn nothing_serves_that_the_driver_has_not_confirmed() {
    let mut case = Case::new(&[("a", 1)], 1);
    case.push("again", set("a", 1));
    let target = case.batch.target().clone();
    case.batch.settle(&target, false, &case.refusals);
    assert_eq!(case.batch.take_settled(), []);
}
