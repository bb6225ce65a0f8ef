//! SHA-256 digests of a document and of a set of documents.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

use crate::config::IngressConfig;
use crate::error::Error;
use crate::name::ConfigName;
use crate::newtype::serde_as_text;
use crate::revision::Revision;

/// A SHA-256, shown as 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

serde_as_text!(Digest);

impl Digest {
    /// The digest that identifies a set: over `<name> <revision>\n` of all its documents, sorted bytewise by name.
    pub fn of_set<'a>(set: impl IntoIterator<Item = (&'a ConfigName, Revision)>) -> Self {
        let mut members: Vec<_> = set.into_iter().collect();
        members.sort_unstable();
        let mut hash = Sha256::new();
        for (name, revision) in members {
            hash.update(format!("{name} {revision}\n"));
        }
        Self(hash.finalize().into())
    }

    /// The digest of no documents at all.
    pub fn empty_set() -> Self {
        Self::of_set([])
    }

    /// The digest of one document: over its canonical JSON.
    pub fn of_document(config: &IngressConfig) -> Self {
        Self(Sha256::digest(config.to_canonical_json()).into())
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl FromStr for Digest {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        parse_hex(text)
            .map(Self)
            .ok_or_else(|| Error::invalid("a digest", text, "write 64 lower-case hex digits"))
    }
}

fn parse_hex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    let digits = text.as_bytes();
    if digits.len() != 2 * bytes.len() {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = pair.iter().try_fold(0, |high, digit| Some(high << 4 | hex_value(*digit)?))?;
    }
    Some(bytes)
}

fn hex_value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> ConfigName {
        text.parse().unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn the_empty_set_has_the_digest_of_nothing() {
        let of_nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(Digest::empty_set().to_string(), of_nothing);
    }

    #[test]
    fn a_set_is_sorted_bytewise_before_it_is_hashed() {
        let (a, ab, dash) = (name("a"), name("ab"), name("a-b"));
        let sorted = Digest(Sha256::digest("a 1\na-b 3\nab 2\n").into());
        assert_eq!(Digest::of_set([(&ab, 2.into()), (&a, 1.into()), (&dash, 3.into())]), sorted);
    }

    #[test]
    fn a_digest_reads_back_from_its_hex_and_from_no_other_text() {
        let digest = Digest::empty_set();
        assert_eq!(digest.to_string().parse(), Ok(digest));
        let upper = digest.to_string().to_uppercase();
        for bad in ["", "ab", upper.as_str(), &"é".repeat(32), &format!("{digest}\n")] {
            assert!(bad.parse::<Digest>().is_err(), "{bad:?}");
        }
    }
}
