//! A document as a tree of values with positions, before anything is known about its meaning.

pub(crate) mod json;
mod scalar;
pub(crate) mod yaml;

use crate::document_errors::{DocumentError, DocumentErrors};
use crate::limits::{MAX_DOCUMENT_BYTES, MAX_NODES};

/// Line and column, both from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) line: u32,
    pub(crate) column: u32,
}

/// A value and where it stands, if the reader knows.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) position: Option<Position>,
    pub(crate) value: Value,
}

/// What a text can say.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Integer(i64),
    /// Neither a plain decimal integer nor text to every reader of YAML: `1.5`, `010`, `2:14`, `no`.
    Ambiguous(String),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// One `key: value` of a mapping; keys are unique.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) position: Option<Position>,
    pub(crate) node: Node,
}

/// One step from a value to a value inside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Key(String),
    Index(usize),
}

/// A way down from `spec`, as in `at!["rules", 0, "host"]`.
macro_rules! at {
    ($($step:expr),*) => { vec![$crate::tree::Step::from("spec"), $($crate::tree::Step::from($step)),*] };
}
pub(crate) use at;

impl From<&str> for Step {
    fn from(key: &str) -> Self {
        Self::Key(key.to_owned())
    }
}

impl From<usize> for Step {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

/// The name of the whole text where a field would be named.
pub(crate) const WHOLE_DOCUMENT: &str = "document";

/// Prints steps as `spec.rules[0].host`, an odd key shortened and escaped.
pub(crate) fn show_path<'a>(steps: impl IntoIterator<Item = &'a Step>) -> String {
    let mut shown = String::new();
    for step in steps {
        match step {
            Step::Index(index) => shown.push_str(&format!("[{index}]")),
            Step::Key(key) => push_key(&mut shown, key),
        }
    }
    if shown.is_empty() { WHOLE_DOCUMENT.to_owned() } else { shown }
}

fn push_key(shown: &mut String, key: &str) {
    if !shown.is_empty() {
        shown.push('.');
    }
    let plain =
        key.len() <= 80 && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte));
    if plain && !key.is_empty() {
        shown.push_str(key);
    } else {
        shown.push_str(&crate::error::Excerpt::of(key).to_string());
    }
}

impl Node {
    /// Where the value at the end of `steps` stands, or the innermost one on the way that exists.
    pub(crate) fn locate(&self, steps: &[Step]) -> Option<Position> {
        let mut node = self;
        for step in steps {
            let next = match (&node.value, step) {
                (Value::List(items), Step::Index(index)) => items.get(*index),
                (Value::Map(entries), Step::Key(key)) => {
                    entries.iter().find(|entry| entry.key == *key).map(|entry| &entry.node)
                }
                _ => None,
            };
            match next {
                Some(inner) => node = inner,
                None => break,
            }
        }
        node.position
    }
}

/// One finding as the whole answer of a reader that stops at the first.
pub(crate) fn refuse(path: String, position: Option<Position>, message: impl Into<String>) -> DocumentErrors {
    DocumentErrors::one(DocumentError {
        path,
        line: position.map(|position| position.line),
        column: position.map(|position| position.column),
        message: message.into(),
    })
}

/// What a tree may still take in memory, whoever builds it.
#[derive(Debug)]
pub(crate) struct Budget {
    nodes: usize,
    bytes: usize,
}

impl Budget {
    pub(crate) fn of_one_document() -> Self {
        Self { nodes: MAX_NODES, bytes: MAX_DOCUMENT_BYTES }
    }

    /// Takes one value with `bytes` of text, or says what there is too much of.
    pub(crate) fn take(&mut self, bytes: usize) -> Result<(), &'static str> {
        self.nodes = self.nodes.checked_sub(1).ok_or("more than 200,000 values: split the document")?;
        self.bytes = self.bytes.checked_sub(bytes).ok_or("more than 1 MiB of text: split the document")?;
        Ok(())
    }
}
