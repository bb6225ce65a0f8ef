//! Which agents a document is for: a selector in the syntax of Kubernetes.
//!
//! Supported are `key=value`, `key==value` and `key!=value`, joined by commas, all of which must hold. What
//! Kubernetes knows beyond that is refused by the operator's name.
//! Source: <https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors>.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use crate::error::Error;
use crate::label::{LabelKey, LabelValue, Labels};
use crate::limits::MAX_SELECTOR_BYTES;
use crate::newtype::serde_as_text;

/// A set of requirements on labels; without any it chooses every agent.
///
/// The empty text is the empty selector, as in Kubernetes. It prints sorted, with `=` and without spaces.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Selector {
    requirements: BTreeSet<Requirement>,
}

serde_as_text!(Selector);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Requirement {
    key: LabelKey,
    operator: Operator,
    value: LabelValue,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Operator {
    Equals,
    NotEquals,
}

impl Selector {
    /// Whether every requirement holds; a missing key satisfies `!=`, as in Kubernetes.
    pub fn matches(&self, labels: &Labels) -> bool {
        self.requirements.iter().all(|requirement| requirement.holds_for(labels))
    }

    /// Whether this chooses every agent, whatever its labels.
    pub fn is_all(&self) -> bool {
        self.requirements.is_empty()
    }
}

impl Requirement {
    fn holds_for(&self, labels: &Labels) -> bool {
        let equal = labels.get(&self.key) == Some(&self.value);
        match self.operator {
            Operator::Equals => equal,
            Operator::NotEquals => !equal,
        }
    }
}

impl FromStr for Selector {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if text.len() > MAX_SELECTOR_BYTES {
            return Err(Error::invalid("a selector", text, "it is too long: use at most 4096 bytes"));
        }
        let mut requirements = BTreeSet::new();
        if trim(text).is_empty() {
            return Ok(Self { requirements });
        }
        refuse_sets(text)?;
        for part in text.split(',') {
            requirements.insert(parse_requirement(trim(part), text)?);
        }
        Ok(Self { requirements })
    }
}

fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

/// `in (…)` and `notin (…)` hold commas of their own: they are looked for before the text is split.
fn refuse_sets(text: &str) -> Result<(), Error> {
    for word in text.split([' ', '\t', ',', '(', ')']) {
        match word {
            "notin" => return Err(Error::UnsupportedOperator { operator: "'notin'" }),
            "in" if text.contains('(') => return Err(Error::UnsupportedOperator { operator: "'in'" }),
            _ => {}
        }
    }
    Ok(())
}

fn parse_requirement(part: &str, selector: &str) -> Result<Requirement, Error> {
    const RULE: &str = "write key=value or key!=value, several joined by commas";
    if part.is_empty() {
        return Err(Error::invalid("a selector", selector, "a requirement is empty: remove the extra comma"));
    }
    if let Some(operator) = unsupported_operator(part) {
        return Err(Error::UnsupportedOperator { operator });
    }
    let (key, operator, value) = match (part.split_once("!="), part.split_once('=')) {
        (Some((key, value)), _) => (key, Operator::NotEquals, value),
        (None, Some((key, value))) => (key, Operator::Equals, value.strip_prefix('=').unwrap_or(value)),
        (None, None) => return Err(Error::invalid("a selector", selector, RULE)),
    };
    Ok(Requirement { key: trim(key).parse()?, operator, value: trim(value).parse()? })
}

/// The operator of Kubernetes that `part` uses, if it is one that is not known here yet.
fn unsupported_operator(part: &str) -> Option<&'static str> {
    if part.starts_with('!') {
        return Some("'!key' (does not exist)");
    }
    match part.chars().find(|character| "=<>!".contains(*character)) {
        Some('<') => Some("'<'"),
        Some('>') => Some("'>'"),
        None if part.parse::<LabelKey>().is_ok() => Some("'key' alone (exists)"),
        _ => None,
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, requirement) in self.requirements.iter().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            write!(f, "{requirement}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operator = match self.operator {
            Operator::Equals => "=",
            Operator::NotEquals => "!=",
        };
        write!(f, "{}{operator}{}", self.key, self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selector(text: &str) -> Selector {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        let parsed = pairs.iter().map(|(key, value)| Ok((key.parse()?, value.parse()?)));
        parsed.collect::<Result<_, Error>>().unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn all_requirements_must_hold() {
        let chosen = selector("zone=eu,tier!=test");
        assert!(chosen.matches(&labels(&[("zone", "eu"), ("tier", "prod")])));
        assert!(!chosen.matches(&labels(&[("zone", "eu"), ("tier", "test")])));
        assert!(!chosen.matches(&labels(&[("zone", "us")])));
    }

    #[test]
    fn a_missing_key_satisfies_only_the_inequality() {
        assert!(selector("tier!=test").matches(&Labels::default()));
        assert!(!selector("tier=").matches(&Labels::default()));
        assert!(selector("tier=").matches(&labels(&[("tier", "")])));
    }

    #[test]
    fn no_requirement_chooses_every_agent() {
        assert!(Selector::default().matches(&Labels::default()));
        assert_eq!(selector(" "), Selector::default());
    }

    #[test]
    fn spelling_does_not_matter_to_the_printed_form() {
        assert_eq!(selector(" b == 2 , a != 1,b=2").to_string(), "a!=1,b=2");
        assert_eq!(selector("in=notin-x").to_string(), "in=notin-x");
        assert_eq!(selector("example.com/zone=eu").to_string(), "example.com/zone=eu");
    }

    #[test]
    fn an_operator_of_later_is_refused_by_name() {
        for (text, operator) in [
            ("zone in (eu,us)", "'in'"),
            ("zone in(eu)", "'in'"),
            ("a=b,zone notin (eu)", "'notin'"),
            ("zone", "'key' alone"),
            ("!zone", "'!key'"),
            ("load<5", "'<'"),
            ("load > 5", "'>'"),
        ] {
            let refused = text.parse::<Selector>().map_err(|error| error.to_string());
            let message = refused.err().unwrap_or_default();
            assert!(message.contains(operator) && message.contains("not supported yet"), "{text}: {message}");
        }
    }

    #[test]
    fn what_kubernetes_refuses_is_refused() {
        for bad in
            [",", "a=b,", ",a=b", "=b", "a=b c", "a b=c", "a=b=c", "a===b", "a!b", "a=!b", "a\n=b", "a=b;c=d"]
        {
            assert!(bad.parse::<Selector>().is_err(), "{bad:?}");
        }
    }
}
