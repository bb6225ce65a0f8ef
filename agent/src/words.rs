//! Keeps what others say short and printable.

/// The most bytes of one explanation.
pub(crate) const LIMIT: usize = 1_000;

/// At most [`LIMIT`] bytes of `text`, cut between characters; what is cut off is marked by `…`.
pub(crate) fn bounded(mut text: String) -> String {
    const MARK: &str = "…";
    if text.len() > LIMIT {
        text.truncate(text.floor_char_boundary(LIMIT - MARK.len()));
        text.push_str(MARK);
    }
    text
}

/// The last lines of a program's output: as one line, without control characters, of at most [`LIMIT`] bytes, of which
/// the last are the ones kept.
pub(crate) fn last_lines(output: &[u8], lines: usize) -> String {
    let text = String::from_utf8_lossy(output);
    let printable = text.lines().map(printable).filter(|line| !line.is_empty());
    let all: Vec<_> = printable.collect();
    let last = all.iter().skip(all.len().saturating_sub(lines)).cloned().collect::<Vec<_>>().join(" | ");
    let start = last.ceil_char_boundary(last.len().saturating_sub(LIMIT));
    last.get(start..).unwrap_or_default().to_owned()
}

/// A line without control characters and without white space around it.
fn printable(line: &str) -> String {
    let kept: String =
        line.chars().map(|c| if c == '\t' { ' ' } else { c }).filter(|c| !c.is_control()).collect();
    kept.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_lines_are_kept_and_no_control_character() {
        let output = b"one\ntwo\n\n\x1b[31mthree\x1b[0m\tx\r\nfour\x07\n";
        assert_eq!(last_lines(output, 2), "[31mthree[0m x | four");
        assert_eq!(last_lines(b"", 5), "");
    }

    #[test]
    fn a_long_line_keeps_its_end_and_whole_characters() {
        let output = "é".repeat(2_000);
        let kept = last_lines(output.as_bytes(), 5);
        assert!(kept.len() <= LIMIT && kept.chars().all(|c| c == 'é'));
    }

    #[test]
    fn a_long_text_is_cut_between_characters_and_says_so() {
        let text = bounded("é".repeat(2_000));
        assert!(text.len() <= LIMIT && text.ends_with("é…"), "{text}");
        assert_eq!(bounded("short".into()), "short");
    }
}
