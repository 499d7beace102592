//! Requests that are too large, nested too deep, too slow or malformed.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request};
use jingku_protocol::actions::Action;
use jingku_protocol::{MAX_BODY_BYTES, MAX_DEPTH, MAX_NAME_BYTES, MAX_PARAMS, Params};
use tokio::time::Instant;

use crate::support::{Caller, Reply, Service};

const LIST: Action = Action::DescribeCompShareCustomImages;
/// The time limit for a body, as documented in docs/wire.
const BODY_SECS: u64 = 30;

async fn post(caller: &Caller, content_type: &str, body: impl Into<Body>) -> Reply {
    let request = Request::post("/").header("content-type", content_type);
    caller.send(request.body(body.into()).unwrap()).await
}

async fn post_form(caller: &Caller, body: impl Into<Body>) -> Reply {
    post(caller, "application/x-www-form-urlencoded", body).await
}

/// A signed list call as a form of exactly `bytes` bytes.
fn form_of(caller: &Caller, bytes: usize) -> String {
    let padded = |pad: usize| {
        let pad = "x".repeat(pad);
        caller.sign(Params::for_action(LIST.name()).text("Pad", Some(&pad))).to_form()
    };
    let form = padded(bytes - padded(0).len());
    assert_eq!(form.len(), bytes);
    form
}

#[tokio::test]
async fn the_body_has_a_maximum_size() {
    let service = Service::start().await;
    let caller = service.caller();
    assert_eq!(post_form(&caller, form_of(&caller, MAX_BODY_BYTES)).await.json["RetCode"], 0);
    let reply = post_form(&caller, form_of(&caller, MAX_BODY_BYTES + 1)).await;
    assert_eq!(reply.status, 413);
    assert_eq!(reply.refusal(), (230, "The request body is larger than 8388608 bytes".to_owned()));
}

#[tokio::test]
async fn the_number_of_parameters_is_limited() {
    let service = Service::start().await;
    let caller = service.caller();
    let with = |count: usize| {
        // Action, PublicKey and Signature count too.
        let fill = |params: Params, number| params.text(&format!("P{number}"), Some("v"));
        caller.sign((3..count).fold(Params::for_action(LIST.name()), fill))
    };
    assert_eq!(caller.post(&with(MAX_PARAMS)).await.json["RetCode"], 0);
    let refusal = caller.post(&with(MAX_PARAMS + 1)).await.refusal();
    assert_eq!(refusal, (230, "The request carries more than 512 parameters".to_owned()));
    let list = format!(r#"{{"L":[{}0]}}"#, "0,".repeat(MAX_PARAMS));
    let refusal = post(&caller, "application/json", list).await.refusal();
    assert_eq!(refusal, (230, "The request carries more than 512 parameters".to_owned()));
}

#[tokio::test]
async fn the_nesting_depth_is_limited() {
    let service = Service::start().await;
    let caller = service.caller();
    let dotted = |levels: usize| format!("a{}", ".a".repeat(levels - 1));
    let deepest = Params::for_action(LIST.name()).text(&dotted(MAX_DEPTH), Some("v"));
    assert_eq!(caller.post(&caller.sign(deepest)).await.json["RetCode"], 0);
    let too_deep = |name: &str| (230, format!("Params [{name}] is nested deeper than 8 levels"));
    let name = dotted(MAX_DEPTH + 1);
    assert_eq!(post_form(&caller, format!("{name}=v")).await.refusal(), too_deep(&name));

    let json = async |body: String| post(&caller, "application/json", body).await.refusal();
    assert_eq!(json(format!(r#"{{"a":{}1{}}}"#, "[".repeat(8), "]".repeat(8))).await, too_deep("a"));
    assert_eq!(json(format!(r#"{{"a":{{"{}":1}}}}"#, dotted(MAX_DEPTH))).await, too_deep("a"));
    // Deep enough to overflow the stack of a recursive parser.
    assert_eq!(json(format!(r#"{{"a":{}}}"#, "[".repeat(1 << 20))).await.0, 230);
    assert_eq!(json(format!(r#"{{"a":{{"{}":1}}}}"#, dotted(1 << 20))).await, too_deep("a"));
}

#[tokio::test]
async fn unreadable_bodies_are_refused_with_a_reason() {
    let service = Service::start().await;
    let caller = service.caller();
    for (content_type, body, message) in [
        ("application/json", &b"[1]"[..], "The request body must be a JSON object"),
        ("application/json", b"\"text\"", "The request body must be a JSON object"),
        ("application/json", b"{\"a\":1e999}", "Params [a] is not a finite number"),
        ("application/json", b"{\"a\":1,\"a\":1}", "Params [a] is given twice"),
        ("application/json", b"{\"a\":{\"b\":1,\"b\":1}}", "Params [a.b] is given twice"),
        ("application/x-www-form-urlencoded", b"a=1&a=1", "Params [a] is given twice"),
        ("application/json", b"{\"a\":[\"\\u0000\"]}", "Params [a] holds a zero byte"),
        ("application/x-www-form-urlencoded", b"a=x%00", "Params [a] holds a zero byte"),
        ("application/x-www-form-urlencoded", b"a=\xff", "The request body is not valid UTF-8"),
        ("application/x-www-form-urlencoded", b"a=%FF", "Params [a] is not valid UTF-8"),
    ] {
        let reply = post(&caller, content_type, body).await;
        assert_eq!((reply.status.as_u16(), reply.refusal()), (200, (230, message.to_owned())));
    }
    let (code, message) = post(&caller, "application/json", "a=1").await.refusal();
    assert!(code == 230 && message.starts_with("The request body is not valid JSON: "), "{message}");
}

#[tokio::test]
async fn parameter_names_have_a_maximum_length() {
    let service = Service::start().await;
    let caller = service.caller();
    let name = "n".repeat(MAX_NAME_BYTES);
    let longest = Params::for_action(LIST.name()).text(&name, Some("v"));
    assert_eq!(caller.post(&caller.sign(longest)).await.json["RetCode"], 0);
    let message = format!("Params [{}…] has a name longer than 256 bytes", "n".repeat(64));
    for (content_type, body) in [
        ("application/x-www-form-urlencoded", format!("{name}n=v")),
        ("application/json", format!(r#"{{"{name}n":1}}"#)),
    ] {
        assert_eq!(post(&caller, content_type, body).await.refusal(), (230, message.clone()));
    }
    let inside = post(&caller, "application/json", format!(r#"{{"a":[{{"{name}n":1}}]}}"#)).await;
    assert_eq!(inside.refusal(), (230, "Params [a] has a name longer than 256 bytes".to_owned()));
}

#[tokio::test]
async fn other_methods_are_not_allowed() {
    let service = Service::start().await;
    let caller = service.caller();
    for method in [Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS] {
        let reply =
            caller.send(Request::builder().method(&method).uri("/").body(Body::empty()).unwrap()).await;
        assert_eq!(
            (reply.status.as_u16(), &reply.headers["allow"]),
            (405, &"GET, POST".parse().unwrap()),
            "{method}"
        );
        assert_eq!(reply.refusal(), (230, "Send GET or POST".to_owned()));
    }
}

#[tokio::test]
async fn a_slow_body_times_out() {
    let service = Service::start().await;
    let caller = service.caller();
    tokio::time::pause();
    let sent = Instant::now();
    let trickle = futures::stream::unfold((), async |()| {
        tokio::time::sleep(Duration::from_secs(1)).await;
        Some((Ok::<_, std::io::Error>("a"), ()))
    });
    let reply = post_form(&caller, Body::from_stream(trickle)).await;
    assert_eq!((reply.status.as_u16(), sent.elapsed().as_secs()), (408, BODY_SECS));
    assert_eq!(reply.refusal(), (230, "The request body did not arrive whole".to_owned()));
}

/// Stalled bodies hold no resource that other requests need.
#[tokio::test]
async fn stalled_bodies_do_not_block_a_large_one() {
    let service = Service::start_on_file().await;
    let caller = service.caller();
    tokio::time::pause();
    let sent = Instant::now();
    let endless = || Body::from_stream(futures::stream::pending::<std::io::Result<&str>>());
    let hold = |_| {
        let caller = caller.clone();
        tokio::spawn(async move { post_form(&caller, endless()).await.status })
    };
    let waiting: Vec<_> = (0..200).map(hold).collect();
    tokio::time::sleep(Duration::from_secs(1)).await;
    caller.ok(LIST, &[]).await;
    assert_eq!(post_form(&caller, form_of(&caller, 100 << 10)).await.json["RetCode"], 0);
    assert_eq!(sent.elapsed().as_secs(), 1);
    for reply in waiting {
        assert_eq!(reply.await.unwrap(), 408);
    }
}

/// A health check with a wrong path must not succeed.
#[tokio::test]
async fn an_unknown_path_without_parameters_is_not_found() {
    let service = Service::start().await;
    let caller = service.caller();
    let get = async |path: &str| caller.send(Request::get(path).body(Body::empty()).unwrap()).await;
    for path in
        ["/HEALTHZ", "/healthz//", "/healthz/x", "//healthz", "/health", "/livez", "/readyz/x", "/a/b", "/x?"]
    {
        let reply = get(path).await;
        assert_eq!(
            (reply.status.as_u16(), reply.refusal()),
            (404, (160, "Missing Action".to_owned())),
            "{path}"
        );
    }
    // A request that may be an API call gets status 200, which API clients expect.
    for path in ["/", "/?", "/x?Region=cn-wlcb", "/healthz/x?Action=GetRegion"] {
        assert_eq!(get(path).await.status, 200, "{path}");
    }
    let posted = caller.send(Request::post("/x").body(Body::empty()).unwrap()).await;
    assert_eq!((posted.status.as_u16(), posted.refusal().0), (200, 160));
}
