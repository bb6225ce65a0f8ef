//! How bodies are written: JSON, or MessagePack.

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};

/// How a body is written: a message's `content_type`. A server answers in the encoding of the request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// `application/json`, also what a message without a `content_type` is.
    #[default]
    Json,
    /// `application/vnd.msgpack`: structs as maps with names, so that fields may be added; smaller than JSON.
    MessagePack,
}

/// Other names of MessagePack, from before it was registered.
const MESSAGE_PACK_TOO: [&str; 2] = ["application/msgpack", "application/x-msgpack"];

impl Encoding {
    /// The `content_type` on the wire.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::MessagePack => "application/vnd.msgpack",
        }
    }

    /// The encoding of a `content_type`; none when it is another one. What follows a semicolon is ignored.
    #[must_use]
    pub fn of(content_type: &str) -> Option<Self> {
        let name = content_type.split(';').next().unwrap_or_default().trim();
        let is = |encoding: &Self| encoding.content_type().eq_ignore_ascii_case(name);
        let known = [Self::Json, Self::MessagePack].into_iter().find(is);
        let too = || MESSAGE_PACK_TOO.iter().any(|other| other.eq_ignore_ascii_case(name));
        known.or_else(|| too().then_some(Self::MessagePack))
    }

    pub(crate) fn write<T: Serialize>(self, value: &T) -> Result<Bytes, String> {
        match self {
            Self::Json => serde_json::to_vec(value).map(Bytes::from).map_err(|error| error.to_string()),
            Self::MessagePack => {
                let mut body = Vec::with_capacity(128);
                let mut serializer =
                    rmp_serde::Serializer::new(&mut body).with_struct_map().with_human_readable();
                value.serialize(&mut serializer).map_err(|error| error.to_string())?;
                Ok(body.into())
            }
        }
    }

    /// Unknown fields are the message type's business: Bellwether's ignore them.
    pub(crate) fn read<T: DeserializeOwned>(self, body: &[u8]) -> Result<T, String> {
        match self {
            Self::Json => serde_json::from_slice(body).map_err(|error| error.to_string()),
            Self::MessagePack => {
                let mut deserializer = rmp_serde::Deserializer::from_read_ref(body).with_human_readable();
                deserializer.set_max_depth(DEEPEST);
                T::deserialize(&mut deserializer).map_err(|error| error.to_string())
            }
        }
    }
}

/// As many levels as JSON's reader goes into.
const DEEPEST: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Point {
        x: u32,
        #[serde(default)]
        label: Option<String>,
    }

    #[test]
    fn what_is_written_reads_the_same() {
        let point = Point { x: 7, label: Some("seven".into()) };
        for encoding in [Encoding::Json, Encoding::MessagePack] {
            let body = encoding.write(&point).expect("it can be written");
            assert_eq!(encoding.read::<Point>(&body), Ok(Point { x: 7, label: Some("seven".into()) }));
        }
    }

    #[test]
    fn a_field_that_is_new_is_ignored_and_one_that_is_missing_has_its_default() {
        #[derive(Serialize)]
        struct Newer {
            x: u32,
            y: [u8; 3],
        }
        for encoding in [Encoding::Json, Encoding::MessagePack] {
            let body = encoding.write(&Newer { x: 7, y: [1, 2, 3] }).expect("it can be written");
            assert_eq!(encoding.read::<Point>(&body), Ok(Point { x: 7, label: None }));
        }
    }

    #[test]
    fn nesting_without_end_is_an_error_and_no_crash() {
        let deep = vec![0x91; 1_000_000];
        assert!(Encoding::MessagePack.read::<serde_json::Value>(&deep).is_err());
        assert!(Encoding::Json.read::<serde_json::Value>(&vec![b'['; 1_000_000]).is_err());
    }

    #[test]
    fn a_content_type_says_which_it_is() {
        assert_eq!(Encoding::of("application/json; charset=utf-8"), Some(Encoding::Json));
        assert_eq!(Encoding::of("Application/X-MsgPack"), Some(Encoding::MessagePack));
        assert_eq!(Encoding::of("text/plain"), None);
    }
}
