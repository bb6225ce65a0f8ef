//! Just enough of Rust's grammar to tell the library `redis` from a module of that name.

/// Whether code (not a comment) names a library: imports it, or begins a path with it.
pub fn names_library(text: &str, library: &str) -> bool {
    let (imports, code) = imports_and_code(text);
    let imported = imports.iter().any(|path| path.split("::").next() == Some(library));
    let own_module = code.contains(&format!("mod {library};")) || code.contains(&format!("mod {library} {{"));
    imported
        || code.contains(&format!("extern crate {library}"))
        || code.contains(&format!(" ::{library}::"))
        || (!own_module && starts_a_path(&code, &format!("{library}::")))
}

/// Whether a path in the code begins like this; what follows `::` or is part of a longer word does not.
pub fn starts_a_path(code: &str, beginning: &str) -> bool {
    code.match_indices(beginning).any(|(at, _)| {
        let before = code[..at].chars().next_back().unwrap_or(' ');
        let after = code[at + beginning.len()..].chars().next().unwrap_or(' ');
        let whole_word = beginning.contains(':') || !(after.is_alphanumeric() || after == '_');
        whole_word && !(before.is_alphanumeric() || before == '_' || before == ':')
    })
}

/// The paths that a file imports, each in full, and the rest of its code without comments.
pub fn imports_and_code(text: &str) -> (Vec<String>, String) {
    let code: Vec<&str> = text.lines().map(|line| line.split("// ").next().unwrap_or(line)).collect();
    let code: Vec<&str> = code.into_iter().filter(|line| !line.trim_start().starts_with("//")).collect();
    let (mut imports, mut rest) = (Vec::new(), String::new());
    let mut import: Option<String> = None;
    for line in code {
        if import.is_none() {
            import = after_use(line).map(|_| String::new());
        }
        match &mut import {
            None => rest.extend([" ", line, "\n"]),
            Some(tree) => tree.push_str(if tree.is_empty() { after_use(line).unwrap_or(line) } else { line }),
        }
        if import.as_ref().is_some_and(|tree| tree.contains(';')) {
            let tree = import.take().unwrap_or_default();
            unfold("", tree.split(';').next().unwrap_or_default(), &mut imports);
        }
    }
    (imports, rest)
}

/// What follows `use` in a line that begins an import, whatever its visibility.
fn after_use(line: &str) -> Option<&str> {
    let (before, after) = line.split_once("use ")?;
    let before = before.trim();
    (before.is_empty() || before.starts_with("pub")).then_some(after)
}

/// `a::{b, c::{d, e}}` as `a::b`, `a::c::d`, `a::c::e`.
fn unfold(prefix: &str, tree: &str, into: &mut Vec<String>) {
    let tree = tree.trim();
    let Some((head, group)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap_or(tree).trim_start_matches("::");
        into.push(format!("{prefix}{path}"));
        return;
    };
    let prefix = format!("{prefix}{}", head.trim().trim_start_matches("::"));
    let group = group.trim_end().strip_suffix('}').unwrap_or(group);
    for branch in branches(group) {
        unfold(&prefix, branch, into);
    }
}

/// The parts of a group between its own commas.
fn branches(group: &str) -> Vec<&str> {
    let mut depth = 0_i32;
    let parts = group.split(|letter| {
        depth += i32::from(letter == '{') - i32::from(letter == '}');
        letter == ',' && depth == 0
    });
    parts.filter(|part| !part.trim().is_empty()).collect()
}
