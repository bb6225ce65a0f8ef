//! The list of what is wrong with a document, one line for each finding.

use std::fmt;

/// One finding: where, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentError {
    /// The field, as in `spec.rules[0].http.paths[1].path`; `document` for the text as a whole.
    pub path: String,
    /// Line from 1, when the text's positions are known (YAML; in JSON for syntax only).
    pub line: Option<u32>,
    /// Column from 1, in characters.
    pub column: Option<u32>,
    /// What is wrong and what to write instead.
    pub message: String,
}

impl fmt::Display for DocumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Some(line), Some(column)) = (self.line, self.column) {
            write!(f, "{line}:{column}: ")?;
        }
        write!(f, "{}: {}", self.path, self.message)
    }
}

/// What is wrong with a document: at least one finding, at most [`DocumentErrors::MAX`], the rest only counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentErrors {
    errors: Vec<DocumentError>,
    omitted: usize,
}

impl DocumentErrors {
    /// The most findings that are listed.
    pub const MAX: usize = 20;

    /// A list of one.
    pub(crate) fn one(error: DocumentError) -> Self {
        Self { errors: vec![error], omitted: 0 }
    }

    /// The findings of which the first `MAX` are kept.
    pub(crate) fn new(errors: Vec<DocumentError>, omitted: usize) -> Self {
        Self { errors, omitted }
    }

    /// The findings, in the order of the document where it is known.
    pub fn iter(&self) -> impl Iterator<Item = &DocumentError> {
        self.errors.iter()
    }

    /// The same as a slice.
    pub fn errors(&self) -> &[DocumentError] {
        &self.errors
    }

    /// How many findings were left out of the list.
    pub fn omitted(&self) -> usize {
        self.omitted
    }
}

impl fmt::Display for DocumentErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.errors.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{error}")?;
        }
        if self.omitted > 0 {
            write!(f, "\nand {} more", self.omitted)?;
        }
        Ok(())
    }
}

impl std::error::Error for DocumentErrors {}
