//! Names and ids, each with the one constructor that every edge goes through.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr, sync::Arc};
use uuid::Uuid;

/// Why a name was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} {text:?} must be {rule}")]
pub struct IdError {
    what: &'static str,
    text: String,
    rule: &'static str,
}

/// Up to 64 characters of a refused name, for the error.
fn shortened(text: &str) -> String {
    text.chars().take(64).collect()
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $what:literal, $longest:literal, $inner:expr, $rule:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let edge = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
                let inner: fn(u8) -> bool = $inner;
                let bytes = text.as_bytes();
                let well_formed = bytes.len() <= $longest
                    && bytes.first().is_some_and(|byte| edge(*byte))
                    && bytes.last().is_some_and(|byte| edge(*byte))
                    && bytes.iter().all(|byte| edge(*byte) || inner(*byte));
                if well_formed {
                    Ok(Self(text.into()))
                } else {
                    Err(IdError { what: $what, text: shortened(text), rule: $rule })
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0.as_ref().to_owned()
            }
        }

        impl From<$name> for Arc<str> {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name!(
    /// A fleet: agents, controllers and one store that belong together. `[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?`.
    Fleet, "the fleet", 32, |byte| byte == b'-',
    "1 to 32 characters of a-z, 0-9 and '-', the first and last of them a letter or digit"
);
name!(
    /// An agent, unique within its fleet. `[a-z0-9]([a-z0-9.-]{0,126}[a-z0-9])?`.
    AgentName, "the agent's name", 128, |byte| byte == b'-' || byte == b'.',
    "1 to 128 characters of a-z, 0-9, '.' and '-', the first and last of them a letter or digit"
);

impl Default for Fleet {
    fn default() -> Self {
        Self("default".into())
    }
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident, $make:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A new one, like no other.
            #[must_use]
            #[expect(clippy::new_without_default, reason = "two of them are never equal, so none is the default")]
            pub fn new() -> Self {
                Self($make)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

uuid_id!(
    /// A store, made once with it: a store that was emptied comes back as another.
    StoreId,
    Uuid::new_v4()
);
uuid_id!(
    /// A rollout: one push or one delete. A later one compares greater.
    RolloutId,
    Uuid::now_v7()
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_refused_at_every_edge_of_their_rule() {
        for good in ["a", "node-7", "node-7.eu.example", "0", &"a".repeat(128)] {
            assert!(good.parse::<AgentName>().is_ok(), "{good}");
        }
        for bad in ["", "-a", "a-", ".a", "a.", "A", "a_b", "a b", "a\n", "ä", &"a".repeat(129)] {
            assert!(bad.parse::<AgentName>().is_err(), "{bad}");
        }
        assert!("a.b".parse::<Fleet>().is_err());
        assert!("a".repeat(33).parse::<Fleet>().is_err());
    }

    #[test]
    fn a_refused_name_is_refused_in_json_too() {
        assert!(serde_json::from_str::<AgentName>("\"Node\"").is_err());
        assert_eq!(serde_json::to_string(&Fleet::default()).unwrap(), "\"default\"");
    }
}
