//! Whether lapin can read the properties of a message: all texts are UTF-8, all types known, and nothing is nested deeply.

/// How deep tables and arrays may be nested.
const DEEPEST: usize = 16;

/// What properties are made of, in the order of their flags, from the highest bit.
const KINDS: [Kind; 14] = [
    Kind::Text,
    Kind::Text,
    Kind::Table,
    Kind::Bytes(1),
    Kind::Bytes(1),
    Kind::Text,
    Kind::Text,
    Kind::Text,
    Kind::Text,
    Kind::Bytes(8),
    Kind::Text,
    Kind::Text,
    Kind::Text,
    Kind::Text,
];

#[derive(Clone, Copy)]
enum Kind {
    Text,
    Table,
    Bytes(usize),
}

/// Whether these flags and what follows them are properties that can be read, and nothing else.
pub(super) fn are_readable(properties: &[u8]) -> bool {
    let mut unread = Unread(properties);
    unread.properties().is_some() && unread.0.is_empty()
}

/// What is still to be read. A reading that finds something else than it should ends as `None`.
struct Unread<'a>(&'a [u8]);

impl<'a> Unread<'a> {
    fn properties(&mut self) -> Option<()> {
        let flags = u16::from_be_bytes(self.bytes(2)?.try_into().ok()?);
        for (index, kind) in KINDS.into_iter().enumerate() {
            if flags & (1 << (15 - index)) != 0 {
                match kind {
                    Kind::Text => self.text()?,
                    Kind::Table => self.table(DEEPEST)?,
                    Kind::Bytes(count) => drop(self.bytes(count)?),
                }
            }
        }
        // The last bit says that more flags follow, of properties that do not exist.
        (flags & 0b11 == 0).then_some(())
    }

    fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (read, unread) = self.0.split_at_checked(count)?;
        self.0 = unread;
        Some(read)
    }

    fn text(&mut self) -> Option<()> {
        let length = self.bytes(1)?[0];
        std::str::from_utf8(self.bytes(length.into())?).ok().map(drop)
    }

    /// Bytes of which there may be many, after their number.
    fn long(&mut self) -> Option<&'a [u8]> {
        let length = u32::from_be_bytes(self.bytes(4)?.try_into().ok()?);
        self.bytes(length.try_into().ok()?)
    }

    fn table(&mut self, deepest: usize) -> Option<()> {
        let mut entries = Unread(self.long()?);
        while !entries.0.is_empty() {
            entries.text()?;
            entries.value(deepest)?;
        }
        Some(())
    }

    fn array(&mut self, deepest: usize) -> Option<()> {
        let mut values = Unread(self.long()?);
        while !values.0.is_empty() {
            values.value(deepest)?;
        }
        Some(())
    }

    fn value(&mut self, deepest: usize) -> Option<()> {
        match self.bytes(1)?[0] {
            b'V' => Some(()),
            b't' | b'b' | b'B' => self.bytes(1).map(drop),
            b's' | b'U' | b'u' => self.bytes(2).map(drop),
            b'I' | b'i' | b'f' => self.bytes(4).map(drop),
            b'D' => self.bytes(5).map(drop),
            b'L' | b'l' | b'd' | b'T' => self.bytes(8).map(drop),
            b'S' | b'x' => self.long().map(drop),
            b'A' => self.array(deepest.checked_sub(1)?),
            b'F' => self.table(deepest.checked_sub(1)?),
            _ => None,
        }
    }
}
