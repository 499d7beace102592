//! `/metrics`, and the dashboard that reads them.

mod prometheus;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use reqwest::{Client, StatusCode};
use serde_json::Value;

use super::{form, list, serve};
use crate::support::{INSTANCE, Service};
use prometheus::{Prometheus, Sample};

const TOKEN: &str = "a token of some length";
/// How long Prometheus may take to start, scrape twice and answer every query.
const QUERIES_TIMEOUT: Duration = Duration::from_mins(1);

async fn scrape(url: &str, token: Option<&str>) -> (StatusCode, String) {
    let client = Client::builder().no_proxy().build().unwrap();
    let mut request = client.get(url);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let response = request.send().await.unwrap();
    (response.status(), String::from_utf8(response.bytes().await.unwrap().to_vec()).unwrap())
}

/// A server with metrics after some requests and a job, and its metrics.
async fn measured() -> (Service, String, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, format!("{TOKEN}\n")).unwrap();
    let (service, server) = serve(&format!("[metrics]\ntoken_file = '{}'\n", file.display())).await;
    service.make(INSTANCE, "env").await;
    let client = Client::builder().no_proxy().build().unwrap();
    for form_text in [list(&service), list(&service), "Action=GetRegion".to_owned(), "Action=None".to_owned()]
    {
        form(&client, &format!("http://{server}/"), form_text).send().await.unwrap();
    }
    (service, format!("http://{server}/metrics"), folder)
}

#[tokio::test]
async fn only_readers_with_the_token_get_metrics() {
    let (service, url, folder) = measured().await;
    let (status, text) = scrape(&url, Some(TOKEN)).await;
    assert_eq!(status, 200);
    for line in [
        "jingku_requests_total{action=\"DescribeCompShareCustomImages\",ret_code=\"0\"} 2",
        "jingku_requests_total{action=\"GetRegion\",ret_code=\"170\"} 1",
        "jingku_requests_total{action=\"none\",ret_code=\"170\"} 1",
        "jingku_request_seconds_count{action=\"DescribeCompShareCustomImages\"} 2",
        "jingku_images 1",
        "jingku_waiting_jobs 0",
        "jingku_ended_jobs_total{outcome=\"made\"} 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in {text}");
    }
    for token in [None, Some(""), Some("another token of some length"), Some(&TOKEN[1..])] {
        let (status, text) = scrape(&url, token).await;
        assert!(status == 401 && !text.contains("jingku_"), "{token:?}: {status} {text}");
    }
    // Nothing tells accounts, images or keys apart.
    assert!(!text.contains("env") && !text.contains(&service.caller().public_key), "{text}");
    std::fs::write(folder.path().join("token"), "short").unwrap();
    assert_eq!(scrape(&url, Some("short")).await.0, 503);
    let (_service, server) = serve("").await;
    assert_eq!(scrape(&format!("http://{server}/metrics"), Some(TOKEN)).await.0, 404);
}

/// A query of the dashboard, and how Grafana names its lines, such as `{{action}}`.
struct Query {
    expression: String,
    legend: String,
}

impl Query {
    /// Those of every panel.
    fn all() -> Vec<Self> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/operate/grafana-dashboard.json");
        let dashboard: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let panels = dashboard["panels"].as_array().unwrap();
        let targets = panels.iter().flat_map(|panel| panel["targets"].as_array().unwrap());
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let query = |target: &Value| Self {
            expression: text(&target["expr"]),
            legend: text(&target["legendFormat"]),
        };
        targets.map(query).collect()
    }

    /// The metrics that it reads.
    fn metrics(&self) -> BTreeSet<&str> {
        let words = self.expression.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        words.filter(|word| word.starts_with("jingku_")).collect()
    }

    /// Whether these are numbers, with every label that the names of the lines have.
    fn is_answered_by(&self, samples: &[Sample]) -> bool {
        let labels = || self.legend.split("{{").skip(1).filter_map(|rest| rest.split("}}").next());
        let is_line = |sample: &Sample| {
            sample.value.is_finite() && labels().all(|label| sample.labels.contains_key(label.trim()))
        };
        !samples.is_empty() && samples.iter().all(is_line)
    }
}

#[tokio::test]
async fn the_dashboard_shows_every_metric() {
    let (_service, url, _folder) = measured().await;
    let (_, text) = scrape(&url, Some(TOKEN)).await;
    let queries = Query::all();
    let shown: BTreeSet<&str> = queries.iter().flat_map(Query::metrics).collect();
    let mut names = BTreeSet::new();
    for kind in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let (name, kind) = kind.split_once(' ').unwrap();
        let suffix = match kind {
            "counter" => "_total",
            "histogram" => "_bucket",
            _ => "",
        };
        names.insert(format!("{name}{suffix}"));
    }
    assert!(shown.iter().copied().eq(names.iter().map(String::as_str)), "shown: {shown:?}, exist: {names:?}");
    for query in &queries {
        // A counter by itself grows for ever, and the rate of anything else is meaningless.
        let is_rate = ["rate(", "increase("].iter().any(|function| query.expression.contains(function));
        let counts = |metric: &&str| metric.ends_with("_total") || metric.ends_with("_bucket");
        assert!(query.metrics().iter().all(|metric| counts(metric) == is_rate), "{}", query.expression);
    }
}

/// Prometheus scrapes a server, and answers every query with numbers.
#[tokio::test]
async fn prometheus_answers_the_queries_of_the_dashboard() {
    let (service, url, _folder) = measured().await;
    let server = url.strip_prefix("http://").unwrap().strip_suffix("/metrics").unwrap();
    let Some(prometheus) = Prometheus::start(server, TOKEN) else { return };
    let (client, started) = (Client::builder().no_proxy().build().unwrap(), Instant::now());
    let mut queries = Query::all();
    while !queries.is_empty() {
        // Rates need requests between two scrapes.
        for form_text in [list(&service), "Action=GetRegion".to_owned()] {
            form(&client, &format!("http://{server}/"), form_text).send().await.unwrap();
        }
        let mut open = Vec::new();
        for query in queries {
            let samples = prometheus.query(&client, &query.expression).await;
            if !samples.as_ref().is_some_and(|samples| query.is_answered_by(samples)) {
                let (expression, log) = (&query.expression, prometheus.log());
                assert!(started.elapsed() < QUERIES_TIMEOUT, "{expression}: {samples:?}\n{log}");
                open.push(query);
            }
        }
        queries = open;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
