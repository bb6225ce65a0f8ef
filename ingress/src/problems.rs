//! Collects what is wrong with one document, up to a bound.

use crate::document_errors::{DocumentError, DocumentErrors};
use crate::tree::{Position, Step, show_path};

/// The findings so far; the first [`DocumentErrors::MAX`] are kept and the others counted.
#[derive(Default)]
pub(crate) struct Problems {
    kept: Vec<DocumentError>,
    omitted: usize,
}

impl Problems {
    /// Adds a finding; `steps` and `message` are built only if it is kept.
    pub(crate) fn add(
        &mut self,
        position: Option<Position>,
        steps: impl FnOnce() -> Vec<Step>,
        message: impl FnOnce() -> String,
    ) {
        if self.kept.len() == DocumentErrors::MAX {
            self.omitted += 1;
            return;
        }
        self.kept.push(DocumentError {
            path: show_path(&steps()),
            line: position.map(|position| position.line),
            column: position.map(|position| position.column),
            message: message(),
        });
    }

    /// `value`, unless there were findings.
    pub(crate) fn or<T>(self, value: Option<T>) -> Result<Option<T>, DocumentErrors> {
        if self.kept.is_empty() { Ok(value) } else { Err(DocumentErrors::new(self.kept, self.omitted)) }
    }
}
