//! What comes between silence and an agent that is called offline.

use super::*;

pub(super) async fn a_suspect_is_one_replicas_alone_to_ask(fleet: Fleet) {
    let (one, other) = (fleet.replica(), fleet.replica());
    record(&*one, &beat("node-7"), SHORT).await;
    until_silent(&*one, "node-7").await;
    let silent = [name("node-7")];
    assert_eq!(one.suspect(&silent, LONG).await.unwrap(), silent);
    assert_eq!(other.suspect(&silent, LONG).await.unwrap(), []);
    assert_eq!(other.silent(10).await.unwrap(), []);
    assert_eq!(presence(&*other, "node-7").await, Presence::Silent);

    assert_eq!(one.take_offline(&silent).await.unwrap(), silent);
    assert_eq!(story(&*other, "node-7").await, ["online", "offline"]);
}

pub(super) async fn a_suspect_that_nothing_becomes_of_is_anybodys_again(fleet: Fleet) {
    let (one, other) = (fleet.replica(), fleet.replica());
    record(&*one, &beat("node-7"), SHORT).await;
    until_silent(&*one, "node-7").await;
    assert_eq!(one.suspect(&[name("node-7")], SHORT).await.unwrap(), [name("node-7")]);
    until_silent(&*other, "node-7").await;
    assert_eq!(other.suspect(&[name("node-7")], LONG).await.unwrap(), [name("node-7")]);
}

pub(super) async fn only_the_silent_are_suspected(fleet: Fleet) {
    let registry = fleet.replica();
    let left = beat("left");
    record(&*registry, &beat("lively"), LONG).await;
    record(&*registry, &left, LONG).await;
    registry.goodbye(&left.name, left.instance).await.unwrap();
    let names = [name("lively"), name("left"), name("unheard-of")];
    assert_eq!(registry.suspect(&names, LONG).await.unwrap(), []);
}

pub(super) async fn a_beat_ends_the_suspicion(fleet: Fleet) {
    let registry = fleet.replica();
    let beat = beat("node-7");
    record(&*registry, &beat, SHORT).await;
    until_silent(&*registry, "node-7").await;
    registry.suspect(&[name("node-7")], LONG).await.unwrap();
    record(&*registry, &beat, SHORT).await;
    assert_eq!(presence(&*registry, "node-7").await, Presence::Online);
    until_silent(&*registry, "node-7").await;
    assert_eq!(story(&*registry, "node-7").await, ["online"]);
}

pub(super) async fn an_answer_brings_the_silent_back_by_their_last_record(fleet: Fleet) {
    let registry = fleet.replica();
    let beat = beat("node-7");
    record(&*registry, &beat, SHORT).await;
    until_silent(&*registry, "node-7").await;
    let (same, another) = ([(name("node-7"), beat.instance)], [(name("node-7"), Instance::new())]);
    assert_eq!(registry.vouch(&another, LONG).await.unwrap(), []);
    assert_eq!(presence(&*registry, "node-7").await, Presence::Silent);

    registry.suspect(&[name("node-7")], LONG).await.unwrap();
    assert_eq!(registry.vouch(&same, LONG).await.unwrap(), [name("node-7")]);
    let entry = find(&*registry, "node-7").await.unwrap();
    assert_eq!((entry.presence, entry.record), (Presence::Online, beat));
    assert!(entry.last_seen_age >= SHORT, "an answer is no beat: {:?}", entry.last_seen_age);
    assert_eq!(registry.take_offline(&[name("node-7")]).await.unwrap(), []);
    assert_eq!(registry.vouch(&same, SHORT).await.unwrap(), [], "it is not silent");
    assert_eq!(story(&*registry, "node-7").await, ["online"]);
}

pub(super) async fn an_answer_lasts_for_a_time_to_live(fleet: Fleet) {
    let registry = fleet.replica();
    let beat = beat("node-7");
    record(&*registry, &beat, SHORT).await;
    until_silent(&*registry, "node-7").await;
    registry.vouch(&[(name("node-7"), beat.instance)], SHORT).await.unwrap();
    until_silent(&*registry, "node-7").await;
}

pub(super) async fn an_answer_brings_nobody_back_who_is_offline_or_unknown(fleet: Fleet) {
    let registry = fleet.replica();
    let beat = beat("node-7");
    record(&*registry, &beat, SHORT).await;
    until_silent(&*registry, "node-7").await;
    registry.take_offline(&[name("node-7")]).await.unwrap();
    let answered = [(name("node-7"), beat.instance), (name("unheard-of"), Instance::new())];
    assert_eq!(registry.vouch(&answered, LONG).await.unwrap(), []);
    assert_eq!(presence(&*registry, "node-7").await, Presence::Offline);
}
