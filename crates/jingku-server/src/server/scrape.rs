//! `/metrics`, for readers that know the token.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use jingku_library::MetricsSettings;
use subtle::ConstantTimeEq;

use crate::context::Context;

pub(super) const METRICS: &str = "/metrics";
const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// Minimum length of the token, in bytes.
const MIN_TOKEN_BYTES: usize = 16;
/// Maximum length of the token's file, in bytes.
const MAX_TOKEN_BYTES: u64 = 4096;

/// Returns all metrics. The token is read each time, so that it can be replaced while the server runs.
pub(super) async fn serve(State(context): State<Arc<Context>>, request: Request) -> Response {
    let Some(settings) = context.library.config.metrics.clone() else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let token = tokio::task::spawn_blocking(move || read_token(settings.token_file)).await;
    let token = match token.map_err(io::Error::other).and_then(|token| token) {
        Ok(token) => token,
        Err(error) => {
            tracing::error!(%error, "cannot read the token of the metrics");
            return (StatusCode::SERVICE_UNAVAILABLE, "The token cannot be read\n").into_response();
        }
    };
    let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let given = given.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    // Hashes have the same length, whatever the length of the tokens.
    let [expected, given] = [token.as_str(), given].map(|token| blake3::hash(token.as_bytes()));
    if !bool::from(expected.as_bytes().ct_eq(given.as_bytes())) {
        let challenge = [(header::WWW_AUTHENTICATE, "Bearer")];
        return (StatusCode::UNAUTHORIZED, challenge, "The token is missing or wrong\n").into_response();
    }
    let library = &context.library;
    match library.gauges().await {
        Ok(gauges) => {
            let [made, failed] =
                [&library.running.made, &library.running.failed].map(|count| count.load(Ordering::Relaxed));
            let text = context.metrics.text(&gauges, made, failed, library.health.restarts());
            ([(header::CONTENT_TYPE, MEDIA_TYPE)], text).into_response()
        }
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "cannot measure the library");
            (StatusCode::SERVICE_UNAVAILABLE, "The library cannot be measured\n").into_response()
        }
    }
}

/// Reads the token of the metrics, and checks its length.
pub fn check_token(settings: &MetricsSettings) -> io::Result<()> {
    read_token(settings.token_file.clone()).map(drop)
}

fn read_token(path: PathBuf) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(MAX_TOKEN_BYTES).read_to_string(&mut text)?;
    let token = text.trim();
    if token.len() < MIN_TOKEN_BYTES {
        return Err(io::Error::other(format!("it is shorter than {MIN_TOKEN_BYTES} bytes")));
    }
    Ok(token.to_owned())
}
