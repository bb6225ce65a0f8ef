//! Durations as the document writes them.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::error::Error;
use crate::newtype::serde_as_text;

/// A duration of `[1-9][0-9]{0,5}` and `ms`, `s` or `m`; printed in the largest unit that holds it whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeSpan {
    ms: u64,
}

serde_as_text!(TimeSpan);

impl TimeSpan {
    pub(crate) const fn from_ms(ms: u64) -> Self {
        Self { ms }
    }

    /// The same for the standard library.
    pub fn as_duration(self) -> Duration {
        Duration::from_millis(self.ms)
    }
}

impl From<TimeSpan> for Duration {
    fn from(span: TimeSpan) -> Self {
        span.as_duration()
    }
}

impl FromStr for TimeSpan {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        const RULE: &str = "write a whole number from 1 to 999999 and its unit, as in 500ms, 2s or 5m";
        parse_ms(text).map(Self::from_ms).ok_or_else(|| Error::invalid("a duration", text, RULE))
    }
}

fn parse_ms(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|unit: char| !unit.is_ascii_digit());
    let ms_per_unit = match text.strip_prefix(digits)? {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        _ => return None,
    };
    let plain =
        digits.len() <= 6 && !digits.starts_with('0') && digits.bytes().all(|digit| digit.is_ascii_digit());
    let count: u64 = if plain { digits.parse().ok()? } else { return None };
    Some(count * ms_per_unit)
}

impl fmt::Display for TimeSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ms {
            ms if ms.is_multiple_of(60_000) => write!(f, "{}m", ms / 60_000),
            ms if ms.is_multiple_of(1_000) => write!(f, "{}s", ms / 1_000),
            ms => write!(f, "{ms}ms"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_durations_print_alike() {
        for (written, printed) in [("60000ms", "1m"), ("120s", "2m"), ("1500ms", "1500ms"), ("3000ms", "3s")]
        {
            assert_eq!(written.parse::<TimeSpan>().map(|span| span.to_string()), Ok(printed.to_owned()));
        }
        let longest: Result<TimeSpan, _> = "999999m".parse();
        assert_eq!(longest.map(|span| span.to_string()), Ok("999999m".to_owned()));
    }

    #[test]
    fn a_number_needs_its_unit() {
        for bad in
            ["", "2", "s", "0s", "02s", "1000000s", "2h", "2 s", "2s\n", "-2s", "1.5s", "2S", "2sm", "１s"]
        {
            assert!(bad.parse::<TimeSpan>().is_err(), "{bad:?}");
        }
    }
}
