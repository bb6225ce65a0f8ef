//! A label as programs take it on their command line: `key=value`.

use bellwether_ingress::{LabelKey, LabelValue, Labels};
use std::{collections::BTreeMap, str::FromStr};

/// One label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label(LabelKey, LabelValue);

impl FromStr for Label {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (key, value) = text.split_once('=').ok_or("write KEY=VALUE")?;
        let key = key.parse().map_err(|error: bellwether_ingress::Error| error.to_string())?;
        let value = value.parse().map_err(|error: bellwether_ingress::Error| error.to_string())?;
        Ok(Self(key, value))
    }
}

impl Label {
    /// All labels of a `--label` that may be repeated.
    ///
    /// # Errors
    /// When a key has two values, or there are too many.
    pub fn all(labels: impl IntoIterator<Item = Self>) -> Result<Labels, String> {
        let mut by_key = BTreeMap::new();
        for Self(key, value) in labels {
            if by_key.get(&key).is_some_and(|before| *before != value) {
                return Err(format!("--label {key} is given twice, with different values"));
            }
            by_key.insert(key, value);
        }
        Labels::try_from(by_key).map_err(|error| format!("--label: {error}"))
    }
}
