//! What may be taken, and what a set is afterwards.

use super::*;
use crate::testing::{at, del, name, set, whole};
use proptest::prelude::*;

const NAMES: [&str; 3] = ["a", "b", "c"];

fn taken(store: StoreId, head: u64, members: &[(&str, u64)]) -> ConfigSet {
    ConfigSet::of_whole(&whole(store, head, members))
}

fn revisions(set: &ConfigSet) -> Vec<(String, u64)> {
    set.revisions().into_iter().map(|(name, revision)| (name.to_string(), revision.get())).collect()
}

#[test]
fn a_document_is_taken_when_newer_had_when_equal_and_older_otherwise() {
    let store = StoreId::new();
    let known = taken(store, 9, &[("a", 7)]);
    assert_eq!(known.judge(&at(store, 8), &set("a", 8)), Judgement::Take);
    assert_eq!(known.judge(&at(store, 7), &set("a", 7)), Judgement::Have);
    assert_eq!(known.judge(&at(store, 6), &set("a", 6)), Judgement::Older { than: 7.into() });
    assert_eq!(known.judge(&at(store, 8), &del("a", 8)), Judgement::Take);
    assert_eq!(known.judge(&at(store, 7), &del("a", 7)), Judgement::Older { than: 7.into() });
}

#[test]
fn a_removal_is_remembered_so_that_an_older_document_does_not_come_back() {
    let store = StoreId::new();
    let mut known = taken(store, 5, &[("a", 5)]);
    known.take(&del("a", 8));
    assert_eq!(revisions(&known), []);
    assert_eq!(known.judge(&at(store, 7), &set("a", 7)), Judgement::Older { than: 8.into() });
    assert_eq!(known.judge(&at(store, 8), &set("a", 8)), Judgement::Older { than: 8.into() });
    assert_eq!(known.judge(&at(store, 9), &set("a", 9)), Judgement::Take);
    assert_eq!(known.judge(&at(store, 8), &del("a", 8)), Judgement::Have);
    assert_eq!(known.judge(&at(store, 7), &del("a", 7)), Judgement::Older { than: 8.into() });
    assert_eq!(known.known().revision, 8.into());
}

#[test]
fn what_a_whole_set_lacks_counts_as_removed_at_its_head() {
    let store = StoreId::new();
    let known = taken(store, 9, &[("a", 3)]);
    assert_eq!(known.judge(&at(store, 8), &set("b", 8)), Judgement::Older { than: 9.into() });
    assert_eq!(known.judge(&at(store, 10), &set("b", 10)), Judgement::Take);
    // The removal that a sync has overtaken is in effect.
    assert_eq!(known.judge(&at(store, 8), &del("b", 8)), Judgement::Have);
}

#[test]
fn a_push_never_makes_an_agent_follow_another_store() {
    let (ours, theirs) = (StoreId::new(), StoreId::new());
    let known = taken(ours, 9, &[("a", 7)]);
    assert_eq!(known.judge(&at(theirs, 99), &set("a", 99)), Judgement::Foreign { ours });
    let heir = StoreHead { succeeds: vec![StoreId::new(), ours], ..at(theirs, 99) };
    assert_eq!(known.judge(&heir, &set("a", 99)), Judgement::SyncFirst);
    assert_eq!(ConfigSet::default().judge(&at(theirs, 1), &set("a", 1)), Judgement::SyncFirst);
}

#[test]
fn a_whole_set_is_taken_of_the_same_store_not_lower_of_an_heir_and_at_first() {
    let (ours, theirs) = (StoreId::new(), StoreId::new());
    let known = taken(ours, 9, &[("a", 7)]);
    assert_eq!(known.judge_whole(&at(ours, 9)), Ok(()));
    assert_eq!(known.judge_whole(&at(ours, 8)), Err(WholeRefusal::LowerHead { ours: 9.into() }));
    assert_eq!(known.judge_whole(&at(theirs, 99)), Err(WholeRefusal::Foreign { ours }));
    let heir = StoreHead { succeeds: vec![ours], ..at(theirs, 2) };
    assert_eq!(known.judge_whole(&heir), Ok(()));
    assert_eq!(ConfigSet::default().judge_whole(&at(theirs, 0)), Ok(()));
}

#[test]
fn changes_put_removals_first_and_then_documents_by_revision() {
    let store = StoreId::new();
    let known = taken(store, 4, &[("a", 4), ("b", 2), ("c", 3)]);
    let target = taken(store, 9, &[("b", 9), ("c", 3), ("d", 6)]);
    let changes = known.changes_until(&target);
    let shown: Vec<_> = changes.iter().map(|change| format!("{change:?}")).collect();
    assert_eq!(shown, ["removed a@9", "d@6", "b@9"]);
    let partly = known.with(store, &changes[..2]);
    assert_eq!(revisions(&partly), [("b".into(), 2), ("c".into(), 3), ("d".into(), 6)]);
    assert!(partly.serves(&changes[0]) && partly.serves(&changes[1]) && !partly.serves(&changes[2]));
    assert!(!partly.covers(&target) && target.covers(&target));
}

#[test]
fn one_number_of_two_stores_can_be_two_documents() {
    let (ours, theirs) = (StoreId::new(), StoreId::new());
    let known = taken(ours, 4, &[("a", 4)]);
    let mut other = taken(theirs, 9, &[("a", 4)]);
    assert!(known.changes_until(&other).is_empty(), "the same document at the same revision");
    other.documents.insert(name("a"), Held { revision: 4.into(), ..crate::testing::held("a", 5) });
    assert_eq!(known.changes_until(&other).len(), 1);
}

#[test]
fn changes_of_an_heir_forget_the_revisions_of_the_store_before() {
    let (ours, theirs) = (StoreId::new(), StoreId::new());
    let mut known = taken(ours, 50, &[("a", 4)]);
    known.take(&del("b", 60));
    let after = known.with(theirs, &[set("c", 7)]);
    let Known { store_id, revision, .. } = after.known();
    assert_eq!((store_id, revision), (Some(theirs), 7.into()));
    assert_eq!(after.judge(&at(theirs, 8), &set("b", 8)), Judgement::Take);
    assert_eq!(revisions(&after), [("a".into(), 4), ("c".into(), 7)], "nothing is dropped by one change");
}

#[test]
fn remembered_removals_are_bounded_and_what_is_forgotten_does_not_come_back() {
    let store = StoreId::new();
    let mut known = taken(store, 0, &[]);
    let limit = u64::try_from(REMOVALS_LIMIT).unwrap();
    for revision in 1..=limit + 10 {
        known.take(&del(&format!("n{revision}"), revision));
    }
    assert_eq!(known.removals().len(), REMOVALS_LIMIT);
    assert_eq!(known.judge(&at(store, 1), &set("n1", 1)), Judgement::Older { than: 10.into() });
}

#[test]
fn an_agent_stands_to_a_controller_by_store_digest_and_head() {
    let (ours, theirs) = (StoreId::new(), StoreId::new());
    let known = taken(ours, 9, &[("a", 7)]).known();
    let other = Digest::empty_set();
    assert_eq!(standing(&known, &at(ours, 12), known.digest), Standing::Converged);
    assert_eq!(standing(&known, &at(ours, 9), other), Standing::Stale);
    assert_eq!(standing(&known, &at(ours, 8), other), Standing::StoreBehind);
    assert_eq!(standing(&known, &at(theirs, 99), known.digest), Standing::Foreign { ours });
    let heir = StoreHead { succeeds: vec![ours], ..at(theirs, 1) };
    assert_eq!(standing(&known, &heir, known.digest), Standing::Stale);
    assert_eq!(standing(&Known::nothing(), &at(ours, 0), Digest::empty_set()), Standing::Stale);
}

#[test]
fn no_debug_output_shows_a_document() {
    let store = StoreId::new();
    let known = taken(store, 9, &[("a", 7)]);
    let shown = format!("{known:?} {:?} {:?}", set("a", 7), known.effective());
    assert!(!shown.contains("127.0.0.1"), "{shown}");
}

/// One history of a store: each step sets or removes a name at the next revision.
fn history() -> impl Strategy<Value = Vec<Change>> {
    let step = (0..NAMES.len(), any::<bool>());
    proptest::collection::vec(step, 1..12).prop_map(|steps| {
        let changes = steps.into_iter().zip(1..).map(|((index, sets), revision)| {
            let name = NAMES[index];
            if sets { set(name, revision) } else { del(name, revision) }
        });
        changes.collect()
    })
}

proptest! {
    #[test]
    fn pushes_in_any_order_end_in_the_newest_of_each_name(
        (history, order) in history().prop_flat_map(|history| {
            let order = Just((0..history.len()).collect::<Vec<_>>()).prop_shuffle();
            (Just(history), order)
        }),
    ) {
        let store = StoreId::new();
        let mut in_order = taken(store, 0, &[]);
        history.iter().for_each(|change| in_order.take(change));
        let mut shuffled = taken(store, 0, &[]);
        for change in order.into_iter().map(|index| &history[index]) {
            if shuffled.judge(&at(store, change.revision.get()), change) == Judgement::Take {
                shuffled.take(change);
            }
        }
        prop_assert_eq!(shuffled.known(), in_order.known());
    }

    #[test]
    fn applying_the_changes_until_a_target_reaches_it(
        before in history(),
        after in history(),
        heir in any::<bool>(),
    ) {
        let store = StoreId::new();
        let target_store = if heir { StoreId::new() } else { store };
        let mut known = taken(store, 0, &[]);
        before.iter().for_each(|change| known.take(change));
        let mut target = taken(target_store, 0, &[]);
        after.iter().for_each(|change| target.take(change));
        let reached = known.with(target_store, &known.changes_until(&target));
        prop_assert_eq!(reached.known().digest, target.known().digest);
        prop_assert!(reached.changes_until(&target).is_empty());
        prop_assert_eq!(reached.store_id(), Some(target_store));
    }

    #[test]
    fn a_change_that_was_taken_is_had_and_settled(history in history()) {
        let store = StoreId::new();
        let mut known = taken(store, 0, &[]);
        for change in &history {
            prop_assert_eq!(known.judge(&at(store, change.revision.get()), change), Judgement::Take);
            known.take(change);
            prop_assert_eq!(known.judge(&at(store, change.revision.get()), change), Judgement::Have);
            prop_assert!(known.serves(change));
            prop_assert_eq!(known.settled(&change.name), change.revision);
        }
    }
}
