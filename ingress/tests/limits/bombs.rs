//! Hostile texts of the full size, each against one part of the reader.

use bellwether_ingress::limits::MAX_DOCUMENT_BYTES;

/// Each with its name.
pub(crate) fn bombs() -> Vec<(&'static str, String)> {
    let fill = |piece: &str| piece.repeat(MAX_DOCUMENT_BYTES / piece.len());
    let keys: String = (0..100_000).map(|index| format!("k{index}: 1\n")).collect();
    let aliases: String = (1..60).map(|n| format!("a{n}: &a{n} [*a{0},*a{0}]\n", n - 1)).collect();
    vec![
        ("flow depth", fill("[")),
        ("mapping depth", fill("{a: ")),
        ("block depth", fill("- ")),
        ("many values", format!("[{}]", fill("0,").split_at(MAX_DOCUMENT_BYTES - 4).0)),
        ("many lists", format!("[{}[]]", fill("[],").split_at(MAX_DOCUMENT_BYTES - 8).0)),
        ("many keys", keys),
        ("billion laughs", format!("a0: &a0 [x]\n{aliases}")),
        ("one long word", fill("a")),
        ("one long quote", format!("\"{}", fill("a").split_at(MAX_DOCUMENT_BYTES - 1).0)),
        ("question marks", fill("? ")),
        ("explicit keys", fill("? a\n")),
        ("colons", fill("a: ")),
        ("comments", fill("# \n")),
        ("anchors", fill("&a ")),
        ("tags", fill("!a ")),
        ("blanks", fill(" ")),
        ("lines", fill("\n")),
        ("documents", fill("---\n")),
        ("block scalar", format!("a: |\n{}", fill(" \n").split_at(MAX_DOCUMENT_BYTES - 6).0)),
        ("plain lines", fill("a\n ")),
        ("quotes", fill("''")),
    ]
}
