//! Who the client says it is.

use super::ServerUrl;
use anyhow::{Context, bail};
use reqwest::{
    RequestBuilder,
    header::{AUTHORIZATION, HeaderValue},
};
use std::{fs, path::Path};
use url::Url;

/// What opens the API.
pub(crate) enum Access {
    /// Nothing, or what the URL holds.
    Open,
    /// An API key, as the value of its header.
    Key(HeaderValue),
}

impl Access {
    /// The first key that a file holds: the controllers' own file will do, whose later keys are those that are on their
    /// way out. It is never shown, not even in part.
    pub(crate) fn by_key_in(file: &Path) -> anyhow::Result<Self> {
        let shown = file.display();
        let text =
            fs::read_to_string(file).with_context(|| format!("cannot read the API key file {shown}"))?;
        let mut lines = text.lines().map(str::trim);
        let key = lines.find(|line| !line.is_empty() && !line.starts_with('#')).unwrap_or_default();
        if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            bail!("the API key file {shown} must hold a key of visible ASCII characters");
        }
        let mut value = HeaderValue::try_from(format!("Bearer {key}"))?;
        value.set_sensitive(true);
        Ok(Self::Key(value))
    }

    /// The URL of a resource. User and password are one header with the key, which goes before them.
    pub(super) fn url(&self, server: &ServerUrl, path: &[&str]) -> Url {
        match self {
            Self::Open => server.at(path),
            Self::Key(_) => server.without_credentials().at(path),
        }
    }

    /// Adds the key, if there is one.
    pub(super) fn identify(&self, builder: RequestBuilder) -> RequestBuilder {
        match self {
            Self::Open => builder,
            Self::Key(value) => builder.header(AUTHORIZATION, value.clone()),
        }
    }
}
