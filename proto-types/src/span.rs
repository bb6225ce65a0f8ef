//! Spans of time as people write them: `500ms`, `5s`, `2m`.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr, time::Duration};

/// The longest span that can be written: a day.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// A span of time, written as a whole number and `ms`, `s`, `m` or `h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Span(Duration);

/// Why a span was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a span of time is a whole number and ms, s, m or h, such as 500ms, 5s or 2m, and at most a day")]
pub struct SpanError;

impl Span {
    /// The span as a duration.
    #[must_use]
    pub fn duration(self) -> Duration {
        self.0
    }
}

impl From<Duration> for Span {
    /// What is less than a millisecond is left out.
    fn from(duration: Duration) -> Self {
        let milliseconds = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Self(Duration::from_millis(milliseconds))
    }
}

impl FromStr for Span {
    type Err = SpanError;

    fn from_str(text: &str) -> Result<Self, SpanError> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let number: u64 = number.parse().map_err(|_| SpanError)?;
        let in_milliseconds = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            _ => return Err(SpanError),
        };
        let span = number.checked_mul(in_milliseconds).map(Duration::from_millis).ok_or(SpanError)?;
        if span > LONGEST { Err(SpanError) } else { Ok(Self(span)) }
    }
}

impl TryFrom<String> for Span {
    type Error = SpanError;

    fn try_from(text: String) -> Result<Self, SpanError> {
        text.parse()
    }
}

impl From<Span> for String {
    fn from(span: Span) -> Self {
        span.to_string()
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let milliseconds = self.0.as_millis();
        if milliseconds.is_multiple_of(1_000) {
            write!(f, "{}s", milliseconds / 1_000)
        } else {
            write!(f, "{milliseconds}ms")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_as_people_write_them() {
        for (text, milliseconds) in
            [("0s", 0), ("500ms", 500), ("5s", 5_000), ("2m", 120_000), ("24h", 86_400_000)]
        {
            let span: Span = text.parse().unwrap();
            assert_eq!(span.duration(), Duration::from_millis(milliseconds), "{text}");
            assert_eq!(span.to_string().parse(), Ok(span), "{text}");
        }
        for bad in [
            "",
            "5",
            "s",
            "-5s",
            "5 s",
            "1.5s",
            "5S",
            "25h",
            "99999999999999999999s",
            "18446744073709551615h",
        ] {
            assert_eq!(bad.parse::<Span>(), Err(SpanError), "{bad}");
        }
    }
}
