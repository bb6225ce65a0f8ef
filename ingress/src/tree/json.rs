//! Reads a tree from JSON, and from any other serde format that a message may carry a document in.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::{Budget, Entry, Node, Position, Step, Value, refuse, show_path};
use crate::document_errors::DocumentErrors;
use crate::limits::{MAX_DEPTH, MAX_KEYS};

/// Reads one JSON document, which has passed the checks of characters and size.
pub(crate) fn document(text: &str) -> Result<Node, DocumentErrors> {
    let mut builder = Builder::new();
    let mut json = serde_json::Deserializer::from_str(text);
    let read = builder.read(&mut json).and_then(|node| json.end().map(|()| node));
    read.map_err(|error| {
        let position = position(&error);
        let shown = error.to_string();
        let suffix = format!(" at line {} column {}", error.line(), error.column());
        let message = shown.strip_suffix(&suffix).unwrap_or(&shown);
        let message =
            if error.is_data() { message.to_owned() } else { format!("not readable as JSON: {message}") };
        refuse(show_path(&builder.path), position, message)
    })
}

/// Reads one document from `deserializer`, without positions.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Node, D::Error> {
    Builder::new().read(deserializer)
}

fn position(error: &serde_json::Error) -> Option<Position> {
    let line = u32::try_from(error.line()).ok()?;
    let column = u32::try_from(error.column()).ok()?;
    (line > 0).then_some(Position { line, column: column.max(1) })
}

/// What is shared by the values of one document: where the reader is and what it may still take.
struct Builder {
    path: Vec<Step>,
    budget: Budget,
}

impl Builder {
    fn new() -> Self {
        Self { path: Vec::new(), budget: Budget::of_one_document() }
    }

    fn read<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<Node, D::Error> {
        NodeSeed { builder: self }.deserialize(deserializer)
    }

    /// Reads what stands at `step`; after an error the path still says where it was.
    fn within<T, E>(&mut self, step: Step, read: impl FnOnce(NodeSeed<'_>) -> Result<T, E>) -> Result<T, E> {
        self.path.push(step);
        let value = read(NodeSeed { builder: self })?;
        self.path.pop();
        Ok(value)
    }

    fn take<E: Error>(&mut self, bytes: usize) -> Result<(), E> {
        self.budget.take(bytes).map_err(E::custom)
    }

    fn enter<E: Error>(&mut self) -> Result<(), E> {
        if self.path.len() >= MAX_DEPTH {
            return Err(E::custom("nested deeper than 12 levels: a document needs 8"));
        }
        self.take(0)
    }
}

struct NodeSeed<'b> {
    builder: &'b mut Builder,
}

impl NodeSeed<'_> {
    fn leaf<E: Error>(self, value: Value) -> Result<Node, E> {
        let bytes = match &value {
            Value::Text(text) | Value::Ambiguous(text) => text.len(),
            _ => 0,
        };
        self.builder.take(bytes)?;
        Ok(Node { position: None, value })
    }
}

impl<'de> DeserializeSeed<'de> for NodeSeed<'_> {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for NodeSeed<'_> {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object, a list, text, a whole number or a boolean")
    }

    fn visit_unit<E: Error>(self) -> Result<Node, E> {
        self.leaf(Value::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Node, E> {
        self.leaf(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Node, E> {
        self.leaf(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Node, E> {
        self.leaf(Value::Integer(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Node, E> {
        self.leaf(i64::try_from(value).map_or_else(|_| Value::Ambiguous(value.to_string()), Value::Integer))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Node, E> {
        self.leaf(Value::Ambiguous(value.to_string()))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Node, E> {
        self.leaf(Value::Text(value.to_owned()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Node, E> {
        self.leaf(Value::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
        self.builder.enter()?;
        let mut items = Vec::new();
        while let Some(item) =
            self.builder.within(Step::Index(items.len()), |seed| seq.next_element_seed(seed))?
        {
            items.push(item);
        }
        Ok(Node { position: None, value: Value::List(items) })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        self.builder.enter()?;
        let mut entries: Vec<Entry> = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            self.builder.take(key.len())?;
            let repeated = entries.iter().any(|entry| entry.key == key);
            let full = entries.len() >= MAX_KEYS;
            let node = self.builder.within(Step::Key(key.clone()), |seed| match () {
                () if repeated => Err(A::Error::custom("this key stands here twice: keep one")),
                () if full => Err(A::Error::custom("more than 64 keys in one object: remove some")),
                () => map.next_value_seed(seed),
            })?;
            entries.push(Entry { key, position: None, node });
        }
        Ok(Node { position: None, value: Value::Map(entries) })
    }
}
