//! What can be wrong with a single value or a whole document.

use std::fmt;

use crate::clash::Clash;
use crate::document_errors::DocumentErrors;

/// Every way in which this crate refuses its input.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A value that breaks the rule of its type.
    #[error("{value} is not {what}: {rule}")]
    Invalid {
        /// The type's name in the words of the document, with its article.
        what: &'static str,
        /// The refused value, shortened.
        value: Excerpt,
        /// What to write instead.
        rule: &'static str,
    },
    /// A selector operator of Kubernetes that is refused rather than ignored.
    #[error(
        "selector operator {operator} is not supported yet: use key=value or key!=value, several joined by commas"
    )]
    UnsupportedOperator {
        /// The operator as Kubernetes calls it.
        operator: &'static str,
    },
    /// More labels than one agent or document may carry.
    #[error("more than {max} labels: keep the ones that selectors use")]
    TooManyLabels {
        /// The most that are accepted.
        max: usize,
    },
    /// A document that does not parse or breaks a rule.
    #[error(transparent)]
    Document(#[from] DocumentErrors),
    /// A document that cannot stand beside another one.
    #[error(transparent)]
    Clash(#[from] Clash),
}

impl Error {
    pub(crate) fn invalid(what: &'static str, value: &str, rule: &'static str) -> Self {
        Self::Invalid { what, value: Excerpt::of(value), rule }
    }
}

/// A foreign value made safe to show: quoted, escaped, at most about 80 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt(String);

impl Excerpt {
    const MAX_BYTES: usize = 80;

    /// Shortens and escapes `value`.
    pub fn of(value: &str) -> Self {
        let mut shown = String::with_capacity(value.len().min(Self::MAX_BYTES) + 5);
        shown.push('"');
        for character in value.chars() {
            let escaped = escape(character);
            if shown.len() + escaped.len() > Self::MAX_BYTES {
                shown.push('…');
                break;
            }
            shown.push_str(&escaped);
        }
        shown.push('"');
        Self(shown)
    }
}

/// Printable ASCII stays as it is; all else, bidirectional marks included, is written as an escape.
fn escape(character: char) -> String {
    match character {
        '"' | '\\' => format!("\\{character}"),
        ' '..='~' => character.to_string(),
        _ => character.escape_default().collect(),
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_hostile_value_is_shown_short_and_escaped() {
        let shown = Excerpt::of(&"\n\u{202e}\"".repeat(100)).to_string();
        assert!(shown.len() <= 90, "{shown}");
        assert!(shown.starts_with("\"\\n\\u{202e}\\\""), "{shown}");
        assert!(shown.is_ascii() || shown.contains('…'));
    }
}
