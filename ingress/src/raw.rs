//! A document as it was read: well-formed within its limits of size, its meaning not yet checked.

use serde::{Deserialize, Deserializer};

use crate::document_errors::DocumentErrors;
use crate::limits::{MAX_DOCUMENT_BYTES, MAX_FILE_BYTES};
use crate::tree::{self, Node, Position, WHOLE_DOCUMENT, refuse};

/// A document without duplicate keys, anchors, aliases, tags or too much of anything; the only thing that an
/// [`IngressConfig`](crate::IngressConfig) is made of.
#[derive(Clone, Debug)]
pub struct RawConfig {
    pub(crate) root: Node,
}

impl RawConfig {
    /// Reads a JSON text of at most 1 MiB.
    ///
    /// # Errors
    /// One finding: characters, size, depth, syntax or a duplicate key.
    pub fn from_json(json: &[u8]) -> Result<Self, DocumentErrors> {
        let text = checked_text(json, MAX_DOCUMENT_BYTES)?;
        tree::json::document(text).map(|root| Self { root })
    }

    /// Reads a YAML text of exactly one document of at most 1 MiB.
    ///
    /// # Errors
    /// One finding: characters, size, depth, syntax, a duplicate key, an anchor, alias, tag or directive, or another
    /// number of documents.
    pub fn from_yaml(yaml: &str) -> Result<Self, DocumentErrors> {
        let text = checked_text(yaml.as_bytes(), MAX_DOCUMENT_BYTES)?;
        let mut only = None;
        tree::yaml::each_document(text, |root| match only {
            None => {
                only = Some(Self { root });
                Ok(())
            }
            Some(_) => Err(refuse(
                WHOLE_DOCUMENT.to_owned(),
                root.position,
                "a second document: give exactly one here",
            )),
        })?;
        only.ok_or_else(no_document)
    }

    /// Hands each document of a YAML text, separated by `---`, to `each` as soon as it is read.
    pub(crate) fn each_from_yaml(
        yaml: &str,
        mut each: impl FnMut(Self) -> Result<(), DocumentErrors>,
    ) -> Result<(), DocumentErrors> {
        let text = checked_text(yaml.as_bytes(), MAX_FILE_BYTES)?;
        let mut count = 0;
        tree::yaml::each_document(text, |root| {
            count += 1;
            each(Self { root })
        })?;
        if count == 0 { Err(no_document()) } else { Ok(()) }
    }
}

impl<'de> Deserialize<'de> for RawConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        tree::json::deserialize(deserializer).map(|root| Self { root })
    }
}

fn no_document() -> DocumentErrors {
    refuse(WHOLE_DOCUMENT.to_owned(), None, "there is no document in this text")
}

/// The text, if it is small enough, UTF-8, without byte order mark, and its only control characters are line feeds.
fn checked_text(bytes: &[u8], max_bytes: usize) -> Result<&str, DocumentErrors> {
    let whole = |message: String| refuse(WHOLE_DOCUMENT.to_owned(), None, message);
    if bytes.len() > max_bytes {
        return Err(whole(format!("{} bytes are too many: at most {max_bytes}", bytes.len())));
    }
    let text = std::str::from_utf8(bytes)
        .map_err(|error| whole(format!("not UTF-8 after {} bytes: save it as UTF-8", error.valid_up_to())))?;
    match text.char_indices().find(|(_, character)| is_forbidden(*character)) {
        None => Ok(text),
        Some((index, character)) => {
            let (before, _) = text.split_at(index);
            Err(refuse(WHOLE_DOCUMENT.to_owned(), Some(end_of(before)), forbidden(character)))
        }
    }
}

/// Control characters, byte order marks, and what some readers take for the end of a line.
fn is_forbidden(character: char) -> bool {
    (character.is_control() && character != '\n') || matches!(character, '\u{feff}' | '\u{2028}' | '\u{2029}')
}

fn forbidden(character: char) -> String {
    match character {
        '\u{feff}' => "a byte order mark: save it as UTF-8 without one".to_owned(),
        '\r' => "a carriage return: end lines with a line feed alone".to_owned(),
        '\t' => "a tab: indent with spaces".to_owned(),
        other => format!("the control character U+{:04X}: remove it", u32::from(other)),
    }
}

/// The position right after `text`.
fn end_of(text: &str) -> Position {
    let last_line = text.rsplit('\n').next().unwrap_or_default();
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX).saturating_add(1);
    Position { line: number(text.matches('\n').count()), column: number(last_line.chars().count()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(refused: Result<RawConfig, DocumentErrors>) -> String {
        refused.err().map(|errors| errors.to_string()).unwrap_or_default()
    }

    #[test]
    fn a_stray_character_is_named_with_its_place() {
        assert_eq!(first(RawConfig::from_yaml("a: b\nc:\td")), "2:3: document: a tab: indent with spaces");
        assert!(first(RawConfig::from_yaml("a: b\r\n")).starts_with("1:5: document: a carriage return"));
        assert!(first(RawConfig::from_yaml("\u{feff}a: b")).contains("byte order mark"));
        assert!(first(RawConfig::from_json(b"{\"a\":\x00}")).contains("U+0000"));
        assert!(first(RawConfig::from_json(b"{\"a\":\"\xff\"}")).contains("not UTF-8 after 6 bytes"));
    }

    #[test]
    fn size_is_checked_before_anything_is_parsed() {
        let large = " ".repeat(MAX_DOCUMENT_BYTES + 1);
        assert!(first(RawConfig::from_yaml(&large)).contains("too many"));
        assert!(first(RawConfig::from_json(large.as_bytes())).contains("too many"));
    }

    #[test]
    fn a_duplicate_key_is_refused_in_both_formats() {
        assert!(
            first(RawConfig::from_json(br#"{"a":{"b":1,"b":1}}"#))
                .contains("a.b: this key stands here twice")
        );
        assert!(first(RawConfig::from_yaml("a:\n  b: 1\n  b: 1\n")).starts_with("3:3: a.b: this key"));
        assert!(first(RawConfig::from_yaml("{a: [{b: 1, \"b\": 1}]}")).contains("a[0].b: this key"));
    }

    #[test]
    fn what_yaml_can_do_beyond_values_is_refused() {
        for (yaml, what) in [
            ("a: &x [1]\nb: *x\n", "1:7: a: anchors"),
            ("a: *x\n", "1:4: a: aliases"),
            ("a: !!str b\n", "tags"),
            ("!!map {a: b}\n", "tags"),
            ("a: {<<: {b: c}}\n", "merge keys"),
            ("? [a]\n: b\n", "a key must be text"),
            ("1: b\n", "a key must be text"),
            ("%YAML 1.1\n---\na: b\n", "document: "),
            ("a: b\n---\nc: d\n", "a second document"),
            ("", "no document"),
            ("# nothing\n", "no document"),
            ("a: [b\n", "not readable as YAML"),
        ] {
            let shown = first(RawConfig::from_yaml(yaml));
            assert!(shown.contains(what), "{yaml:?}: {shown:?}");
        }
    }

    #[test]
    fn depth_is_bounded_in_both_formats() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(RawConfig::from_json(nested(12).as_bytes()).is_ok());
        assert!(RawConfig::from_yaml(&nested(12)).is_ok());
        assert!(first(RawConfig::from_json(nested(13).as_bytes())).contains("deeper than 12"));
        assert!(first(RawConfig::from_yaml(&nested(13))).contains("deeper than 12"));
        assert!(RawConfig::from_json("[".repeat(MAX_DOCUMENT_BYTES).as_bytes()).is_err());
        assert!(RawConfig::from_yaml(&"[".repeat(MAX_DOCUMENT_BYTES)).is_err());
        assert!(RawConfig::from_yaml(&"- ".repeat(MAX_DOCUMENT_BYTES / 2)).is_err());
    }
}
