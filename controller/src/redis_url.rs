//! Where Redis is: an address that never shows its password.

use std::{fmt, str::FromStr};
use url::Url;

/// Redis's own port.
const DEFAULT_PORT: u16 = 6379;

/// `redis://[USER[:PASSWORD]@]HOST[:PORT][/DATABASE]`. Shown without user and password.
#[derive(Clone, PartialEq, Eq)]
pub struct RedisUrl(Url);

/// Why an address is refused; never with the address, which may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RedisUrlError {
    /// It is no URL at all, or of something else.
    #[error("write redis://HOST:PORT/DATABASE")]
    NotRedis,
    /// It asks for TLS.
    #[error(
        "rediss:// needs TLS to Redis, which this build does not have: use redis:// to a tunnel that has"
    )]
    Tls,
    /// It has no host.
    #[error("the host is missing: write redis://HOST:PORT/DATABASE")]
    NoHost,
    /// What stands behind the host is no number.
    #[error("the database must be a number, as in redis://HOST:PORT/0")]
    Database,
    /// It has a `?query` or a `#fragment`.
    #[error("nothing may follow the database: write redis://HOST:PORT/DATABASE")]
    Trailing,
}

impl RedisUrl {
    /// `HOST:PORT`
    #[must_use]
    pub fn host(&self) -> String {
        format!("{}:{}", self.0.host_str().unwrap_or_default(), self.0.port().unwrap_or(DEFAULT_PORT))
    }

    /// The whole address, with the password: to connect with, and for nothing else.
    #[must_use]
    pub(crate) fn with_password(&self) -> &Url {
        &self.0
    }

    fn database(&self) -> Option<u32> {
        parse_database(&self.0)
    }
}

impl FromStr for RedisUrl {
    type Err = RedisUrlError;

    fn from_str(text: &str) -> Result<Self, RedisUrlError> {
        let url = Url::parse(text).map_err(|error| match error {
            url::ParseError::EmptyHost => RedisUrlError::NoHost,
            _ => RedisUrlError::NotRedis,
        })?;
        match url.scheme() {
            "redis" => {}
            "rediss" => return Err(RedisUrlError::Tls),
            _ => return Err(RedisUrlError::NotRedis),
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(RedisUrlError::NoHost);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(RedisUrlError::Trailing);
        }
        parse_database(&url).ok_or(RedisUrlError::Database)?;
        Ok(Self(url))
    }
}

fn parse_database(url: &Url) -> Option<u32> {
    match url.path().trim_matches('/') {
        "" => Some(0),
        digits => digits.parse().ok(),
    }
}

impl fmt::Display for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "redis://{}/{}", self.host(), self.database().unwrap_or_default())
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedisUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_user_and_password() {
        let url: RedisUrl = "redis://operator:hunter2@redis.example:6380/3".parse().unwrap();
        assert_eq!(url.to_string(), "redis://redis.example:6380/3");
        assert_eq!(format!("{url:?}"), "RedisUrl(redis://redis.example:6380/3)");
        assert_eq!(url.with_password().password(), Some("hunter2"));
    }

    #[test]
    fn port_and_database_have_defaults() {
        for text in
            ["redis://127.0.0.1", "redis://127.0.0.1/", "redis://127.0.0.1:6379/0", "redis://:pw@127.0.0.1"]
        {
            let url: RedisUrl = text.parse().unwrap();
            assert_eq!(url.to_string(), "redis://127.0.0.1:6379/0", "{text}");
        }
        assert_eq!("redis://[::1]:7000".parse::<RedisUrl>().unwrap().host(), "[::1]:7000");
    }

    #[test]
    fn what_is_refused_says_why_and_not_what() {
        let cases = [
            ("hunter2", RedisUrlError::NotRedis),
            ("", RedisUrlError::NotRedis),
            ("amqp://hunter2@host/", RedisUrlError::NotRedis),
            ("unix:///run/redis.sock", RedisUrlError::NotRedis),
            ("rediss://:hunter2@host/", RedisUrlError::Tls),
            ("redis://:hunter2@/0", RedisUrlError::NoHost),
            ("redis:///0", RedisUrlError::NoHost),
            ("redis:0", RedisUrlError::NoHost),
            ("redis://host/hunter2", RedisUrlError::Database),
            ("redis://host/-1", RedisUrlError::Database),
            ("redis://host:99999/", RedisUrlError::NotRedis),
            ("redis://host/0?protocol=resp3", RedisUrlError::Trailing),
            ("redis://host/0#insecure", RedisUrlError::Trailing),
        ];
        for (text, expected) in cases {
            let error = text.parse::<RedisUrl>().unwrap_err();
            assert_eq!(error, expected, "{text}");
            assert!(!format!("{error} {error:?}").contains("hunter2"));
        }
    }
}
