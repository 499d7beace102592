//! Debian's Prometheus in a temporary folder.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command, Stdio};

use reqwest::{Client, StatusCode, Url};
use serde::Deserialize;
use serde_json::Value;
use tempfile::TempDir;

/// Ends when dropped.
pub(super) struct Prometheus {
    process: Child,
    url: String,
    folder: TempDir,
}

/// A value of a query.
#[derive(Debug)]
pub(super) struct Sample {
    pub(super) labels: BTreeMap<String, String>,
    pub(super) value: f64,
}

#[derive(Deserialize)]
struct Answer {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    result: Vec<Line>,
}

#[derive(Deserialize)]
struct Line {
    metric: BTreeMap<String, String>,
    /// The time, and the value as text.
    value: (Value, String),
}

impl Prometheus {
    /// Scrapes a server twice a second. `None` where it is not installed, except in CI.
    pub(super) fn start(server: &str, token: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("prometheus.yml");
        let text = format!(
            "global: {{scrape_interval: 500ms, scrape_timeout: 500ms}}
scrape_configs:
- job_name: jingku
  authorization: {{credentials: '{token}'}}
  static_configs: [{{targets: ['{server}']}}]
"
        );
        fs::write(&config, text).unwrap();
        // It cannot choose a port itself.
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
        let mut command = Command::new("prometheus");
        command.arg(format!("--config.file={}", config.display()));
        command.arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()));
        command.arg(format!("--web.listen-address={address}"));
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(File::create(folder.path().join("log")).unwrap());
        match command.spawn() {
            Ok(process) => Some(Self { process, url: format!("http://{address}/api/v1/query"), folder }),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                assert!(std::env::var_os("CI").is_none(), "run cargo xtask test --only packages");
                #[expect(clippy::print_stderr, reason = "read by the person who runs the tests")]
                {
                    eprintln!("skipped: prometheus is not installed");
                }
                None
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// The values of a query now; `None` while it does not answer.
    pub(super) async fn query(&self, client: &Client, query: &str) -> Option<Vec<Sample>> {
        let url = Url::parse_with_params(&self.url, [("query", query)]).unwrap();
        let response = client.get(url).send().await.ok()?;
        if response.status() == StatusCode::SERVICE_UNAVAILABLE {
            return None;
        }
        let text = response.text().await.unwrap();
        let answer: Answer = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        let sample = |line: Line| Sample { labels: line.metric, value: line.value.1.parse().unwrap() };
        Some(answer.data.result.into_iter().map(sample).collect())
    }

    pub(super) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        // Fails if it has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
