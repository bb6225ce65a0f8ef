//! What an unquoted word of YAML means, and which words are refused for meaning two things.

use super::Value;

/// Reads a plain scalar.
///
/// Numbers are plain decimal integers. What YAML 1.1 or 1.2 reads as any other number, and the words that YAML 1.1
/// reads as booleans, are kept apart, since another reader of the same text may see another value.
pub(crate) fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ if is_old_boolean(text) => Value::Ambiguous(text.to_owned()),
        _ => number(text).unwrap_or_else(|| Value::Text(text.to_owned())),
    }
}

/// The booleans of YAML 1.1 that its readers agree on; `y` and `n` are text to most of them.
fn is_old_boolean(text: &str) -> bool {
    matches!(text, "yes" | "Yes" | "YES" | "no" | "No" | "NO" | "on" | "On" | "ON" | "off" | "Off" | "OFF")
}

fn number(text: &str) -> Option<Value> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    if is_plain_decimal(unsigned) && text != "-0" {
        let parsed = text.parse().map(Value::Integer);
        return Some(parsed.unwrap_or_else(|_| Value::Ambiguous(text.to_owned())));
    }
    looks_like_a_number(text).then(|| Value::Ambiguous(text.to_owned()))
}

fn is_plain_decimal(text: &str) -> bool {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits && !text.is_empty() && (text == "0" || !text.starts_with('0'))
}

/// Whether YAML 1.1 or 1.2 has a number of this form.
fn looks_like_a_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let lower = unsigned.to_ascii_lowercase();
    is_special_float(&lower) || is_radix(&lower) || is_float(&lower) || is_sexagesimal(&lower)
}

fn is_special_float(lower: &str) -> bool {
    matches!(lower, ".inf" | ".nan")
}

fn is_radix(lower: &str) -> bool {
    let hex = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'_');
    let small = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    lower.strip_prefix("0x").is_some_and(|digits| !digits.is_empty() && hex(digits))
        || lower.strip_prefix("0o").is_some_and(|digits| !digits.is_empty() && small(digits))
        || lower.strip_prefix("0b").is_some_and(|digits| !digits.is_empty() && small(digits))
}

/// Digits with underscores, at most one point and at most one exponent.
fn is_float(lower: &str) -> bool {
    let (mantissa, exponent) = lower.split_once('e').unwrap_or((lower, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    let power = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
    mantissa.bytes().any(|byte| byte.is_ascii_digit())
        && !mantissa.starts_with('_')
        && digits(whole)
        && digits(fraction)
        && !power.is_empty()
        && power.bytes().all(|byte| byte.is_ascii_digit())
}

/// `2:14` is 134 to a reader of YAML 1.1.
fn is_sexagesimal(lower: &str) -> bool {
    let whole = lower.split_once('.').map_or(lower, |(whole, _)| whole);
    let mut parts = whole.split(':');
    let leads = parts.next().is_some_and(|first| {
        first.starts_with(|digit: char| digit.is_ascii_digit())
            && first.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_')
    });
    let rest: Vec<&str> = parts.collect();
    let digits = |part: &&str| matches!(part.len(), 1 | 2) && part.bytes().all(|byte| byte.is_ascii_digit());
    leads && !rest.is_empty() && rest.iter().all(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_decimal_integers_are_integers() {
        for (text, integer) in [("0", 0), ("80", 80), ("-1", -1), ("65536", 65_536)] {
            assert!(matches!(plain(text), Value::Integer(read) if read == integer), "{text}");
        }
        for odd in [
            "010",
            "0x50",
            "0o17",
            "0b1",
            "8_080",
            "2:14",
            "1:02:03",
            "+5",
            "1.5",
            "1e3",
            "1.",
            ".5",
            "-.inf",
            ".NaN",
            "-0",
            "99999999999999999999",
            "1:30.5",
        ] {
            assert!(matches!(plain(odd), Value::Ambiguous(_)), "{odd}");
        }
    }

    #[test]
    fn a_boolean_of_one_version_of_yaml_alone_is_ambiguous() {
        for odd in ["no", "Yes", "ON", "off"] {
            assert!(matches!(plain(odd), Value::Ambiguous(_)), "{odd}");
        }
    }

    #[test]
    fn words_and_addresses_are_text() {
        for text in [
            "shop", "10.0.0.1", "::1", "2s", "200-299", "y", "e5", "a1", "1a", "-", "_1", "1.2.3", "0x",
            "nul",
        ] {
            assert!(matches!(plain(text), Value::Text(_)), "{text}");
        }
    }
}
