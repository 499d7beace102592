//! `/metrics`, and the dashboard that reads them.

use std::collections::BTreeSet;
use std::path::Path;

use reqwest::{Client, StatusCode};
use serde_json::Value;

use super::{form, list, serve};
use crate::support::{INSTANCE, Service};

const TOKEN: &str = "a token of some length";

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

/// The names that start with `jingku_`, and the labels in `by (…)` and `{…}`, of a query.
fn names_of(query: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = |text: &str| -> Vec<String> {
        text.split(|c| !is_name(c)).filter(|word| !word.is_empty()).map(str::to_owned).collect()
    };
    let metrics = words(query).into_iter().filter(|word| word.starts_with("jingku_")).collect();
    let mut labels = BTreeSet::new();
    for (start, end) in [("by (", ')'), ("{", '='), ("{", '!')] {
        for part in query.split(start).skip(1) {
            if let Some((inside, _)) = part.split_once(end) {
                labels.extend(
                    words(inside)
                        .into_iter()
                        .filter(|_| inside.chars().all(|c| is_name(c) || ", ".contains(c))),
                );
            }
        }
    }
    (metrics, labels)
}

#[tokio::test]
async fn the_dashboard_asks_for_metrics_that_exist() {
    let (_service, url, _folder) = measured().await;
    let (_, text) = scrape(&url, Some(TOKEN)).await;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/operate/grafana-dashboard.json");
    let dashboard: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let mut shown = BTreeSet::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().unwrap() {
            let query = target["expr"].as_str().unwrap();
            let (metrics, labels) = names_of(query);
            assert!(!metrics.is_empty(), "{query}");
            for metric in metrics {
                let samples: Vec<_> = text
                    .lines()
                    .filter(|line| {
                        line.strip_prefix(&*metric).is_some_and(|rest| rest.starts_with([' ', '{']))
                    })
                    .collect();
                assert!(!samples.is_empty(), "{query}: no sample of {metric}");
                for label in &labels {
                    assert!(
                        samples.iter().all(|line| line.contains(&format!("{label}=\""))),
                        "{query}: {label}"
                    );
                }
                shown.insert(metric);
            }
        }
    }
    // And it shows everything that there is.
    let kinds = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    for kind in kinds {
        let (name, kind) = kind.split_once(' ').unwrap();
        let suffix = match kind {
            "counter" => "_total",
            "histogram" => "_bucket",
            _ => "",
        };
        assert!(shown.contains(&format!("{name}{suffix}")), "the dashboard does not show {name}");
    }
}
