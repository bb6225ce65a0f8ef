//! How pages become a whole set, and which are refused.

use super::*;
use crate::testing::{at, held, name, whole};
use bellwether_proto::controller::VersionedConfig;

fn page(
    head: StoreHead,
    configs: &[(&str, u64)],
    removed: &[&str],
    of: &[(&str, u64)],
    more: bool,
) -> ConfigsPage {
    let config = |(member, revision): &(&str, u64)| VersionedConfig {
        name: name(member),
        revision: (*revision).into(),
        config: (*held(member, *revision).document).clone(),
    };
    ConfigsPage {
        head,
        digest: digest_of(&crate::testing::documents(of)),
        configs: configs.iter().map(config).collect(),
        removed: removed.iter().map(|member| name(member)).collect(),
        more,
    }
}

fn holding(store: StoreId) -> ConfigSet {
    ConfigSet::of_whole(&whole(store, 5, &[("a", 4), ("b", 5)]))
}

fn named(held: &ConfigSet) -> Pages<'_> {
    Pages::new(held, held.documents().clone())
}

#[test]
fn pages_add_up_to_the_whole_set_with_what_is_held() {
    let store = StoreId::new();
    let held = holding(store);
    let mut pages = named(&held);
    let wanted = [("a", 4), ("c", 7), ("d", 8)];
    assert!(pages.add(page(at(store, 8), &[("c", 7)], &["b"], &wanted, true)).unwrap().is_none());
    let (whole, digest) = pages.add(page(at(store, 9), &[("d", 8)], &[], &wanted, false)).unwrap().unwrap();
    assert_eq!(whole.head, at(store, 9));
    assert_eq!(digest_of(&whole.documents), digest);
    assert_eq!(whole.documents.len(), 3);
}

#[test]
fn a_set_that_does_not_add_up_is_not_handed_on() {
    let store = StoreId::new();
    let held = holding(store);
    let short = page(at(store, 9), &[], &[], &[("a", 4), ("b", 5), ("c", 7)], false);
    assert!(matches!(named(&held).add(short), Err(FetchError::Inconsistent(_))));
    let endless = page(at(store, 9), &[], &[], &[], true);
    assert!(matches!(named(&held).add(endless), Err(FetchError::Inconsistent(_))));
    let mut mislabelled = page(at(store, 9), &[("c", 7)], &[], &[("a", 4), ("b", 5), ("c", 7)], false);
    mislabelled.configs[0].name = name("d");
    assert!(matches!(named(&held).add(mislabelled), Err(FetchError::Inconsistent(_))));
}

#[test]
fn the_store_does_not_change_between_pages() {
    let (one, other) = (StoreId::new(), StoreId::new());
    let nothing = ConfigSet::default();
    let mut pages = named(&nothing);
    pages.add(page(at(one, 8), &[("c", 7)], &[], &[], true)).unwrap();
    assert!(matches!(
        pages.add(page(at(other, 8), &[], &[], &[("c", 7)], false)),
        Err(FetchError::Inconsistent(_))
    ));
}

#[test]
fn nothing_is_fetched_of_a_store_that_may_not_be_followed() {
    let (ours, theirs) = (StoreId::new(), StoreId::new());
    let held = holding(ours);
    let foreign = named(&held).add(page(at(theirs, 99), &[], &["a", "b"], &[], false));
    assert!(matches!(foreign, Err(FetchError::Foreign { ours: o, theirs: t }) if o == ours && t == theirs));
}

#[test]
fn an_heir_is_asked_for_everything() {
    let (ours, theirs) = (StoreId::new(), StoreId::new());
    let held = holding(ours);
    let heir = StoreHead { succeeds: vec![ours], ..at(theirs, 99) };
    let of = [("a", 4), ("b", 5)];
    assert!(matches!(
        named(&held).add(page(heir.clone(), &[], &[], &of, false)),
        Err(FetchError::Inconsistent(_))
    ));
    let mut anew = Pages::new(&held, Documents::new());
    assert!(anew.add(page(heir, &of, &[], &of, false)).unwrap().is_some());
}
