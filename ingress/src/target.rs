//! A backend and the document that it belongs to.

use crate::config::Backend;
use crate::name::{BackendName, ConfigName};

/// A backend and the document that it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target<'a> {
    /// The document.
    pub config: &'a ConfigName,
    /// Its backend.
    pub backend: &'a Backend,
}

impl<'a> Target<'a> {
    /// The backend under the two names that no other backend of a fleet has.
    pub(crate) fn keyed(self) -> ((&'a ConfigName, &'a BackendName), &'a Backend) {
        ((self.config, self.backend.name()), self.backend)
    }
}
