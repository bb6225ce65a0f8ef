//! What each agent should serve: the documents whose selector chooses it.

use crate::store::{Snapshot, StoredConfig};
use bellwether_ingress::{ConfigName, Digest, Labels, Revision};
use bellwether_proto::{
    Known, StoreHead,
    controller::{ConfigsPage, VersionedConfig},
    http::ConfigAt,
};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

/// Digests of different label sets that are remembered at a time.
const REMEMBERED: usize = 16_384;

/// What every agent should serve at one revision. Digests are computed once for each set of labels.
pub(crate) struct Desired {
    snapshot: Arc<Snapshot>,
    digests: HashMap<Labels, Digest>,
}

impl Desired {
    pub(crate) fn new(snapshot: Arc<Snapshot>) -> Self {
        Self { snapshot, digests: HashMap::new() }
    }

    /// Turns to a newer snapshot, if it is one.
    pub(crate) fn update(&mut self, snapshot: Arc<Snapshot>) {
        if snapshot.head != self.snapshot.head {
            *self = Self::new(snapshot);
        }
    }

    pub(crate) fn head(&self) -> &StoreHead {
        &self.snapshot.head
    }

    /// The digest of the set that an agent with these labels should serve.
    pub(crate) fn digest(&mut self, labels: &Labels) -> Digest {
        if let Some(digest) = self.digests.get(labels) {
            return *digest;
        }
        if self.digests.len() >= REMEMBERED {
            self.digests.clear();
        }
        let digest = digest_for(&self.snapshot, labels);
        self.digests.insert(labels.clone(), digest);
        digest
    }

    /// What an agent with these labels should serve, by name.
    pub(crate) fn documents(&self, labels: &Labels) -> Vec<ConfigAt> {
        let at = |stored: &Arc<StoredConfig>| ConfigAt {
            name: stored.config.name().clone(),
            revision: stored.revision,
        };
        chosen(&self.snapshot, labels).map(at).collect()
    }

    /// Whether an agent with these labels, knowing this, serves what it should.
    pub(crate) fn is_converged(&mut self, labels: &Labels, known: &Known) -> bool {
        known.store_id == Some(self.head().store_id) && known.digest == self.digest(labels)
    }
}

/// The documents for an agent with these labels.
fn chosen<'a>(snapshot: &'a Snapshot, labels: &Labels) -> impl Iterator<Item = &'a Arc<StoredConfig>> {
    snapshot.configs.iter().filter(move |stored| stored.config.selector().matches(labels))
}

fn digest_for(snapshot: &Snapshot, labels: &Labels) -> Digest {
    Digest::of_set(chosen(snapshot, labels).map(|stored| (stored.config.name(), stored.revision)))
}

/// A part of what an agent lacks, in order of name, given what it has: at most about `limit` bytes of documents, but
/// always one.
pub(crate) fn page(
    snapshot: &Snapshot,
    labels: &Labels,
    have: &BTreeMap<ConfigName, Revision>,
    limit: usize,
) -> ConfigsPage {
    let wanted: BTreeMap<_, _> =
        chosen(snapshot, labels).map(|stored| (stored.config.name(), stored)).collect();
    let removed = have.keys().filter(|name| !wanted.contains_key(*name)).cloned().collect();
    let lacking =
        wanted.into_values().filter(|stored| have.get(stored.config.name()) != Some(&stored.revision));
    let (mut configs, mut bytes, mut more) = (Vec::new(), 0, false);
    for stored in lacking {
        bytes += stored.config.to_canonical_json().len();
        if bytes > limit && !configs.is_empty() {
            more = true;
            break;
        }
        configs.push(versioned(stored));
    }
    ConfigsPage { head: snapshot.head.clone(), digest: digest_for(snapshot, labels), configs, removed, more }
}

fn versioned(stored: &StoredConfig) -> VersionedConfig {
    VersionedConfig {
        name: stored.config.name().clone(),
        revision: stored.revision,
        config: stored.config.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bellwether_ingress::IngressConfig;
    use bellwether_proto::StoreId;

    fn document(name: &str, selector: &str, backends: usize) -> IngressConfig {
        let backends: String =
            (0..backends).map(|n| format!("\n    - {{name: b{n}, endpoints: []}}")).collect();
        let selector = if selector.is_empty() { String::new() } else { format!("\n  selector: {selector}") };
        let text = format!(
            "apiVersion: bellwether/v1\nkind: IngressConfig\nmetadata: {{name: {name}}}\nspec:{selector}\n  \
             listeners: [{{name: web, port: 80, protocol: HTTP}}]\n  backends:{backends}\n"
        );
        IngressConfig::from_yaml(&text).expect("a good document")
    }

    fn snapshot(configs: Vec<(IngressConfig, u64)>) -> Snapshot {
        let head = configs.iter().map(|(_, revision)| *revision).max().unwrap_or_default();
        let stored = |(config, revision): (IngressConfig, u64)| {
            Arc::new(StoredConfig {
                config,
                revision: Revision::from(revision),
                author: "me".into(),
                updated_at: "2026-01-01T00:00:00Z".into(),
            })
        };
        Snapshot {
            head: StoreHead { store_id: StoreId::new(), succeeds: vec![], revision: Revision::from(head) },
            configs: configs.into_iter().map(stored).collect(),
        }
    }

    fn labels(zone: &str) -> Labels {
        let mut labels = Labels::default();
        labels.insert("zone".parse().unwrap(), zone.parse().unwrap());
        labels
    }

    #[test]
    fn an_agent_gets_what_its_labels_choose_and_drops_what_they_do_not() {
        let snapshot = snapshot(vec![
            (document("all", "", 1), 1),
            (document("eu", "zone=eu", 1), 2),
            (document("us", "zone=us", 1), 3),
        ]);
        let have = BTreeMap::from([
            ("us".parse().unwrap(), Revision::from(3)),
            ("all".parse().unwrap(), Revision::from(1)),
        ]);
        let page = page(&snapshot, &labels("eu"), &have, usize::MAX);
        let names: Vec<_> = page.configs.iter().map(|config| config.name.as_str()).collect();
        assert_eq!(names, ["eu"]);
        assert_eq!(page.removed, ["us".parse().unwrap()]);
        assert!(!page.more);
        let expected =
            [("all", 1), ("eu", 2)].map(|(name, revision)| (name.parse().unwrap(), Revision::from(revision)));
        assert_eq!(page.digest, Digest::of_set(expected.iter().map(|(name, revision)| (name, *revision))));
    }

    #[test]
    fn what_does_not_fit_into_one_page_comes_in_the_next() {
        let snapshot = snapshot((1..=5).map(|n| (document(&format!("d{n}"), "", 3), n)).collect());
        let one = snapshot.configs[0].config.to_canonical_json().len();
        let (mut have, mut pages) = (BTreeMap::new(), Vec::new());
        loop {
            let page = page(&snapshot, &Labels::default(), &have, one * 2);
            pages.push(page.configs.len());
            have.extend(page.configs.into_iter().map(|config| (config.name, config.revision)));
            if !page.more {
                break;
            }
        }
        assert_eq!(pages, [2, 2, 1]);
        assert_eq!(page(&snapshot, &Labels::default(), &BTreeMap::new(), 1).configs.len(), 1);
    }

    #[test]
    fn another_store_with_the_same_digest_is_not_what_should_be_served() {
        let mut desired = Desired::new(Arc::new(snapshot(vec![])));
        let mut known = Known { store_id: Some(StoreId::new()), ..Known::nothing() };
        assert!(!desired.is_converged(&Labels::default(), &known));
        known.store_id = Some(desired.head().store_id);
        assert!(desired.is_converged(&Labels::default(), &known));
    }
}
