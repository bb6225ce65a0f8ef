//! The keys that open the HTTP API: read from a text, compared in constant time, shown to nobody.

use sha2::{Digest, Sha256};
use std::{fmt, sync::Arc};
use subtle::{Choice, ConstantTimeEq};

/// The least characters of a key.
const SHORTEST: usize = 16;

/// The keys that open the API. Only their digests are kept.
#[derive(Clone)]
pub struct ApiKeys(Arc<[[u8; 32]]>);

/// Why a text holds no keys. It shows none of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApiKeysError {
    /// A key that can be guessed.
    #[error("line {line}: a key has at least {SHORTEST} characters")]
    TooShort {
        /// Where, from 1.
        line: usize,
    },
    /// A key that no header can hold.
    #[error("line {line}: a key has visible ASCII characters only")]
    NotVisible {
        /// Where, from 1.
        line: usize,
    },
    /// Not one.
    #[error("there is no key in it: write one a line")]
    None,
}

impl ApiKeys {
    /// Reads keys, one a line; several let a new one come into use before the old one goes. Lines that are empty or
    /// begin with `#` say nothing.
    ///
    /// # Errors
    /// When a key is no good, or there is none.
    pub fn parse(text: &str) -> Result<Self, ApiKeysError> {
        let lines = text.lines().map(str::trim).zip(1..);
        let keys = lines.filter(|(key, _)| !key.is_empty() && !key.starts_with('#'));
        let digests: Arc<[_]> = keys.map(|(key, line)| digest_of(key, line)).collect::<Result<_, _>>()?;
        if digests.is_empty() { Err(ApiKeysError::None) } else { Ok(Self(digests)) }
    }

    /// Whether this is one of them. How long it takes says nothing about any of them.
    pub(crate) fn admit(&self, key: &[u8]) -> bool {
        let digest: [u8; 32] = Sha256::digest(key).into();
        self.0.iter().fold(Choice::from(0), |found, known| found | known.ct_eq(&digest)).into()
    }
}

fn digest_of(key: &str, line: usize) -> Result<[u8; 32], ApiKeysError> {
    match key {
        key if !key.bytes().all(|byte| byte.is_ascii_graphic()) => Err(ApiKeysError::NotVisible { line }),
        key if key.len() < SHORTEST => Err(ApiKeysError::TooShort { line }),
        key => Ok(Sha256::digest(key).into()),
    }
}

impl fmt::Debug for ApiKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} keys", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "old-0123456789abcdef";
    const NEW: &str = "new-0123456789abcdef";

    #[test]
    fn each_key_of_the_file_opens_and_nothing_else_does() {
        let keys = ApiKeys::parse(&format!("# rotated in May\n{OLD}\n\n  {NEW}\r\n# {OLD}x\n")).unwrap();
        assert!(keys.admit(OLD.as_bytes()) && keys.admit(NEW.as_bytes()));
        for wrong in
            ["", "#", "old-0123456789abcdeF", &OLD[1..], &format!("{OLD}x"), &format!("{OLD}\n{NEW}")]
        {
            assert!(!keys.admit(wrong.as_bytes()), "{wrong}");
        }
    }

    #[test]
    fn a_key_that_will_not_do_is_named_by_its_line_and_not_shown() {
        let cases = [
            ("", ApiKeysError::None),
            ("# only words\n\n", ApiKeysError::None),
            ("\nfifteen-letters", ApiKeysError::TooShort { line: 2 }),
            ("two words are not one key", ApiKeysError::NotVisible { line: 1 }),
            ("sixteen-umlauts-ä", ApiKeysError::NotVisible { line: 1 }),
        ];
        for (text, expected) in cases {
            assert_eq!(ApiKeys::parse(text).unwrap_err(), expected, "{text}");
        }
    }

    #[test]
    fn keys_are_not_shown() {
        assert_eq!(format!("{:?}", ApiKeys::parse(OLD).unwrap()), "1 keys");
    }
}
