//! Reads the strict subset of YAML that a document may use, from the events of granit-parser.
//!
//! The events are taken rather than a deserializer, because anchors, tags and positions can be seen only there.

use serde_saphyr::granit_parser::{Event, Marker, Options, Parser, ScalarStyle, Span, StrInput};

use super::{Budget, Entry, Node, Position, Step, Value, WHOLE_DOCUMENT, refuse, scalar, show_path};
use crate::document_errors::DocumentErrors;
use crate::limits::{MAX_DEPTH, MAX_DOCUMENT_BYTES, MAX_FILE_DOCUMENTS, MAX_KEYS};

/// Hands every document of `text`, which has passed the checks of characters and size, to `each`, one at a time.
pub(crate) fn each_document(
    text: &str,
    mut each: impl FnMut(Node) -> Result<(), DocumentErrors>,
) -> Result<(), DocumentErrors> {
    let mut count = 0;
    let mut started_at = 0;
    let mut builder = Builder::new();
    let mut parser = Parser::new_from_str_with_options(text, options());
    while let Some((event, span)) = next_event(&mut parser, &builder)? {
        match event {
            Event::DocumentStart(..) => {
                count += 1;
                if count > MAX_FILE_DOCUMENTS {
                    return Err(builder.refuse(span.start, "more than 1,000 documents in one file: split it"));
                }
                started_at = span.start.byte_offset().unwrap_or(0);
                builder = Builder::new();
            }
            Event::DocumentEnd => {
                let ended_at = span.end.byte_offset().unwrap_or(text.len());
                if ended_at.saturating_sub(started_at) > MAX_DOCUMENT_BYTES {
                    return Err(builder.refuse(span.start, "the document is over 1 MiB: split it"));
                }
                builder.root.take().map_or(Ok(()), &mut each)?;
            }
            event => builder.accept(event, span)?,
        }
    }
    Ok(())
}

fn options() -> Options {
    let mut options = Options::default();
    options.set_emit_comments(false);
    options.disallow_directives = true;
    options.emit_unresolved_aliases = true;
    options.flow_nesting_limit = MAX_DEPTH + 1;
    options.block_nesting_limit = MAX_DEPTH + 1;
    options
}

fn next_event<'t>(
    parser: &mut Parser<'t, StrInput<'t>>,
    builder: &Builder,
) -> Result<Option<(Event<'t>, Span)>, DocumentErrors> {
    match parser.next_event() {
        None => Ok(None),
        Some(Ok(event)) => Ok(Some(event)),
        Some(Err(error)) => {
            Err(builder.refuse(*error.marker(), format!("not readable as YAML: {}", error.info())))
        }
    }
}

fn position(mark: Marker) -> Position {
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    Position { line: number(mark.line()), column: number(mark.col()).saturating_add(1) }
}

/// Builds one document's tree; the collections that are still open form its stack.
struct Builder {
    root: Option<Node>,
    open: Vec<Open>,
    budget: Budget,
}

struct Open {
    position: Position,
    inside: Inside,
}

enum Inside {
    List(Vec<Node>),
    Map { entries: Vec<Entry>, key: Option<(String, Position)> },
}

impl Builder {
    fn new() -> Self {
        Self { root: None, open: Vec::new(), budget: Budget::of_one_document() }
    }

    fn accept(&mut self, event: Event<'_>, span: Span) -> Result<(), DocumentErrors> {
        let at = span.start;
        self.refuse_properties(&event, at)?;
        match event {
            Event::Scalar(text, style, ..) => self.scalar(&text, style, at),
            Event::SequenceStart(..) => self.open(at, Inside::List(Vec::new())),
            Event::MappingStart(..) => self.open(at, Inside::Map { entries: Vec::new(), key: None }),
            Event::SequenceEnd | Event::MappingEnd => self.close(at),
            Event::Alias(..) | Event::UnresolvedAlias(..) => {
                Err(self.refuse(at, "aliases (*name) are not allowed: write the value out"))
            }
            _ => Ok(()),
        }
    }

    /// Anchors and tags, on whatever they stand.
    fn refuse_properties(&self, event: &Event<'_>, at: Marker) -> Result<(), DocumentErrors> {
        if event.anchor_id().is_some_and(|id| id > 0) {
            return Err(self.refuse(at, "anchors (&name) are not allowed: remove it"));
        }
        if event.tag().is_some() {
            return Err(self.refuse(at, "tags (!name) are not allowed: remove it"));
        }
        Ok(())
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, at: Marker) -> Result<(), DocumentErrors> {
        self.budget.take(text.len()).map_err(|excess| self.refuse(at, excess))?;
        let value = match style {
            ScalarStyle::Plain => scalar::plain(text),
            _ => Value::Text(text.to_owned()),
        };
        if self.expects_a_key() {
            self.key(value, at)
        } else {
            self.push(Node { position: Some(position(at)), value }, at)
        }
    }

    fn expects_a_key(&self) -> bool {
        matches!(self.open.last(), Some(Open { inside: Inside::Map { key: None, .. }, .. }))
    }

    fn key(&mut self, value: Value, at: Marker) -> Result<(), DocumentErrors> {
        let Value::Text(name) = value else {
            return Err(self.refuse(at, "a key must be text: quote it"));
        };
        if name == "<<" {
            return Err(self.refuse(at, "merge keys (<<) are not allowed: write the fields out"));
        }
        let Some(Open { inside: Inside::Map { entries, key }, .. }) = self.open.last_mut() else {
            return Ok(());
        };
        let repeated = entries.iter().any(|entry| entry.key == name);
        let full = entries.len() >= MAX_KEYS;
        *key = Some((name, position(at)));
        if repeated {
            return Err(self.refuse(at, "this key stands here twice: keep one"));
        }
        if full {
            return Err(self.refuse(at, "more than 64 keys in one mapping: remove some"));
        }
        Ok(())
    }

    fn open(&mut self, at: Marker, inside: Inside) -> Result<(), DocumentErrors> {
        self.budget.take(0).map_err(|excess| self.refuse(at, excess))?;
        if self.expects_a_key() {
            return Err(self.refuse(at, "a key must be text, not a list or mapping"));
        }
        if self.open.len() == MAX_DEPTH {
            return Err(self.refuse(at, "nested deeper than 12 levels: a document needs 8"));
        }
        self.open.push(Open { position: position(at), inside });
        Ok(())
    }

    fn close(&mut self, at: Marker) -> Result<(), DocumentErrors> {
        let Some(Open { position, inside }) = self.open.pop() else {
            return Ok(());
        };
        let value = match inside {
            Inside::List(items) => Value::List(items),
            Inside::Map { entries, .. } => Value::Map(entries),
        };
        self.push(Node { position: Some(position), value }, at)
    }

    /// Puts a finished value where it belongs: under the pending key, into the list, or at the root.
    fn push(&mut self, node: Node, at: Marker) -> Result<(), DocumentErrors> {
        match self.open.last_mut().map(|open| &mut open.inside) {
            None => self.root = Some(node),
            Some(Inside::List(items)) => items.push(node),
            Some(Inside::Map { entries, key }) => match key.take() {
                Some((key, position)) => entries.push(Entry { key, position: Some(position), node }),
                None => return Err(self.refuse(at, "a value without a key")),
            },
        }
        Ok(())
    }

    fn refuse(&self, at: Marker, message: impl Into<String>) -> DocumentErrors {
        refuse(self.path(), Some(position(at)), message)
    }

    /// The field that is being read.
    fn path(&self) -> String {
        let steps: Vec<Step> = self.open.iter().filter_map(Open::step).collect();
        if steps.is_empty() { WHOLE_DOCUMENT.to_owned() } else { show_path(&steps) }
    }
}

impl Open {
    fn step(&self) -> Option<Step> {
        match &self.inside {
            Inside::List(items) => Some(Step::Index(items.len())),
            Inside::Map { key: Some((key, _)), .. } => Some(Step::Key(key.clone())),
            Inside::Map { key: None, .. } => None,
        }
    }
}
