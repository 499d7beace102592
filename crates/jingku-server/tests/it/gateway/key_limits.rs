//! Keys limited to reading or to IP addresses.

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use jingku_library::{KeyLimits, LibraryError};
use jingku_protocol::Params;
use jingku_protocol::actions::{Access, Action};
use jingku_server::router;

use crate::support::{Caller, INSTANCE, NOW, Reply, Service};

const LIST: Action = Action::DescribeCompShareCustomImages;

fn limits(read_only: bool, addresses: &[&str]) -> KeyLimits {
    KeyLimits { read_only, addresses: addresses.iter().map(|text| (*text).to_owned()).collect() }
}

async fn limited(service: &Service, limits: KeyLimits) -> Caller {
    let (pair, _) = service.context.create_key(1, "limited", &limits).await.unwrap();
    Caller::with_keys(router(service.context.clone()), &pair)
}

fn denied(reply: &Reply) -> bool {
    (reply.json["RetCode"].as_i64(), reply.json["Message"].as_str())
        == (Some(299), Some("IAM Permission Denied"))
}

#[tokio::test]
async fn a_read_only_key_is_refused_exactly_the_write_actions() {
    let service = Service::start().await;
    service.add_images(&[("image-1", NOW)]).await;
    let owner = service.caller();
    let reader = limited(&service, limits(true, &[])).await;
    let before = owner.everything().await;
    let mut refused = Vec::new();
    for action in Action::ALL {
        // Parameters that are valid, parameters that are invalid, and none.
        for params in [
            &[("CompShareImageId", "image-1"), ("UHostId", INSTANCE), ("Name", "new")][..],
            &[("CompShareImageId", "image-none"), ("Region", "moon")],
            &[],
        ] {
            let reply = reader.call(*action, params).await;
            assert_eq!(
                denied(&reply),
                action.access() == Access::Write,
                "{action:?} {params:?}: {}",
                reply.json
            );
            assert!(!denied(&owner.call(*action, &[("ProjectId", "org-other")]).await), "{action:?}");
        }
        if action.access() == Access::Write {
            refused.push(action.name());
        }
    }
    assert!(
        refused.contains(&"TerminateCompShareCustomImage") && !refused.contains(&LIST.name()),
        "{refused:?}"
    );
    assert!(
        refused.iter().all(|name| !name.starts_with("Describe") && !name.starts_with("Get")),
        "{refused:?}"
    );
    assert_eq!(owner.everything().await, before);
    assert_eq!(reader.everything().await, before, "a read-only key must list everything");
}

/// Sends a list call with the peer address that a listener would report.
async fn list_from(caller: &Caller, peer: &str, headers: &[(&str, &str)]) -> Reply {
    let form = caller.sign(Params::for_action(LIST.name())).to_form();
    let mut request = Request::post("/").header("content-type", "application/x-www-form-urlencoded");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut request = request.body(Body::from(form)).unwrap();
    let peer: SocketAddr = format!("{peer}:50000").parse().unwrap();
    request.extensions_mut().insert(ConnectInfo(peer));
    caller.send(request).await
}

#[tokio::test]
async fn a_key_works_only_from_its_addresses() {
    let service = Service::start().await;
    let ranges = ["10.1.0.0/16", "192.0.2.7", "fd00::/8", "::ffff:198.51.100.0/120"];
    let caller = limited(&service, limits(false, &ranges)).await;
    let ip_denied = (294, "IP Denied".to_owned());
    for peer in ["10.1.0.0", "10.1.255.255", "192.0.2.7", "[::ffff:10.1.2.3]", "[fd00::1]", "198.51.100.9"] {
        assert_eq!(list_from(&caller, peer, &[]).await.json["RetCode"], 0, "{peer}");
    }
    for peer in
        ["10.2.0.0", "192.0.2.8", "[::ffff:10.2.0.1]", "[fe80::1]", "127.0.0.1", "[::1]", "[::10.1.2.3]"]
    {
        assert_eq!(list_from(&caller, peer, &[]).await.refusal(), ip_denied, "{peer}");
        // Headers must not override the peer address.
        for header in ["x-forwarded-for", "x-real-ip", "forwarded", "x-client-ip", "true-client-ip"] {
            let claim = [(header, if header == "forwarded" { "for=10.1.2.3" } else { "10.1.2.3" })];
            assert_eq!(list_from(&caller, peer, &claim).await.refusal(), ip_denied, "{peer} {header}");
        }
    }
    // Without a known peer address, the key is refused.
    assert_eq!(caller.refusal(LIST, &[]).await, ip_denied);
    service.caller().ok(LIST, &[]).await;
}

#[tokio::test]
async fn the_peer_address_comes_from_the_connection() {
    let service = Service::start().await;
    let base_url = service.listen().await;
    for (range, code) in [("127.0.0.0/8", 0), ("10.0.0.0/8", 294)] {
        let (pair, _) = service.context.create_key(1, "", &limits(false, &[range])).await.unwrap();
        let mut config = compshare::Config::new(pair.public_key, pair.private_key);
        config.base_url.clone_from(&base_url);
        let client = compshare::Client::new(config).unwrap();
        let answer = client.get_region(&jingku_protocol::actions::GetRegionRequest).await;
        assert_eq!(answer.err().and_then(|error| error.ret_code()).unwrap_or(0), code, "{range}");
    }
}

/// Each call has one error less than the call before. Without a valid signature, errors do not reveal the limits.
#[tokio::test]
async fn key_limits_are_revealed_only_to_the_key_holder() {
    let service = Service::start().await;
    let caller = limited(&service, limits(true, &["192.0.2.0/24"])).await;
    let write = Action::TerminateCompShareCustomImage.name();
    let forged = Caller::new(router(service.context.clone()), &caller.public_key, "another");
    let denied = |code: i64, message: &str| (code, message.to_owned());
    let refusal = async |caller: &Caller, action: &str, more: &[(&str, &str)]| {
        let params = Params::for_action(action);
        let params = more.iter().fold(params, |params, (name, value)| params.text(name, Some(value)));
        caller.post(&caller.sign(params)).await.refusal()
    };
    let project = ("ProjectId", "org-other");
    assert_eq!(refusal(&forged, write, &[]).await, denied(171, "Signature VerifyAC Error"));
    assert_eq!(refusal(&caller, write, &[("SecurityToken", "x")]).await, denied(174, "Token Not Exists"));
    assert_eq!(refusal(&caller, "Nope", &[project]).await, denied(294, "IP Denied"));
    let reader = limited(&service, limits(true, &[])).await;
    assert_eq!(refusal(&reader, "Nope", &[project]).await, denied(161, "Action [Nope] not found"));
    assert_eq!(refusal(&reader, write, &[project]).await, denied(292, "Project [org-other] not exists"));
    assert_eq!(refusal(&reader, write, &[]).await, denied(299, "IAM Permission Denied"));
}

#[tokio::test]
async fn invalid_key_limits_are_refused() {
    let service = Service::start().await;
    let context = &service.context;
    let create = async |addresses: &[&str]| {
        context.create_key(1, "x", &limits(false, addresses)).await.err().map(|error| error.to_string())
    };
    let wrong = "\"10.1.2.3/8\" is not a valid CIDR range. Write it like 10.0.0.0/8, fd00::/8 or 192.0.2.7; the address \
                 must be the first of its range.";
    assert_eq!(create(&["10.0.0.0/8", "10.1.2.3/8"]).await.as_deref(), Some(wrong));
    let many = "A key can be limited to at most 64 ranges of addresses, not 65. Join some of them.";
    assert_eq!(create(&["::1"; 65]).await.as_deref(), Some(many));
    let nobody = context.create_key(9, "x", &limits(true, &[])).await;
    assert!(matches!(nobody, Err(LibraryError::NoAccount(9))));
    assert_eq!(context.keys(None).await.unwrap().len(), 1, "a refused call created a key");
}
