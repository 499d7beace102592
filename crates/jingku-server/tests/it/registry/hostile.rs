use axum::body::Body;
use axum::http::{Method, Request, Uri};

use super::IMAGE;
use crate::support::{Caller, Service};

#[tokio::test]
async fn nothing_can_be_written() {
    let service = Service::start().await;
    service.container_image("trained").await;
    let caller = service.caller();
    let basic = caller.basic();
    for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS] {
        for path in [
            "/v2/",
            "/v2/_catalog",
            "/v2/token",
            &format!("{IMAGE}/manifests/latest"),
            &format!("{IMAGE}/blobs/uploads/"),
            "/v2/1/unknown/manifests/latest",
        ] {
            let answer = caller.registry(method.clone(), path, &[("authorization", &basic)]).await;
            answer.assert_error(405, "UNSUPPORTED");
            let answer = caller.registry(method.clone(), path, &[]).await;
            answer.assert_error(401, "UNAUTHORIZED");
        }
    }
    assert_eq!(caller.pull(&format!("{IMAGE}/manifests/latest")).await.status, 200);
}

#[tokio::test]
async fn paths_that_name_nothing_are_not_found() {
    let service = Service::start().await;
    service.container_image("trained").await;
    let caller = service.caller();
    let long = "a".repeat(10_000);
    for path in [
        "/v2/x",
        "/v2/1",
        "/v2/1/trained",
        "/v2/1/trained/",
        "/v2/1/trained/manifests",
        "/v2/trained/manifests/latest",
        "/v2//1/trained/manifests/latest",
        "/v2/1//trained/manifests/latest",
        "/v2/1/./trained/manifests/latest",
        "/v2/2/../1/trained/manifests/latest",
        "/v2/../v2/1/trained/manifests/latest",
        "/v2/1/%2e%2e/1/trained/manifests/latest",
        "/v2/1/trained%00/manifests/latest",
        "/v2/1/trained%0a/manifests/latest",
        "/v2/1/Trained/manifests/latest",
        "/v2/1/trained/tags",
        "/v2/1/trained/tags/all",
        "/v2/1/trained/signatures/latest",
        "/v2/-1/trained/manifests/latest",
        "/v2/+1/trained/manifests/latest",
        "/v2/1.0/trained/manifests/latest",
        "/v2/99999999999999999999/trained/manifests/latest",
        "/v2/1/compshareimage-/manifests/latest",
        "/v2/1/compshareimage-%27%20or%201=1/manifests/latest",
        "/v2/1/%25/manifests/latest",
        "/v2/1/_/manifests/latest",
        "/v2/1/%ff%fe/manifests/latest",
        "/v2/%ff",
        &format!("/v2/1/{long}/manifests/latest"),
        &format!("/v2/{long}"),
        &format!("/v2/{}", "a/".repeat(5_000)),
    ] {
        let answer = caller.pull(path).await;
        assert_eq!(answer.error(), (404, "NAME_UNKNOWN".to_owned()), "{path}");
        assert_eq!(caller.registry(Method::GET, path, &[]).await.status, 401, "{path}");
    }
    for reference in ["..", "%2e%2e", "%00", "%ff", "%0d%0aX:y", &long] {
        let manifest = caller.pull(&format!("{IMAGE}/manifests/{reference}")).await;
        assert_eq!(manifest.status, 404, "{reference}");
        assert_eq!(caller.pull(&format!("{IMAGE}/blobs/{reference}")).await.status, 404, "{reference}");
    }
    // Encoded separators are separators: engines send both.
    assert_eq!(caller.pull("/v2/1%2Ftrained/manifests/latest").await.status, 200);
}

#[tokio::test]
async fn hostile_headers_are_refused_or_ignored() {
    let service = Service::start().await;
    service.container_image("trained").await;
    let caller: Caller = service.caller();
    let long = "A".repeat(20_000);
    for value in [&b"Basic \xff\xfe"[..], b"", b" ", b"Basic \t", long.as_bytes()] {
        let request = Request::get(Uri::from_static("/v2/")).header("authorization", value);
        assert_eq!(caller.open(request.body(Body::empty()).unwrap()).await.status(), 401);
    }
    let answer = caller.pull_with(&format!("{IMAGE}/manifests/latest"), "accept", "text/html;q=1").await;
    assert_eq!(answer.status, 200, "there is one format");
}
