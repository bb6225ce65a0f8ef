//! Names of certificates, which become file names on the agents.

use crate::name::starts_and_ends_alphanumeric;
use crate::newtype::checked_text;

checked_text! {
    /// The name of a certificate: `[a-z0-9]([a-z0-9.-]{0,126}[a-z0-9])?` without `..`.
    CertificateName is "a certificate name" when is_certificate_name,
    else "use 1 to 128 of a-z, 0-9, '.' and '-', beginning and ending with a letter or digit, without '..'"
}

fn is_certificate_name(text: &str) -> bool {
    text.len() <= 128
        && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-'))
        && starts_and_ends_alphanumeric(text)
        && !text.contains("..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_name_never_leaves_its_directory() {
        assert!("shop.example-1".parse::<CertificateName>().is_ok());
        for bad in ["", ".", "..", "a..b", "../x", "a/b", ".a", "a.", "A", &"a".repeat(129)] {
            assert!(bad.parse::<CertificateName>().is_err(), "{bad:?}");
        }
    }
}
