//! A controller's URL, which never shows the password it may hold.

use std::{fmt, str::FromStr};
use url::Url;

/// Where a controller listens: `http` or `https`, with a path when it sits behind a proxy.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct ServerUrl(Url);

/// Why a text is no such URL. It shows the text without what may be a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{shown:?} is not a controller's URL ({why}): write it as in http://127.0.0.1:7400")]
pub(crate) struct ServerUrlError {
    shown: String,
    why: String,
}

impl ServerUrl {
    pub(crate) fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// The URL of a resource there. User and password are part of it.
    pub(super) fn at(&self, path: &[&str]) -> Url {
        let mut url = self.0.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        url
    }

    /// The same without user and password.
    pub(super) fn without_credentials(&self) -> Self {
        let mut url = self.0.clone();
        // Neither can fail: an http URL has a host.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        Self(url)
    }
}

impl FromStr for ServerUrl {
    type Err = ServerUrlError;

    fn from_str(text: &str) -> Result<Self, ServerUrlError> {
        let refuse = |why: String| ServerUrlError { shown: without_password(text), why };
        let url = Url::parse(text).map_err(|error| refuse(error.to_string()))?;
        match url.scheme() {
            "http" | "https" => {}
            // `localhost:7400` parses: as the scheme `localhost`.
            _ => return Err(refuse("it does not begin with http:// or https://".to_owned())),
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(refuse("it has a query or a fragment".to_owned()));
        }
        Ok(Self(url))
    }
}

/// What stands behind the last `@`, if there is one.
fn without_password(text: &str) -> String {
    match text.rsplit_once('@') {
        Some((_, host)) => format!("…@{host}"),
        None => text.to_owned(),
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.without_credentials().0.as_str().trim_end_matches('/'))
    }
}

impl fmt::Debug for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_http_is_refused() {
        for bad in [
            "",
            "localhost:7400",
            "10.0.0.5",
            "ftp://host",
            "http://",
            "http://host:99999",
            "http://host/?a=b",
        ] {
            assert!(bad.parse::<ServerUrl>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_password_is_sent_and_never_shown() {
        let server: ServerUrl = "http://me:secret@host:7400/behind/".parse().unwrap();
        assert_eq!(server.to_string(), "http://host:7400/behind");
        assert_eq!(format!("{server:?}"), "http://host:7400/behind");
        assert_eq!(server.at(&["v1", "configs"]).as_str(), "http://me:secret@host:7400/behind/v1/configs");
    }
}
