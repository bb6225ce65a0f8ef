//! What is a sign that the store is behind the fleet, what is none, and what adopting has to record.

use super::*;
use crate::registry::AgentRecord;
use bellwether_ingress::Labels;
use bellwether_rpc::Instance;

const PATIENCE: Duration = Duration::from_secs(2);

fn head(revision: u64) -> StoreHead {
    StoreHead { store_id: StoreId::new(), succeeds: Vec::new(), revision: revision.into() }
}

fn agent(name: &str, presence: Presence, store_id: Option<StoreId>, revision: u64) -> AgentEntry {
    let record = AgentRecord {
        name: name.parse().unwrap(),
        instance: Instance::new(),
        generation: 1,
        version: "0".into(),
        labels: Labels::default(),
        known: Known { store_id, revision: revision.into(), ..Known::nothing() },
        last_error: None,
    };
    AgentEntry { record, presence, last_seen_age: Duration::from_millis(500), conflict: false }
}

fn online(store_id: StoreId, revision: u64) -> AgentEntry {
    agent("a", Presence::Online, Some(store_id), revision)
}

#[test]
fn a_store_that_no_agent_knows_better_is_not_behind() {
    let mut head = head(7);
    let (own, heir_of) = (head.store_id, StoreId::new());
    head.succeeds.push(heir_of);
    let nobody_is_a_sign = [
        agent("new", Presence::Online, None, 0),
        online(own, 7),
        online(own, 3),
        online(heir_of, 900),
        agent("left", Presence::Offline, Some(StoreId::new()), 900),
        agent("left-too", Presence::Offline, Some(own), 900),
    ];
    assert_eq!(Behind::of(&head, &nobody_is_a_sign), None);
    assert_eq!(Behind::of(&head, &[]), None);
}

#[test]
fn an_agent_of_another_store_is_a_sign_whether_it_beats_or_is_silent() {
    let (head, theirs) = (head(0), StoreId::new());
    for presence in [Presence::Online, Presence::Silent] {
        let agents = [online(head.store_id, 0), agent("b", presence, Some(theirs), 42)];
        let behind = Behind::of(&head, &agents).unwrap();
        assert_eq!((behind.witness.as_str(), behind.sign), ("b", Sign::Foreign(theirs)));
        assert_eq!((behind.highest, behind.agents), (42.into(), 1));
    }
}

#[test]
fn an_agent_that_is_ahead_of_its_store_is_a_sign() {
    let head = head(30);
    let behind = Behind::of(&head, &[online(head.store_id, 31)]).unwrap();
    assert_eq!((behind.sign, behind.highest), (Sign::Ahead(31.into()), 31.into()));
}

#[test]
fn the_reason_names_a_witness_and_the_way_out() {
    let (head, theirs) = (head(3), StoreId::new());
    let agents = [online(theirs, 42), online(theirs, 41), online(head.store_id, 9)];
    let reason = Behind::of(&head, &agents).unwrap().to_string();
    let named = ["behind the fleet", "a follows", "(2 more like it)", "`bellwether adopt`", "backup"];
    for part in named.into_iter().chain([theirs.to_string().as_str(), head.store_id.to_string().as_str()]) {
        assert!(reason.contains(part), "{part}: {reason}");
    }
    let ahead = Behind::of(&head, &[online(head.store_id, 9)]).unwrap().to_string();
    assert!(ahead.contains("a has taken its revision 9, and it has given only 3; "), "{ahead}");
}

#[test]
fn a_revision_that_cannot_be_true_is_no_sign_and_raises_no_counter() {
    let head = head(7);
    let rogue = online(head.store_id, u64::MAX);
    assert_eq!(Behind::of(&head, std::slice::from_ref(&rogue)), None);
    assert_eq!(succession(&head, std::slice::from_ref(&rogue)), None);
    assert!(disbelief(&rogue.record.known, &head).unwrap().contains(&u64::MAX.to_string()));
    assert_eq!(disbelief(&online(head.store_id, 8).record.known, &head), None);

    let foreign = [online(StoreId::new(), u64::MAX), online(StoreId::new(), 42)];
    assert_eq!(succession(&head, &foreign).unwrap().above, 42.into());
    let most = online(head.store_id, 7 + MOST_AHEAD);
    assert_eq!(succession(&head, &[most, rogue]).unwrap().above, Revision::from(7 + MOST_AHEAD));
}

#[test]
fn adopting_records_what_all_agents_report_the_most_followed_last() {
    let (head, [few, many]) = (head(5), [StoreId::new(), StoreId::new()]);
    let agents = [
        online(many, 10),
        agent("b", Presence::Offline, Some(few), 99),
        online(many, 11),
        online(head.store_id, 5),
        agent("new", Presence::Online, None, 0),
    ];
    let succession = succession(&head, &agents).unwrap();
    assert_eq!((succession.stores.as_slice(), succession.above), ([few, many].as_slice(), 99.into()));
}

#[test]
fn a_store_that_lost_a_part_of_its_history_succeeds_itself() {
    let head = head(30);
    let succession = succession(&head, &[online(head.store_id, 42)]).unwrap();
    assert_eq!((succession.stores, succession.above), (vec![head.store_id], 42.into()));
}

#[test]
fn a_store_that_has_just_come_into_sight_waits_until_somebody_is_heard() {
    let (head, start) = (head(0), Instant::now());
    let sight = Sight::after(None, &head, start);
    let wait = |agents: &[AgentEntry], after| sight.must_wait_for(agents, start + after, PATIENCE);
    let second = Duration::from_secs(1);
    assert_eq!(wait(&[], Duration::ZERO), Some(PATIENCE));
    assert_eq!(wait(&[], second), Some(second));
    assert_eq!(wait(&[], PATIENCE), None);
    let beaten = online(head.store_id, 0);
    assert_eq!(wait(std::slice::from_ref(&beaten), second), None, "it beat 500 ms ago");
    assert_eq!(wait(std::slice::from_ref(&beaten), second / 4), Some(PATIENCE - second / 4), "before that");
    assert_eq!(wait(&[agent("a", Presence::Silent, None, 0)], second), Some(second));
}

#[test]
fn a_store_is_seen_anew_when_another_stands_in_its_place_but_not_when_that_succeeds_it() {
    let (first, start) = (head(0), Instant::now());
    let (later, sight) = (start + PATIENCE, Sight::after(None, &first, start));
    let seen_since = |head: &StoreHead| Sight::after(Some(sight), head, later).since;
    assert_eq!(seen_since(&StoreHead { revision: 9.into(), ..first.clone() }), start);
    assert_eq!(seen_since(&StoreHead { succeeds: vec![first.store_id], ..head(9) }), start);
    assert_eq!(seen_since(&head(0)), later);
}
