//! Makes the spans of both sides of a call spans of one trace in OpenTelemetry, as far as a subscriber collects it.

use super::TraceParent;
use opentelemetry::{
    Context,
    trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState},
};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// Puts the span of a call below what it inherits, and says what its request sends along.
///
/// What a handler does on its way to a call may have spans of its own. Where one of those is around the call already, it
/// is the nearer parent, and stays it.
pub(super) fn join_calling(span: &Span, inherited: Option<TraceParent>) -> Option<TraceParent> {
    let around = shown_of(&Span::current()).map(|around| around.trace);
    join(span, inherited.filter(|inherited| around != Some(inherited.trace)))
}

/// Puts the span of a request's handling below the call's, and says what its own calls inherit.
pub(super) fn join_handling(span: &Span, calling: Option<TraceParent>) -> Option<TraceParent> {
    join(span, calling)
}

fn join(span: &Span, parent: Option<TraceParent>) -> Option<TraceParent> {
    if let Some(parent) = parent {
        // It fails where nobody collects this span: then there is nothing to join.
        let _ = span.set_parent(Context::new().with_remote_span_context(parent.into()));
    }
    shown_of(span)
}

/// The span as OpenTelemetry shows it; none when nobody collects it.
fn shown_of(span: &Span) -> Option<TraceParent> {
    let context = span.context();
    let shown = context.span().span_context().clone();
    shown.is_valid().then(|| TraceParent {
        trace: u128::from_be_bytes(shown.trace_id().to_bytes()),
        span: u64::from_be_bytes(shown.span_id().to_bytes()),
        sampled: shown.is_sampled(),
    })
}

impl From<TraceParent> for SpanContext {
    fn from(parent: TraceParent) -> Self {
        let flags = if parent.sampled { TraceFlags::SAMPLED } else { TraceFlags::NOT_SAMPLED };
        let (trace, span) = (TraceId::from(parent.trace), SpanId::from(parent.span));
        Self::new(trace, span, flags, true, TraceState::NONE)
    }
}
