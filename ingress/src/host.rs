//! Host names of rules and certificates.

use crate::name::is_label;
use crate::newtype::checked_text;

checked_text! {
    /// A lower-case host name, or `*.` and a name for exactly one more label.
    ///
    /// At most 253 bytes of RFC 1123 labels; no IP address, port, trailing dot or underscore; `.invalid` is reserved
    /// for probes.
    Host is "a host" when is_host,
    else "use lower-case DNS labels such as shop.example.com or *.example.com: no IP address, port or trailing dot, \
          nothing under .invalid"
}

impl Host {
    /// The longest host in bytes.
    pub const MAX_BYTES: usize = 253;

    /// For `*.example.com` the part after `*.`.
    pub fn wildcard_of(&self) -> Option<&str> {
        self.as_str().strip_prefix("*.")
    }

    /// Whether this stands for every name with one label more.
    pub fn is_wildcard(&self) -> bool {
        self.wildcard_of().is_some()
    }
}

fn is_host(text: &str) -> bool {
    let name = text.strip_prefix("*.").unwrap_or(text);
    let last = name.rsplit('.').next().unwrap_or_default();
    text.len() <= Host::MAX_BYTES
        && name.split('.').all(is_label)
        && !last.bytes().all(|byte| byte.is_ascii_digit())
        && last != "invalid"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_leading_label_may_be_a_star() {
        for good in
            ["a", "shop.example.com", "*.example.com", "1.a", "xn--bcher-kva.example", "invalid.example"]
        {
            assert!(good.parse::<Host>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "*",
            "*.",
            "a.*",
            "*a.b",
            "*.*.a",
            "a..b",
            ".a",
            "a.",
            "10.0.0.1",
            "*.1",
            "::1",
            "a_b.c",
            "A.b",
            "a:80",
            "rev.ingress.invalid",
            "*.invalid",
            "a\n",
            "a b",
        ] {
            assert!(bad.parse::<Host>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn the_length_limit_counts_the_star() {
        let label = "a".repeat(63);
        let longest = format!("{label}.{label}.{label}.{}", "b".repeat(61));
        assert_eq!(longest.len(), 253);
        assert!(longest.parse::<Host>().is_ok());
        assert!(format!("{longest}b").parse::<Host>().is_err());
        assert!(format!("*.{}", &longest[..251]).parse::<Host>().is_ok());
        assert!(format!("*.{}", &longest[..252]).parse::<Host>().is_err());
    }
}
