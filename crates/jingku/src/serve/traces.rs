//! Traces of requests and jobs, sent to an OpenTelemetry collector.

use std::env;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use jingku_library::TelemetrySettings;
use jingku_server::REQUEST_SPAN;
use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider;
use opentelemetry_http::{HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{
    OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, SpanExporter, WithExportConfig,
    WithHttpConfig,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::runtime::Handle;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::registry::LookupSpan;

use crate::failure::{Exit, Failure};
use crate::messages::tr;

const SERVICE: &str = "jingku";
/// Where a collector takes traces, below its base URL.
const PATH: &str = "/v1/traces";
/// How long the collector has to take one batch. The next one waits, and spans beyond the queue are dropped.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the last batch may take when the server stops.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);

/// Sends spans in batches, from its own thread.
pub(super) struct Traces(SdkTracerProvider);

impl Traces {
    /// Starts to send to the collector that the environment or the configuration names; `None` if neither does. Must be
    /// called in a runtime.
    pub(super) fn start(settings: &TelemetrySettings) -> Result<Option<Self>, Failure> {
        let set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
        let in_environment = set(OTEL_EXPORTER_OTLP_ENDPOINT) || set(OTEL_EXPORTER_OTLP_TRACES_ENDPOINT);
        let configured = settings.otlp.as_ref().filter(|_| !in_environment);
        if !in_environment && configured.is_none() {
            return Ok(None);
        }
        let client = reqwest::Client::builder().timeout(SEND_TIMEOUT).build().map_err(Failure::fault)?;
        let sender = Sender { client, runtime: Handle::current(), failing: AtomicBool::new(false) };
        let mut exporter = SpanExporter::builder().with_http().with_http_client(sender);
        if let Some(url) = configured {
            exporter = exporter.with_endpoint(format!("{}{PATH}", url.trim_end_matches('/')));
        }
        let exporter = exporter.build().map_err(|error| {
            Failure::new(Exit::Usage, tr!("serve-bad-collector", error = error.to_string()))
        })?;
        let mut resource =
            Resource::builder().with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
        if !set("OTEL_SERVICE_NAME") {
            resource = resource.with_service_name(SERVICE);
        }
        let provider = SdkTracerProvider::builder()
            .with_resource(resource.build())
            .with_batch_exporter(exporter)
            .build();
        Ok(Some(Self(provider)))
    }

    /// What makes spans of requests and jobs those of traces.
    pub(super) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: tracing::Subscriber + for<'a> LookupSpan<'a>,
    {
        let ours = ["jingku", "jingku_library", "jingku_server"].map(|target| (target, LevelFilter::INFO));
        let layer = tracing_opentelemetry::layer().with_tracer(self.0.tracer(SERVICE));
        let layer = layer.with_location(false).with_threads(false).with_tracked_inactivity(false);
        layer.with_filter(Targets::from_iter(ours).with_target(REQUEST_SPAN, LevelFilter::DEBUG))
    }

    /// Sends what is left, for a short time.
    pub(super) async fn stop(self) {
        // The process ends: a collector that does not answer loses the last spans.
        let _ = tokio::task::spawn_blocking(move || self.0.shutdown_with_timeout(STOP_TIMEOUT)).await;
    }
}

/// Sends batches with the HTTP client of this program, on its runtime: the thread that makes them has none.
#[derive(Debug)]
struct Sender {
    client: reqwest::Client,
    runtime: Handle,
    /// Whether the last batch was lost, so that the log says it once.
    failing: AtomicBool,
}

#[async_trait]
impl HttpClient for Sender {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        let sent = self.runtime.spawn(async move { client.execute(request.try_into()?).await }).await?;
        let sent = sent.and_then(reqwest::Response::error_for_status);
        let was_failing = self.failing.swap(sent.is_err(), Ordering::Relaxed);
        match &sent {
            Err(error) if !was_failing => {
                tracing::warn!(
                    error = error as &dyn std::error::Error,
                    "cannot send traces: they are dropped"
                );
            }
            Ok(_) if was_failing => tracing::info!("traces are sent again"),
            _ => {}
        }
        let mut response = Response::new(Bytes::new());
        // A body would say which spans the collector rejects; nothing could be done about it.
        *response.status_mut() = sent?.status();
        Ok(response)
    }
}
