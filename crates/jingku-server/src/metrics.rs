//! Counters and measurements of a running server, in the text format of Prometheus.

use std::sync::Mutex;
use std::time::Duration;

use jingku_library::{Gauges, lock};
use jingku_protocol::actions::Action;
use jingku_protocol::{Class, RetCode};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Upper bounds of the classes of response times, in seconds.
const SECONDS: [f64; 9] = [0.0005, 0.001, 0.0025, 0.01, 0.05, 0.25, 1.0, 5.0, 30.0];

/// The metrics of one server.
pub(crate) struct Metrics {
    requests: Family<RequestLabels, Counter>,
    seconds: Family<ActionLabel, Histogram, fn() -> Histogram>,
    /// All API requests, and those that failed because of the server. Part of `requests`.
    pub(crate) answers: Counter,
    pub(crate) faults: Counter,
    pub(crate) connections: ConnectionMetrics,
    library: LibraryMetrics,
    /// All of them. Locked while the library's gauges are set and everything is written.
    registry: Mutex<Registry>,
}

/// What happens below HTTP. Clones count together.
#[derive(Clone, Default)]
pub struct ConnectionMetrics {
    pub(crate) open: Gauge,
    pub(crate) reserved: Gauge,
    pub(crate) evicted: Counter,
    pub(crate) failed_handshakes: Counter,
    pub(crate) received_bytes: Counter,
    pub(crate) sent_bytes: Counter,
}

#[derive(Default)]
struct LibraryMetrics {
    accounts: Gauge,
    images: Gauge,
    uploads: Gauge,
    waiting_jobs: Gauge,
    running_jobs: Gauge,
    oldest_waiting_seconds: Gauge,
    ended_jobs: Family<OutcomeLabel, Counter>,
    catalog_bytes: Gauge,
    free_bytes: Gauge,
    sweep_ended_at: Gauge,
    scrub_ended_at: Gauge,
    scrub_percent: Gauge,
    damaged_objects: Gauge,
    task_restarts: Counter,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RequestLabels {
    action: &'static str,
    ret_code: i64,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ActionLabel {
    action: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OutcomeLabel {
    outcome: &'static str,
}

impl Default for Metrics {
    fn default() -> Self {
        let metrics = Self {
            requests: Family::default(),
            seconds: Family::new_with_constructor(|| Histogram::new(SECONDS)),
            answers: Counter::default(),
            faults: Counter::default(),
            connections: ConnectionMetrics::default(),
            library: LibraryMetrics::default(),
            registry: Mutex::new(Registry::with_prefix("jingku")),
        };
        metrics.register();
        metrics
    }
}

impl Metrics {
    fn register(&self) {
        let mut registry = lock(&self.registry);
        registry.register("requests", "API requests by action and return code", self.requests.clone());
        registry.register(
            "request_seconds",
            "Time from a request's head to its answer",
            self.seconds.clone(),
        );
        self.connections.register(&mut registry);
        self.library.register(&mut registry);
    }

    /// Counts an API request. Without an action, its name was missing or unknown.
    pub(crate) fn answered(&self, action: Option<Action>, ret_code: i64, time: Duration) {
        let action = action.map_or("none", Action::name);
        self.answers.inc();
        if RetCode::from_code(ret_code).is_some_and(|code| code.class() == Class::ServiceFault) {
            self.faults.inc();
        }
        self.requests.get_or_create(&RequestLabels { action, ret_code }).inc();
        self.seconds.get_or_create(&ActionLabel { action }).observe(time.as_secs_f64());
    }

    /// Everything as text, with the library's present state.
    pub(crate) fn text(&self, gauges: &Gauges, made: u64, failed: u64, restarts: u64) -> String {
        let registry = lock(&self.registry);
        self.library.set(gauges, made, failed, restarts);
        let mut text = String::new();
        encode(&mut text, &registry).expect("a String can be written to");
        text
    }
}

impl ConnectionMetrics {
    fn register(&self, registry: &mut Registry) {
        registry.register("connections", "Open connections", self.open.clone());
        let text = "Connections beyond the limit, which only health checks can use";
        registry.register("reserved_connections", text, self.reserved.clone());
        registry.register("evicted_connections", "Connections closed to free a place", self.evicted.clone());
        let text = "Connections without a TLS handshake or PROXY header in time";
        registry.register("failed_handshakes", text, self.failed_handshakes.clone());
        registry.register("received_bytes", "Bytes received, after TLS", self.received_bytes.clone());
        registry.register("sent_bytes", "Bytes sent, before TLS", self.sent_bytes.clone());
    }
}

impl LibraryMetrics {
    fn register(&self, registry: &mut Registry) {
        registry.register("accounts", "Accounts", self.accounts.clone());
        registry.register("images", "Images outside the trash", self.images.clone());
        registry.register("uploads", "Unfinished uploads", self.uploads.clone());
        registry.register("waiting_jobs", "Jobs that wait for a worker", self.waiting_jobs.clone());
        registry.register("running_jobs", "Jobs that a worker runs", self.running_jobs.clone());
        let text = "How long the oldest waiting job has been waiting";
        registry.register("oldest_waiting_job_seconds", text, self.oldest_waiting_seconds.clone());
        let text = "Jobs that ended since the start, by outcome";
        registry.register("ended_jobs", text, self.ended_jobs.clone());
        registry.register("catalog_bytes", "Size of the catalogue's file", self.catalog_bytes.clone());
        registry.register("free_bytes", "Free disk space for images", self.free_bytes.clone());
        let text = "End of the last sweep, in Unix seconds; 0 for none";
        registry.register("sweep_ended_timestamp_seconds", text, self.sweep_ended_at.clone());
        let text = "End of the last complete scrub, in Unix seconds; 0 for none";
        registry.register("scrub_ended_timestamp_seconds", text, self.scrub_ended_at.clone());
        registry.register("scrub_progress_percent", "Progress of the scrub", self.scrub_percent.clone());
        let text = "Corrupted objects that the current or last scrub found";
        registry.register("corrupted_objects", text, self.damaged_objects.clone());
        let text = "Background tasks that panicked and were restarted, since the start";
        registry.register("task_restarts", text, self.task_restarts.clone());
    }

    fn set(&self, gauges: &Gauges, made: u64, failed: u64, restarts: u64) {
        let signed = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        let counts = &gauges.catalog;
        self.accounts.set(counts.accounts);
        self.images.set(counts.images);
        self.uploads.set(counts.uploads);
        self.waiting_jobs.set(counts.waiting_jobs);
        self.running_jobs.set(counts.running_jobs);
        self.oldest_waiting_seconds.set((gauges.now - counts.oldest_waiting_at).max(0));
        for (outcome, count) in [("made", made), ("failed", failed)] {
            raise(&self.ended_jobs.get_or_create(&OutcomeLabel { outcome }), count);
        }
        self.catalog_bytes.set(signed(gauges.catalog_bytes));
        self.free_bytes.set(signed(gauges.free_bytes.unwrap_or_default()));
        self.sweep_ended_at.set(gauges.last_sweep.map_or(0, |sweep| sweep.ended_at));
        let scrub = gauges.scrub.as_ref();
        let ended = scrub.and_then(|scrub| scrub.ended_at.or(scrub.previous_ended_at));
        self.scrub_ended_at.set(ended.unwrap_or_default());
        self.scrub_percent.set(scrub.map_or(0, |scrub| signed(scrub.percent())));
        self.damaged_objects.set(scrub.map_or(0, |scrub| signed(scrub.damaged_objects)));
        raise(&self.task_restarts, restarts);
    }
}

/// Raises a counter to what was counted elsewhere.
fn raise(counter: &Counter, count: u64) {
    counter.inc_by(count.saturating_sub(counter.get()));
}
