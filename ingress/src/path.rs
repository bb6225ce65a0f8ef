//! URL paths of rules and health checks.

use crate::newtype::checked_text;

checked_text! {
    /// A path: `/[A-Za-z0-9/._~@:=+,&!-]*`, 1 to 254 bytes, without `//` and without `.` or `..` segments.
    ///
    /// 254, because nginx 1.22 cuts the length of a location modulo 256.
    HttpPath is "a path" when is_path,
    else "begin with '/', use A-Z, a-z, 0-9 and /._~@:=+,&!- only, at most 254 bytes, no '//', no '.' or '..' segment"
}

impl HttpPath {
    /// The longest path in bytes.
    pub const MAX_BYTES: usize = 254;

    /// The path that everything is under.
    pub fn root() -> Self {
        Self("/".to_owned())
    }

    /// The path without its trailing slash, by which a Prefix is compared; empty for `/`.
    pub fn as_prefix(&self) -> &str {
        self.as_str().strip_suffix('/').unwrap_or(self.as_str())
    }
}

fn is_path(text: &str) -> bool {
    text.len() <= HttpPath::MAX_BYTES
        && text.starts_with('/')
        && text.bytes().all(is_path_byte)
        && !text.contains("//")
        && !text.split('/').any(|segment| segment == "." || segment == "..")
}

fn is_path_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"/._~@:=+,&!-".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_plain_ascii_without_tricks() {
        for good in ["/", "/a", "/a/", "/...", "/a.b/~@:=+,&!-_", "/.well-known/x"] {
            assert!(good.parse::<HttpPath>().is_ok(), "{good}");
        }
        for bad in [
            "", "a", "//", "/a//b", "/.", "/a/..", "/./a", "/a%2f", "/a?b", "/a#b", "/a b", "/a\n", "/é",
            "/;",
        ] {
            assert!(bad.parse::<HttpPath>().is_err(), "{bad:?}");
        }
        assert!(format!("/{}", "a".repeat(253)).parse::<HttpPath>().is_ok());
        assert!(format!("/{}", "a".repeat(254)).parse::<HttpPath>().is_err());
    }
}
