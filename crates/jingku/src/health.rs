//! `jingku health`: asks a server whether it is ready, for scripts and the health checks of containers.

use std::error::Error;
use std::time::Duration;

use reqwest::{Client, StatusCode, redirect};
use serde_json::json;

use crate::args::{Global, HealthArgs};
use crate::base_url;
use crate::connection::last_server;
use crate::failure::{Exit, Failure};
use crate::messages::tr;
use crate::output::done;
use crate::wrong_scheme;

/// The server answers within 3 s.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The longest reason that is shown, in bytes.
const REASON_MAX: usize = 1000;

pub(crate) async fn run(global: &Global, args: HealthArgs) -> Result<(), Failure> {
    let given = args.base_url.filter(|url| !url.trim().is_empty());
    let base_url = base_url::check(&given.map_or_else(|| last_server(global), Ok)?)?;
    // The server itself is asked, not a proxy in front of it.
    let mut http = Client::builder().timeout(TIMEOUT).redirect(redirect::Policy::none()).no_proxy();
    if base_url.starts_with("http:") {
        // A slim container has no certificates.
        http = http.tls_certs_only([]);
    }
    let http = http.build().map_err(Failure::fault)?;
    let url = format!("{}/readyz", base_url.trim_end_matches('/'));
    let mut response = http.get(url).send().await.map_err(|error| no_answer(&base_url, &error))?;
    if response.status() == StatusCode::OK {
        let value = json!({ "BaseUrl": base_url, "Ready": true });
        return done(global, &value, &tr!("health-ready", base_url));
    }
    // The first part of the body is enough: the reason is one short line.
    let body = response.chunk().await.ok().flatten().unwrap_or_default();
    let body = String::from_utf8_lossy(&body[..body.len().min(REASON_MAX)]).into_owned();
    let reason = format!("{}: {}", response.status(), body.lines().next().unwrap_or_default());
    Err(Failure::new(Exit::Fault, tr!("health-not-ready", base_url, reason)))
}

fn no_answer(base_url: &str, error: &(dyn Error + 'static)) -> Failure {
    let failure = Failure::new(Exit::TryAgain, tr!("connection-unreachable", base_url));
    match wrong_scheme::advice(error) {
        Some(advice) => failure.advise(&advice),
        None => failure,
    }
}
