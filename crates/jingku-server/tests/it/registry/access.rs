use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Method, Request, StatusCode};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jingku_library::KeyLimits;
use jingku_server::router;

use super::IMAGE;
use crate::support::{Caller, NOW, PUBLIC_KEY, Service};

const TOKEN: &str = "/v2/token?service=jingku&scope=repository:1/trained:pull";

async fn limited(service: &Service, read_only: bool, addresses: &[&str]) -> Caller {
    let limits =
        KeyLimits { read_only, addresses: addresses.iter().map(|text| (*text).to_owned()).collect() };
    let (pair, _) = service.context.library.create_key(1, "limited", &limits).await.unwrap();
    Caller::with_keys(router(service.context.clone()), &pair)
}

async fn token(caller: &Caller) -> String {
    let answer = caller.pull(TOKEN).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    let json = answer.json();
    assert_eq!((&json["expires_in"], &json["access_token"]), (&900.into(), &json["token"]));
    json["token"].as_str().unwrap().to_owned()
}

async fn status_with(caller: &Caller, authorization: &str) -> u16 {
    let path = format!("{IMAGE}/manifests/latest");
    caller.registry(Method::GET, &path, &[("authorization", authorization)]).await.status.as_u16()
}

#[tokio::test]
async fn a_request_without_credentials_is_sent_to_the_token() {
    let service = Service::start().await;
    service.context.set_base_url("https://images.example.com");
    let caller = service.caller();
    let challenge = "Bearer realm=\"https://images.example.com/v2/token\",service=\"jingku\"";
    for path in ["/v2/", "/v2", "/v2/_catalog", "/v2/1/unknown/manifests/latest", "/v2/token"] {
        let answer = caller.registry(Method::GET, path, &[]).await;
        answer.assert_error(401, "UNAUTHORIZED");
        assert_eq!(answer.header("www-authenticate"), challenge, "{path}");
    }
    let answer = caller.pull("/v2/").await;
    assert_eq!((answer.status, answer.json()), (StatusCode::OK, serde_json::json!({})));
    assert_eq!(caller.head("/v2/").await.status, 200);
}

#[tokio::test]
async fn a_key_pair_and_its_token_are_accepted() {
    let service = Service::start().await;
    service.container_image("trained").await;
    for caller in [service.caller(), limited(&service, true, &[]).await] {
        assert_eq!(status_with(&caller, &caller.basic()).await, 200);
        let token = token(&caller).await;
        assert_eq!(status_with(&caller, &format!("Bearer {token}")).await, 200);
        assert_eq!(status_with(&caller, &format!("bearer  {token} ")).await, 200, "schemes have no case");
    }
}

#[tokio::test]
async fn wrong_credentials_are_refused_alike() {
    let service = Service::start().await;
    service.container_image("trained").await;
    let caller = service.caller();
    let forged = Caller::new(router(service.context.clone()), PUBLIC_KEY, "another");
    let unknown = Caller::new(router(service.context.clone()), "unknown", "another");
    let good = token(&caller).await;
    let text = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(&good).unwrap()).unwrap();
    let encoded = |text: &str| format!("Bearer {}", BASE64_URL_SAFE_NO_PAD.encode(text));
    let later = text.replace(&(NOW + 900).to_string(), &(NOW + 901).to_string());
    assert_ne!(later, text);
    for authorization in [
        forged.basic(),
        unknown.basic(),
        "Basic".to_owned(),
        "Basic !".to_owned(),
        "Basic bm8tY29sb24".to_owned(),
        "Bearer".to_owned(),
        "Bearer x".to_owned(),
        format!("Bearer {good}x"),
        encoded(&later),
        encoded(&text.replace("registry", "download")),
        encoded(&text.replacen('\n', "", 1)),
        encoded("\n\n\n\n"),
        format!("Digest {good}"),
    ] {
        let path = format!("{IMAGE}/manifests/latest");
        let answer = caller.registry(Method::GET, &path, &[("authorization", &authorization)]).await;
        answer.assert_error(401, "UNAUTHORIZED");
    }
    forged.pull(TOKEN).await.assert_error(401, "UNAUTHORIZED");
    unknown.pull(TOKEN).await.assert_error(401, "UNAUTHORIZED");
    let bearer = caller.registry(Method::GET, TOKEN, &[("authorization", &format!("Bearer {good}"))]).await;
    bearer.assert_error(401, "UNAUTHORIZED");
}

#[tokio::test]
async fn a_token_ends_with_its_time_or_its_key() {
    let service = Service::start().await;
    service.container_image("trained").await;
    let (caller, revoked) = (service.caller(), limited(&service, false, &[]).await);
    let first = format!("Bearer {}", token(&caller).await);
    let second = format!("Bearer {}", token(&revoked).await);
    service.clock.set(NOW + 899);
    assert_eq!([status_with(&caller, &first).await, status_with(&caller, &second).await], [200, 200]);
    service.context.library.revoke_key(&revoked.public_key).await.unwrap();
    assert_eq!([status_with(&caller, &first).await, status_with(&caller, &second).await], [200, 401]);
    assert_eq!(status_with(&caller, &revoked.basic()).await, 401);
    service.clock.set(NOW + 900);
    assert_eq!(status_with(&caller, &first).await, 401);
}

#[tokio::test]
async fn the_address_ranges_of_a_key_apply() {
    let service = Service::start().await;
    service.container_image("trained").await;
    let caller = limited(&service, false, &["192.0.2.0/24"]).await;
    let status_from = async |authorization: &str, path: &str, peer: &str| {
        let mut request =
            Request::get(path).header("authorization", authorization).body(Body::empty()).unwrap();
        request.extensions_mut().insert(ConnectInfo(peer.parse::<SocketAddr>().unwrap()));
        caller.open(request).await
    };
    let (inside, outside) = ("192.0.2.9:5000", "198.51.100.9:5000");
    let issued = status_from(&caller.basic(), TOKEN, inside).await;
    let body = http_body_util::BodyExt::collect(issued.into_body()).await.unwrap().to_bytes();
    let json: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let bearer = format!("Bearer {}", json["token"].as_str().unwrap());
    let path = format!("{IMAGE}/manifests/latest");
    for authorization in [&caller.basic(), &bearer] {
        assert_eq!(status_from(authorization, &path, inside).await.status(), 200);
        assert_eq!(status_from(authorization, &path, outside).await.status(), 403);
    }
    assert_eq!(status_from(&caller.basic(), TOKEN, outside).await.status(), 403);
    // Only the holder of the key learns of the ranges.
    let forged = Caller::new(router(service.context.clone()), &caller.public_key, "another");
    assert_eq!(status_from(&forged.basic(), &path, outside).await.status(), 401);
    caller.pull(&path).await.assert_error(403, "DENIED");
}
