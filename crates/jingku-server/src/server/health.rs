//! Health checks.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;

use crate::context::Context;

/// Liveness: the process runs.
pub(super) const HEALTH: &str = "/healthz";
/// Readiness: the server can serve requests.
pub(super) const READINESS: &str = "/readyz";

pub(super) async fn ready(State(context): State<Arc<Context>>) -> (StatusCode, String) {
    let problem = if context.library.is_read_only() {
        Some("the data directory is read-only".to_owned())
    } else if let Err(problem) = context.library.readiness.check(&context.library.catalog).await {
        Some(problem.clone())
    } else {
        let failing = context.library.health.problems();
        (!failing.is_empty()).then(|| failing.join("; "))
    };
    match problem {
        None => (StatusCode::OK, "ready\n".to_owned()),
        Some(problem) => (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {problem}\n")),
    }
}
