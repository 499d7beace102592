//! The trace that a request belongs to.

use axum::http::HeaderMap;
use opentelemetry::Context;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry_http::HeaderExtractor;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

const TRACEPARENT: &str = "traceparent";

/// What the header `traceparent` of a trusted proxy says (W3C Trace Context).
#[derive(Clone)]
pub(crate) struct TraceParent(Context);

impl TraceParent {
    pub(crate) fn read(headers: &HeaderMap) -> Option<Self> {
        headers.get(TRACEPARENT)?;
        Some(Self(TraceContextPropagator::new().extract(&HeaderExtractor(headers))))
    }

    /// Makes a span a part of the trace.
    pub(crate) fn adopt(&self, span: &Span) {
        // Fails if the server sends no traces.
        let _ = span.set_parent(self.0.clone());
    }
}
