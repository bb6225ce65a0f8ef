//! Walks a tree into typed values and notes every place where it is not as expected.

use std::ops::RangeInclusive;
use std::str::FromStr;

use crate::error::{Error, Excerpt};
use crate::limits::Bounds;
use crate::problems::Problems;
use crate::time_span::TimeSpan;
use crate::tree::{Entry, Node, Step, Value};

/// A place in a tree: a value and the way to it, as a list linked through the callers' stack frames.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    node: &'a Node,
    way: Way<'a>,
}

#[derive(Clone, Copy)]
enum Way<'a> {
    Root,
    Key(&'a Place<'a>, &'a str),
    Index(&'a Place<'a>, usize),
}

/// A mapping whose keys have been checked.
pub(crate) struct Fields<'a> {
    place: &'a Place<'a>,
    entries: &'a [Entry],
}

impl<'a> Place<'a> {
    pub(crate) fn root(node: &'a Node) -> Self {
        Self { node, way: Way::Root }
    }

    /// Notes that something is wrong here.
    pub(crate) fn refuse(&self, problems: &mut Problems, message: impl Into<String>) {
        problems.add(self.node.position, || self.steps(), || message.into());
    }

    fn steps(&self) -> Vec<Step> {
        let (mut steps, last) = match self.way {
            Way::Root => return Vec::new(),
            Way::Key(up, key) => (up.steps(), Step::Key(key.to_owned())),
            Way::Index(up, index) => (up.steps(), Step::Index(index)),
        };
        steps.push(last);
        steps
    }

    fn refuse_kind(&self, problems: &mut Problems, expected: &str) {
        let found = match &self.node.value {
            Value::Null => "null, which is nowhere a value".to_owned(),
            Value::Bool(value) => format!("the boolean {value}"),
            Value::Integer(value) => format!("the number {value}"),
            Value::Ambiguous(text) => {
                format!("{}, which is neither a plain decimal integer nor clearly text", Excerpt::of(text))
            }
            Value::Text(text) => format!("the text {}", Excerpt::of(text)),
            Value::List(_) => "a list".to_owned(),
            Value::Map(_) => "a mapping".to_owned(),
        };
        self.refuse(problems, format!("expected {expected}, found {found}"));
    }

    /// The fields of a mapping that has no others than `known`.
    pub(crate) fn fields(&'a self, known: &[&str], problems: &mut Problems) -> Option<Fields<'a>> {
        let fields = self.mapping(problems)?;
        for entry in fields.entries.iter().filter(|entry| !known.contains(&entry.key.as_str())) {
            let place = fields.place_of(entry);
            let message = || format!("unknown field: known here are {}", known.join(", "));
            problems.add(entry.position, || place.steps(), message);
        }
        Some(fields)
    }

    fn mapping(&'a self, problems: &mut Problems) -> Option<Fields<'a>> {
        match &self.node.value {
            Value::Map(entries) => Some(Fields { place: self, entries }),
            _ => {
                self.refuse_kind(problems, "a mapping");
                None
            }
        }
    }

    /// The items of a list, each read by `read`; none if any is refused or there are too few or too many.
    pub(crate) fn list<T>(
        &self,
        count: RangeInclusive<usize>,
        problems: &mut Problems,
        read: impl Fn(Place<'_>, &mut Problems) -> Option<T>,
    ) -> Option<Vec<T>> {
        let Value::List(items) = &self.node.value else {
            self.refuse_kind(problems, "a list");
            return None;
        };
        if !count.contains(&items.len()) {
            let (least, most) = (count.start(), count.end());
            self.refuse(problems, format!("{} entries: there must be {least} to {most}", items.len()));
            return None;
        }
        let mut all = Some(Vec::with_capacity(items.len()));
        for (index, node) in items.iter().enumerate() {
            let item = read(Place { node, way: Way::Index(self, index) }, problems);
            all = all.zip(item).map(|(mut all, item)| {
                all.push(item);
                all
            });
        }
        all
    }

    /// Text that its type accepts.
    pub(crate) fn text<T: FromStr<Err = Error>>(&self, problems: &mut Problems) -> Option<T> {
        match &self.node.value {
            Value::Text(text) => self.parsed(text, problems),
            Value::Bool(_) | Value::Integer(_) | Value::Ambiguous(_) => {
                self.refuse_kind(problems, "text in quotes");
                None
            }
            _ => {
                self.refuse_kind(problems, "text");
                None
            }
        }
    }

    /// Text, or a number that is read as the text of its digits.
    pub(crate) fn text_or_digits<T: FromStr<Err = Error>>(&self, problems: &mut Problems) -> Option<T> {
        match &self.node.value {
            Value::Integer(number) => self.parsed(&number.to_string(), problems),
            _ => self.text(problems),
        }
    }

    fn parsed<T: FromStr<Err = Error>>(&self, text: &str, problems: &mut Problems) -> Option<T> {
        text.parse().map_err(|error: Error| self.refuse(problems, error.to_string())).ok()
    }

    /// One of a few words.
    pub(crate) fn word<T: Copy>(&self, words: &[(&str, T)], problems: &mut Problems) -> Option<T> {
        let expected = || words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(" or ");
        let found = match &self.node.value {
            Value::Text(text) => words.iter().find(|(word, _)| word == text).map(|(_, value)| *value),
            _ => None,
        };
        if found.is_none() {
            self.refuse_kind(problems, &expected());
        }
        found
    }

    /// A plain decimal integer within `range`.
    pub(crate) fn integer<T: TryFrom<i64> + Into<i64> + Copy>(
        &self,
        range: RangeInclusive<T>,
        problems: &mut Problems,
    ) -> Option<T> {
        let (least, most): (i64, i64) = ((*range.start()).into(), (*range.end()).into());
        let found = match &self.node.value {
            Value::Integer(number) if (least..=most).contains(number) => T::try_from(*number).ok(),
            _ => None,
        };
        if found.is_none() {
            self.refuse_kind(problems, &format!("a whole number from {least} to {most}"));
        }
        found
    }

    /// A duration within `bounds`.
    pub(crate) fn time_span(&self, bounds: &Bounds, problems: &mut Problems) -> Option<TimeSpan> {
        let span: TimeSpan = self.text(problems)?;
        if (bounds.shortest..=bounds.longest).contains(&span) {
            return Some(span);
        }
        self.refuse(
            problems,
            format!("{span} is out of bounds: use {} to {}", bounds.shortest, bounds.longest),
        );
        None
    }

    /// `{name: …}`, the form of every reference.
    pub(crate) fn reference<T: FromStr<Err = Error>>(&self, problems: &mut Problems) -> Option<T> {
        let fields = self.fields(&["name"], problems)?;
        fields.required("name", problems)?.text(problems)
    }

    /// A mapping of free keys, whose number the tree has bounded.
    pub(crate) fn pairs<K, V, C>(&self, problems: &mut Problems) -> Option<C>
    where
        K: FromStr<Err = Error>,
        V: FromStr<Err = Error>,
        C: FromIterator<(K, V)>,
    {
        let fields = self.mapping(problems)?;
        let pairs = fields.entries.iter().map(|entry| {
            let place = fields.place_of(entry);
            let key: Result<K, Error> = entry.key.parse();
            if let Err(error) = &key {
                problems.add(entry.position, || place.steps(), || error.to_string());
            }
            let value = place.text(problems);
            key.ok().zip(value)
        });
        let pairs: Vec<Option<(K, V)>> = pairs.collect();
        pairs.into_iter().collect()
    }
}

impl<'a> Fields<'a> {
    fn place_of(&self, entry: &'a Entry) -> Place<'a> {
        Place { node: &entry.node, way: Way::Key(self.place, &entry.key) }
    }

    /// The value of `key`, if it is given.
    pub(crate) fn get(&self, key: &str) -> Option<Place<'a>> {
        self.entries.iter().find(|entry| entry.key == key).map(|entry| self.place_of(entry))
    }

    /// The value of `key`; its absence is noted.
    pub(crate) fn required(&self, key: &str, problems: &mut Problems) -> Option<Place<'a>> {
        let found = self.get(key);
        if found.is_none() {
            let mut steps = self.place.steps();
            steps.push(Step::Key(key.to_owned()));
            problems.add(self.place.node.position, || steps, || "is missing: add it".to_owned());
        }
        found
    }

    /// What `read` makes of `key`, or `default` if it is not given.
    pub(crate) fn or<T>(
        &self,
        key: &str,
        default: T,
        read: impl FnOnce(Place<'a>) -> Option<T>,
    ) -> Option<T> {
        self.get(key).map_or(Some(default), read)
    }

    /// What `read` makes of `key`, or nothing if it is not given.
    pub(crate) fn optional<T>(
        &self,
        key: &str,
        read: impl FnOnce(Place<'a>) -> Option<T>,
    ) -> Option<Option<T>> {
        self.get(key).map_or(Some(None), |place| read(place).map(Some))
    }
}
