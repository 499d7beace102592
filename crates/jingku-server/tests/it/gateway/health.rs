//! Health checks, which need no signature.

use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt;

use crate::support::Service;

#[tokio::test]
async fn a_running_server_is_healthy_and_ready() {
    let service = Service::start().await;
    for (path, text) in [("/healthz", "ok\n"), ("/readyz", "ready\n")] {
        let response = service.caller().open(Request::get(path).body(Body::empty()).unwrap()).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), text);
    }
}
