//! Why a controller did not do what it was asked.

use crate::report::printable;
use bellwether_proto::http::{FieldError, Problem};
use reqwest::StatusCode;
use std::fmt;

/// Every way in which a request can end other than well.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Nothing was sent.
    #[error(
        "cannot connect to {attempts}; is the controller running? start one with `bellwether dev` or name another \
         with --server"
    )]
    Unreachable {
        /// Each server, and why it could not be reached.
        attempts: String,
    },
    /// It was sent, or may have been; what became of it is not known.
    #[error("no answer from {server}: {cause}")]
    NoAnswer { server: String, cause: String },
    /// The controller says no.
    #[error("{}", Refusal(.problem))]
    Refused { status: StatusCode, problem: Problem },
    /// What answered does not speak as a controller of this version does.
    #[error(
        "the answer of {server} is not a controller's ({what}); does the URL lead to one of this version?"
    )]
    Odd { server: String, what: String },
}

impl Error {
    /// Whether it is about this one document, so that others may still be pushed.
    pub(crate) fn concerns_the_document(&self) -> bool {
        match self {
            Self::Refused { status, .. } => matches!(status.as_u16(), 400 | 404 | 409 | 413 | 422),
            Self::Unreachable { .. } | Self::NoAnswer { .. } | Self::Odd { .. } => false,
        }
    }

    /// Whether the same question may be answered a moment later or by another controller.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::NoAnswer { .. } => true,
            Self::Refused { status, .. } => matches!(status.as_u16(), 502..=504),
            Self::Odd { .. } => false,
        }
    }
}

/// One line, then one for each field at fault that is not part of it.
struct Refusal<'a>(&'a Problem);

impl fmt::Display for Refusal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Problem { status, title, detail, errors } = self.0;
        // A detail of several lines is the list of the fields once more.
        let is_list = detail.contains('\n') && !errors.is_empty();
        let line = if detail.is_empty() || is_list {
            format!("{title} ({status})")
        } else {
            format!("{detail} ({status} {title})")
        };
        write!(f, "{}", printable(&line))?;
        for FieldError { path, message, .. } in errors {
            match (line.contains(path), line.contains(message)) {
                (true, true) => {}
                (false, true) => write!(f, "\n  at {}", printable(path))?,
                _ => write!(f, "\n  {}: {}", printable(path), printable(message))?,
            }
        }
        Ok(())
    }
}

/// What lies at the bottom of an error: the layers above name the URL, which may hold a password.
pub(super) fn cause(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "it took too long".to_owned();
    }
    let mut bottom: &dyn std::error::Error = error;
    while let Some(below) = bottom.source() {
        bottom = below;
    }
    match bottom.downcast_ref::<reqwest::Error>() {
        Some(_) => "the request failed".to_owned(),
        None => bottom.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: StatusCode, detail: &str, errors: Vec<FieldError>) -> Error {
        let title = status.canonical_reason().unwrap_or_default().to_owned();
        Error::Refused {
            status,
            problem: Problem { status: status.as_u16(), title, detail: detail.into(), errors },
        }
    }

    #[test]
    fn a_refusal_is_one_line_and_one_for_each_field() {
        let field = FieldError {
            path: "spec.rules[0].host".into(),
            line: None,
            column: None,
            message: "no IP".into(),
        };
        let error = refused(StatusCode::UNPROCESSABLE_ENTITY, "the document breaks a rule", vec![field]);
        let lines = "the document breaks a rule (422 Unprocessable Entity)\n  spec.rules[0].host: no IP";
        assert_eq!(error.to_string(), lines);
        assert_eq!(refused(StatusCode::CONFLICT, "", Vec::new()).to_string(), "Conflict (409)");
    }

    #[test]
    fn what_the_line_says_is_not_said_again() {
        let fields = |paths: &[&str]| -> Vec<_> {
            let field = |path: &&str| FieldError {
                path: (*path).to_owned(),
                line: None,
                column: None,
                message: "is taken by blog".to_owned(),
            };
            paths.iter().map(field).collect()
        };
        let shown = |detail, paths| refused(StatusCode::CONFLICT, detail, fields(paths)).to_string();
        assert_eq!(shown("spec.a: is taken by blog", &["spec.a"]), "spec.a: is taken by blog (409 Conflict)");
        assert_eq!(
            shown("a is taken by blog", &["spec.a"]),
            "a is taken by blog (409 Conflict)\n  at spec.a"
        );
        assert_eq!(
            shown("a: is taken by blog\nb: is taken by blog", &["spec.a", "spec.b"]),
            "Conflict (409)\n  spec.a: is taken by blog\n  spec.b: is taken by blog"
        );
    }

    #[test]
    fn a_clash_stops_one_document_and_a_missing_store_stops_all() {
        assert!(refused(StatusCode::CONFLICT, "", Vec::new()).concerns_the_document());
        assert!(!refused(StatusCode::SERVICE_UNAVAILABLE, "", Vec::new()).concerns_the_document());
        assert!(refused(StatusCode::SERVICE_UNAVAILABLE, "", Vec::new()).may_pass());
        assert!(!refused(StatusCode::NOT_FOUND, "", Vec::new()).may_pass());
    }
}
