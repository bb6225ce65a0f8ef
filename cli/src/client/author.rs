//! Who makes a change, as the history shows it.

use reqwest::header::HeaderValue;
use std::{env, fmt, fs, str::FromStr};

/// The author of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Author(String);

/// Why a text is no author.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write 1 to 128 characters without control characters")]
pub(crate) struct AuthorError;

impl Author {
    pub(super) fn as_header(&self) -> HeaderValue {
        // The constructor lets nothing through that a header could not hold.
        HeaderValue::from_bytes(self.0.as_bytes()).unwrap_or(HeaderValue::from_static("unknown"))
    }
}

impl FromStr for Author {
    type Err = AuthorError;

    fn from_str(text: &str) -> Result<Self, AuthorError> {
        let text = text.trim();
        let well_formed =
            !text.is_empty() && text.chars().count() <= 128 && !text.chars().any(char::is_control);
        if well_formed { Ok(Self(text.to_owned())) } else { Err(AuthorError) }
    }
}

impl Default for Author {
    /// `user@host`.
    fn default() -> Self {
        let system = rustix::system::uname();
        let host = system.nodename().to_string_lossy();
        format!("{}@{host}", user()).parse().unwrap_or_else(|_| Self("unknown".to_owned()))
    }
}

/// The user's name; a job without a login shell has it in the user database only.
fn user() -> String {
    let named = |variable| env::var(variable).ok().filter(|user| !user.is_empty());
    let uid = rustix::process::getuid().as_raw();
    let database = || fs::read_to_string("/etc/passwd").ok().and_then(|database| name_of(uid, &database));
    named("USER").or_else(|| named("LOGNAME")).or_else(database).unwrap_or_else(|| format!("uid-{uid}"))
}

fn name_of(uid: u32, database: &str) -> Option<String> {
    let fields = database.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let uid = uid.to_string();
    fields.into_iter().find_map(|fields| match fields.as_slice() {
        [name, _, its_uid, ..] if *its_uid == uid => Some((*name).to_owned()),
        _ => None,
    })
}

impl fmt::Display for Author {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_author_fits_into_a_header() {
        let author: Author = " Jürgen@büro ".parse().unwrap();
        assert_eq!(author.as_header().as_bytes(), "Jürgen@büro".as_bytes());
        for bad in ["", " ", "a\nb", "a\u{7f}", &"a".repeat(129)] {
            assert!(bad.parse::<Author>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_user_has_the_name_that_the_database_gives() {
        let database = "root:x:0:0:root:/root:/bin/sh\n\nann:x:1000:1000::/home/ann:/bin/sh\n";
        assert_eq!(name_of(1000, database).as_deref(), Some("ann"));
        assert_eq!(name_of(100, database), None);
    }

    #[test]
    fn the_default_author_is_a_user_at_a_host() {
        assert!(Author::default().to_string().contains('@'));
    }
}
