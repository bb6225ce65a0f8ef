//! The HTTP statuses that a health check takes for healthy.

use std::fmt;
use std::str::FromStr;

use crate::error::Error;
use crate::newtype::serde_as_text;

/// One status, or all from a first to a last: `204`, `200-299`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExpectStatus {
    first: u16,
    last: u16,
}

serde_as_text!(ExpectStatus);

impl ExpectStatus {
    /// The lowest healthy status.
    pub fn first(self) -> u16 {
        self.first
    }

    /// The highest healthy status.
    pub fn last(self) -> u16 {
        self.last
    }
}

impl Default for ExpectStatus {
    /// `200-399`, as HAProxy's `option httpchk` does.
    fn default() -> Self {
        Self { first: 200, last: 399 }
    }
}

impl FromStr for ExpectStatus {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        const RULE: &str = "write one status from 100 to 599, such as 204, or a range such as 200-299";
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        match (parse_status(first), parse_status(last)) {
            (Some(first), Some(last)) if first <= last => Ok(Self { first, last }),
            _ => Err(Error::invalid("an expected status", text, RULE)),
        }
    }
}

fn parse_status(text: &str) -> Option<u16> {
    match text.as_bytes() {
        [b'1'..=b'5', b'0'..=b'9', b'0'..=b'9'] => text.parse().ok(),
        _ => None,
    }
}

impl fmt::Display for ExpectStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            return write!(f, "{}", self.first);
        }
        write!(f, "{}-{}", self.first, self.last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_of_one_is_that_one() {
        let one: Result<ExpectStatus, _> = "200-200".parse();
        assert_eq!(one.map(|status| status.to_string()), Ok("200".to_owned()));
    }

    #[test]
    fn free_text_is_no_status() {
        for bad in [
            "",
            "2xx",
            "99",
            "600",
            "0200",
            "299-200",
            "200-",
            "-200",
            "200-299-300",
            "200 or rstring .*",
            "+20",
        ] {
            assert!(bad.parse::<ExpectStatus>().is_err(), "{bad:?}");
        }
    }
}
