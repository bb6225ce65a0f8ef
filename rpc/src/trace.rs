//! W3C trace context: what joins the spans of one call on both sides of the broker.

#[cfg(feature = "opentelemetry")]
mod opentelemetry;

#[cfg(feature = "opentelemetry")]
use self::opentelemetry::{join_calling, join_handling};
use crate::{Address, Message};
use std::{fmt, str::FromStr};
use tracing::{Span, field};

/// Which trace something belongs to, and which span caused it: the header `traceparent` of W3C Trace Context.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TraceParent {
    trace: u128,
    span: u64,
    sampled: bool,
}

/// Why a `traceparent` was not understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a traceparent such as 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")]
pub struct TraceParentError;

impl TraceParent {
    /// The beginning of a new trace.
    #[must_use]
    pub fn new() -> Self {
        Self {
            trace: rand::random_range(1..=u128::MAX),
            span: rand::random_range(1..=u64::MAX),
            sampled: true,
        }
    }

    /// Another span of the same trace.
    #[must_use]
    pub fn child(self) -> Self {
        Self { span: rand::random_range(1..=u64::MAX), ..self }
    }

    /// The trace's id, 32 hexadecimal digits.
    #[must_use]
    pub fn trace_id(self) -> String {
        format!("{:032x}", self.trace)
    }

    /// The span's id, 16 hexadecimal digits.
    #[must_use]
    pub fn span_id(self) -> String {
        format!("{:016x}", self.span)
    }
}

impl Default for TraceParent {
    fn default() -> Self {
        Self::new()
    }
}

impl FromStr for TraceParent {
    type Err = TraceParentError;

    /// Of any version that begins as version 00 does.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.split('-');
        let mut hex = |digits: usize| {
            let part = parts.next().filter(|part| part.len() == digits)?;
            let lower = part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
            u128::from_str_radix(part, 16).ok().filter(|_| lower)
        };
        let (version, trace, span, flags) = (hex(2), hex(32), hex(16), hex(2));
        let known = version.is_some_and(|version| version != 0xff && (version > 0 || parts.next().is_none()));
        let (Some(trace @ 1..), Some(span @ 1..), Some(flags), true) = (trace, span, flags, known) else {
            return Err(TraceParentError);
        };
        let span = u64::try_from(span).map_err(|_| TraceParentError)?;
        Ok(Self { trace, span, sampled: flags & 1 == 1 })
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace, self.span, u8::from(self.sampled))
    }
}

impl fmt::Debug for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The span of a call, and what it sends along. A call that no subscriber looks at begins no trace.
pub(crate) fn calling(
    method: &str,
    address: &Address,
    parent: Option<TraceParent>,
) -> (Span, Option<TraceParent>) {
    let span = tracing::debug_span!(
        "call",
        otel.name = method,
        otel.kind = "client",
        method,
        %address,
        trace_id = field::Empty,
        span_id = field::Empty
    );
    let begun = || (!span.is_disabled()).then(TraceParent::new);
    let joined = join_calling(&span, parent);
    let trace = joined.or_else(|| parent.map(TraceParent::child)).or_else(begun);
    show(&span, trace);
    (span, trace)
}

/// The span of a request's handling, and what its own calls are caused by.
pub(crate) fn handling(method: &str, request: &Message) -> (Span, Option<TraceParent>) {
    let span = tracing::debug_span!(
        "handle",
        otel.name = method,
        otel.kind = "server",
        method,
        trace_id = field::Empty,
        span_id = field::Empty,
        parent_id = field::Empty
    );
    let trace = join_handling(&span, request.trace).or_else(|| request.trace.map(TraceParent::child));
    if let Some(parent) = request.trace {
        span.record("parent_id", parent.span_id());
    }
    show(&span, trace);
    (span, trace)
}

/// Nobody collects spans: there is nothing to join.
#[cfg(not(feature = "opentelemetry"))]
fn join_calling(_: &Span, _: Option<TraceParent>) -> Option<TraceParent> {
    None
}

#[cfg(not(feature = "opentelemetry"))]
fn join_handling(_: &Span, _: Option<TraceParent>) -> Option<TraceParent> {
    None
}

fn show(span: &Span, trace: Option<TraceParent>) {
    if let (Some(trace), false) = (trace, span.is_disabled()) {
        span.record("trace_id", trace.trace_id());
        span.record("span_id", trace.span_id());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traceparent_reads_as_it_was_written() {
        let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let read: TraceParent = text.parse().expect("a good one");
        assert_eq!(read.to_string(), text);
        let child = read.child();
        assert_eq!(child.trace_id(), read.trace_id());
        assert_ne!(child.span_id(), read.span_id());
    }

    #[test]
    fn what_is_no_traceparent_is_none() {
        for bad in [
            "",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert_eq!(bad.parse::<TraceParent>(), Err(TraceParentError), "{bad}");
        }
        let newer = "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more";
        assert!(newer.parse::<TraceParent>().is_ok());
    }
}
