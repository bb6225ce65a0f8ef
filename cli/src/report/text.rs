//! Numbers, durations, lists and foreign text as people read them.

/// `1000` as `1,000`.
pub(super) fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `1 agent`, `2 agents`.
pub(super) fn counted(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", thousands(number))
}

/// `400 ms`, `1.2 s`, `42 s`, `5 min`, `3 h`, `4 d`.
pub(super) fn duration(ms: u64) -> String {
    const SECOND: u64 = 1_000;
    const MINUTE: u64 = 60 * SECOND;
    const HOUR: u64 = 60 * MINUTE;
    match ms {
        0..SECOND => format!("{ms} ms"),
        SECOND..10_000 => format!("{}.{} s", ms / SECOND, ms % SECOND / 100),
        10_000..MINUTE => format!("{} s", ms / SECOND),
        MINUTE..HOUR => format!("{} min", ms / MINUTE),
        _ if ms < 48 * HOUR => format!("{} h", ms / HOUR),
        _ => format!("{} d", ms / (24 * HOUR)),
    }
}

/// `node-1, node-2`; of more than four the first three `and 995 more`.
pub(crate) fn shortened<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    let count = names.len();
    let shown = if count > 4 { 3 } else { count };
    let list = names.take(shown).collect::<Vec<_>>().join(", ");
    if shown < count { format!("{list} and {} more", thousands(count - shown)) } else { list }
}

/// Text from elsewhere, of which nothing can move the cursor, colour the terminal or turn the text around.
pub(crate) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.trim_end().chars() {
        match character {
            '\n' => shown.push('\n'),
            '\t' => shown.push_str("    "),
            '\r' => {}
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                shown.extend(character.escape_unicode());
            }
            _ if character.is_control() => shown.extend(character.escape_unicode()),
            _ => shown.push(character),
        }
    }
    shown
}

/// Names and values in two columns; a value may have several lines, and one without text is left out.
pub(super) fn fields(fields: &[(&str, String)]) -> String {
    let fields = fields.iter().filter(|(_, value)| !value.is_empty());
    let width = fields.clone().map(|(name, _)| name.len()).max().unwrap_or_default() + 2;
    let next_line = format!("\n{:width$}", "");
    let lines =
        fields.map(|(name, value)| format!("{name:width$}{}", printable(value).replace('\n', &next_line)));
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_three() {
        for (number, shown) in
            [(0, "0"), (999, "999"), (1_000, "1,000"), (123_456, "123,456"), (1_234_567, "1,234,567")]
        {
            assert_eq!(thousands(number), shown);
        }
    }

    #[test]
    fn durations_are_as_exact_as_people_ask() {
        let cases = [
            (0, "0 ms"),
            (999, "999 ms"),
            (1_234, "1.2 s"),
            (42_900, "42 s"),
            (60_000, "1 min"),
            (47 * 3_600_000, "47 h"),
            (u64::MAX, "213503982334 d"),
        ];
        for (ms, shown) in cases {
            assert_eq!(duration(ms), shown);
        }
    }

    #[test]
    fn long_lists_are_shortened() {
        let names: Vec<_> = (1..=998).map(|number| format!("node-{number}")).collect();
        let shown = |count| shortened(names.iter().take(count).map(String::as_str));
        assert_eq!(shown(1), "node-1");
        assert_eq!(shown(4), "node-1, node-2, node-3, node-4");
        assert_eq!(shown(5), "node-1, node-2, node-3 and 2 more");
        assert_eq!(shown(998), "node-1, node-2, node-3 and 995 more");
    }

    #[test]
    fn foreign_text_cannot_steer_the_terminal() {
        assert_eq!(printable("a\u{1b}[31m\u{7}b\r\nc\td\u{202e}\n"), "a\\u{1b}[31m\\u{7}b\nc    d\\u{202e}");
    }
}
