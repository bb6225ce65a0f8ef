//! Small documents, changes and stores for the tests of this crate.

use crate::set::{Change, Content, Documents, Held, WholeSet};
use bellwether_ingress::{ConfigName, IngressConfig};
use bellwether_proto::{StoreHead, StoreId};
use std::sync::Arc;

pub(crate) fn name(text: &str) -> ConfigName {
    text.parse().unwrap()
}

/// A document that listens on `port`.
pub(crate) fn document(name: &str, port: u16) -> IngressConfig {
    IngressConfig::from_yaml(&format!(
        "apiVersion: bellwether/v1\nkind: IngressConfig\nmetadata: {{name: {name}}}\nspec:\n  listeners:\n    \
         - {{name: web, address: 127.0.0.1, port: {port}, protocol: HTTP}}\n"
    ))
    .unwrap()
}

/// The document that a test means by a name and a revision.
pub(crate) fn held(name: &str, revision: u64) -> Held {
    let port = 1_000 + u16::try_from(revision % 60_000).unwrap();
    Held { revision: revision.into(), document: Arc::new(document(name, port)) }
}

pub(crate) fn set(name_text: &str, revision: u64) -> Change {
    let content = Content::Document(held(name_text, revision).document);
    Change { name: name(name_text), revision: revision.into(), content }
}

pub(crate) fn del(name_text: &str, revision: u64) -> Change {
    Change { name: name(name_text), revision: revision.into(), content: Content::Removed }
}

pub(crate) fn at(store_id: StoreId, revision: u64) -> StoreHead {
    StoreHead { store_id, succeeds: Vec::new(), revision: revision.into() }
}

pub(crate) fn documents(members: &[(&str, u64)]) -> Documents {
    members.iter().map(|(member, revision)| (name(member), held(member, *revision))).collect()
}

pub(crate) fn whole(store_id: StoreId, head: u64, members: &[(&str, u64)]) -> WholeSet {
    WholeSet { head: at(store_id, head), documents: documents(members) }
}
