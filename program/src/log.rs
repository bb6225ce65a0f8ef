//! The log: lines on stderr, filtered by what the user asks for.

mod seldom;

pub use seldom::Seldom;

use std::io::{self, IsTerminal};
use tracing_subscriber::{EnvFilter, filter::ParseError};

/// Opens the log. `filter` is in the syntax of `tracing`'s `EnvFilter`; `always` are directives that the program
/// insists on.
///
/// # Errors
/// When a directive cannot be read.
pub fn open(filter: &str, always: &[&str]) -> Result<(), ParseError> {
    let mut filter = EnvFilter::try_new(filter)?;
    for directive in always {
        filter = filter.add_directive(directive.parse()?);
    }
    let colour = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    // A second log in one process is a test's, and keeps the first.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(colour)
        .with_writer(io::stderr)
        .try_init();
    Ok(())
}
