//! Labels of agents and documents, in the syntax of Kubernetes.
//!
//! Source: <https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set>.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::limits::MAX_LABELS;
use crate::name::{is_label, starts_and_ends_alphanumeric};
use crate::newtype::checked_text;

checked_text! {
    /// The key of a label: a name of at most 63 bytes, or a DNS prefix of at most 253 bytes, `/`, and a name.
    LabelKey is "a label key" when is_key,
    else "use up to 63 letters, digits, '-', '_' and '.', beginning and ending with a letter or digit, \
          after an optional DNS name and '/'"
}

checked_text! {
    /// The value of a label: at most 63 bytes, may be empty.
    LabelValue is "a label value" when is_value,
    else "use up to 63 letters, digits, '-', '_' and '.', beginning and ending with a letter or digit, or nothing"
}

/// Labels by key, at most [`MAX_LABELS`] when they come from outside.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<LabelKey, LabelValue>")]
pub struct Labels(BTreeMap<LabelKey, LabelValue>);

impl Labels {
    /// The value under `key`.
    pub fn get(&self, key: &LabelKey) -> Option<&LabelValue> {
        self.0.get(key)
    }

    /// Sets `key` and returns what was there before.
    pub fn insert(&mut self, key: LabelKey, value: LabelValue) -> Option<LabelValue> {
        self.0.insert(key, value)
    }

    /// All labels, sorted by key.
    pub fn iter(&self) -> impl Iterator<Item = (&LabelKey, &LabelValue)> {
        self.0.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<(LabelKey, LabelValue)> for Labels {
    fn from_iter<I: IntoIterator<Item = (LabelKey, LabelValue)>>(labels: I) -> Self {
        Self(labels.into_iter().collect())
    }
}

impl TryFrom<BTreeMap<LabelKey, LabelValue>> for Labels {
    type Error = Error;

    fn try_from(labels: BTreeMap<LabelKey, LabelValue>) -> Result<Self, Error> {
        if labels.len() > MAX_LABELS {
            return Err(Error::TooManyLabels { max: MAX_LABELS });
        }
        Ok(Self(labels))
    }
}

fn is_key(text: &str) -> bool {
    match text.split_once('/') {
        Some((prefix, name)) => is_dns_name(prefix) && is_name(name),
        None => is_name(text),
    }
}

fn is_dns_name(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_label)
}

fn is_name(text: &str) -> bool {
    text.len() <= 63
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        && starts_and_ends_alphanumeric(text)
}

fn is_value(text: &str) -> bool {
    text.is_empty() || is_name(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_those_of_kubernetes() {
        for good in ["zone", "A_b.c-1", "example.com/zone", "a/b", &format!("{}/b", ["a"; 127].join("."))] {
            assert!(good.parse::<LabelKey>().is_ok(), "{good}");
        }
        for bad in
            ["", "-a", "a-", "/a", "a/", "a/b/c", "Example.com/a", "a b", "a=b", &"a".repeat(64), "a\n"]
        {
            assert!(bad.parse::<LabelKey>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_value_may_be_empty_but_not_odd() {
        for good in ["", "eu", "EU-1_a.b", &"a".repeat(63)] {
            assert!(good.parse::<LabelValue>().is_ok(), "{good}");
        }
        for bad in [" ", "-", "a ", "a/b", "a,b", &"a".repeat(64)] {
            assert!(bad.parse::<LabelValue>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_flood_of_labels_is_refused() {
        let json = |count: usize| {
            let pairs: Vec<String> = (0..count).map(|index| format!("\"k{index}\":\"v\"")).collect();
            serde_json::from_str::<Labels>(&format!("{{{}}}", pairs.join(",")))
        };
        assert!(json(MAX_LABELS).is_ok_and(|labels| labels.len() == MAX_LABELS));
        assert!(json(MAX_LABELS + 1).is_err());
    }
}
