//! A label on the command line: `key=value`.

use bellwether_ingress::{LabelKey, LabelValue, Labels};
use std::{collections::BTreeMap, str::FromStr};

/// One label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Label(pub(crate) LabelKey, pub(crate) LabelValue);

impl FromStr for Label {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (key, value) = text.split_once('=').ok_or("write KEY=VALUE")?;
        let key = key.parse().map_err(|error: bellwether_ingress::Error| error.to_string())?;
        let value = value.parse().map_err(|error: bellwether_ingress::Error| error.to_string())?;
        Ok(Self(key, value))
    }
}

/// All labels; the same key twice is a mistake, unless it says the same.
pub(crate) fn distinct(labels: Vec<Label>) -> Result<Labels, String> {
    let mut by_key = BTreeMap::new();
    for Label(key, value) in labels {
        if by_key.get(&key).is_some_and(|before| *before != value) {
            return Err(format!("--label {key} is given twice, with different values"));
        }
        by_key.insert(key, value);
    }
    Labels::try_from(by_key).map_err(|error| format!("--label: {error}"))
}
