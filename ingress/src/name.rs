//! Names of documents, listeners and backends: one DNS label each.

use crate::newtype::checked_text;

checked_text! {
    /// The name of a document (`metadata.name`): `[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?`.
    ConfigName is "a document name" when is_label,
    else "use 1 to 63 of a-z, 0-9 and '-', beginning and ending with a letter or digit"
}

checked_text! {
    /// The name of a listener within its document; same syntax as [`ConfigName`].
    ListenerName is "a listener name" when is_label,
    else "use 1 to 63 of a-z, 0-9 and '-', beginning and ending with a letter or digit"
}

checked_text! {
    /// The name of a backend within its document; same syntax as [`ConfigName`].
    BackendName is "a backend name" when is_label,
    else "use 1 to 63 of a-z, 0-9 and '-', beginning and ending with a letter or digit"
}

/// A lower-case RFC 1123 label of at most 63 bytes.
pub(crate) fn is_label(text: &str) -> bool {
    text.len() <= 63
        && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
        && starts_and_ends_alphanumeric(text)
}

/// Whether the first and the last byte are ASCII letters or digits; an empty text has neither.
pub(crate) fn starts_and_ends_alphanumeric(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_final_newline_is_no_part_of_a_name() {
        assert!("shop".parse::<ConfigName>().is_ok());
        for bad in ["shop\n", "", "-a", "a-", "A", "a_b", "é", &"a".repeat(64)] {
            assert!(bad.parse::<ConfigName>().is_err(), "{bad:?}");
        }
        assert!("a".repeat(63).parse::<ConfigName>().is_ok());
    }

    #[test]
    fn a_name_reads_back_from_json_only_when_it_is_one() {
        let name: ConfigName = serde_json::from_str("\"shop\"").unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(serde_json::to_string(&name).unwrap_or_default(), "\"shop\"");
        assert!(serde_json::from_str::<ConfigName>("\"Shop\"").is_err());
    }
}
