//! The log: lines on stderr, filtered by what the user asks for.

mod seldom;

pub use seldom::Seldom;

use std::io::{self, IsTerminal};
use tracing::{Level, Metadata};
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    filter::{FilterExt, ParseError, filter_fn},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

/// Opens the log. `filter` is in the syntax of `tracing`'s `EnvFilter`; `always` are directives that the program
/// insists on. Of `untraced`, crates whose traces hold secrets, no trace is written, whatever `filter` says.
///
/// # Errors
/// When a directive cannot be read.
pub fn open(filter: &str, always: &[&str], untraced: &'static [&'static str]) -> Result<(), ParseError> {
    let mut filter = EnvFilter::try_new(filter)?;
    for directive in always {
        filter = filter.add_directive(directive.parse()?);
    }
    let colour = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    // A second log in one process is a test's, and keeps the first.
    let lines = tracing_subscriber::fmt::layer().with_ansi(colour).with_writer(io::stderr);
    let allowed = filter_fn(move |event| !is_trace_of(event, untraced));
    let _ = Registry::default().with(lines.with_filter(filter.and(allowed))).try_init();
    Ok(())
}

fn is_trace_of(event: &Metadata<'_>, crates: &[&str]) -> bool {
    // A crate's name may stand in the module's path or, under a target of its own, alone.
    let within = |path: Option<&str>| {
        path.and_then(|path| path.split("::").next()).is_some_and(|it| crates.contains(&it))
    };
    *event.level() == Level::TRACE && (within(Some(event.target())) || within(event.module_path()))
}
