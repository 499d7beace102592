//! Bodies of all types and encodings: accepted if unambiguous, otherwise refused with the type or encoding.

use axum::body::Body;
use axum::http::Request;
use jingku_protocol::Params;
use jingku_protocol::actions::Action;
use serde_json::json;

use crate::support::{Caller, Service};

const FORM: &str = "application/x-www-form-urlencoded";
const LIST: Action = Action::DescribeCompShareCustomImages;

async fn send(caller: &Caller, headers: &[(&str, &str)], body: impl Into<Body>) -> (i64, String) {
    let request =
        headers.iter().fold(Request::post("/"), |request, (name, value)| request.header(*name, *value));
    let reply = caller.send(request.body(body.into()).unwrap()).await;
    assert_eq!(reply.status, 200);
    if reply.json["RetCode"] == 0 { (0, String::new()) } else { reply.refusal() }
}

fn json_body(params: &Params) -> String {
    let text = |name| params.get_text(name).unwrap();
    let names = params.iter().map(|(name, _)| name);
    serde_json::Value::Object(names.map(|name| (name.to_owned(), json!(text(name)))).collect()).to_string()
}

#[tokio::test]
async fn unambiguous_bodies_are_accepted() {
    let service = Service::start().await;
    let caller = service.caller();
    let params = caller.sign(Params::for_action(LIST.name()).text("Limit", Some("5")));
    let (json, form) = (json_body(&params), params.to_form());
    for content_type in
        [FORM, "text/plain", "text/plain; charset=utf-8", "application/octet-stream", "text/json", "a/b"]
    {
        for body in [
            json.clone(),
            format!("\u{feff}{json}"),
            format!("\n {json}\r\n"),
            form.clone(),
            format!("\u{feff}{form}\n"),
        ] {
            assert_eq!(
                send(&caller, &[("content-type", content_type)], body.clone()).await.0,
                0,
                "{content_type} {body}"
            );
        }
    }
    assert_eq!(send(&caller, &[], format!("\u{feff}{json}")).await.0, 0);
    assert_eq!(send(&caller, &[("content-type", "application/json")], format!("\u{feff}{json}")).await.0, 0);
    assert_eq!(send(&caller, &[("content-type", FORM), ("content-encoding", "identity")], form).await.0, 0);
    // The type and the encoding of an empty body are ignored.
    let query = Request::get(format!("/?{}", params.to_form())).header("content-type", "multipart/form-data");
    let reply = caller.send(query.header("content-encoding", "gzip").body(Body::empty()).unwrap()).await;
    assert_eq!(reply.json["RetCode"], 0);
}

#[tokio::test]
async fn other_bodies_are_refused_by_type_or_encoding() {
    let service = Service::start().await;
    let caller = service.caller();
    let params = caller.sign(Params::for_action(LIST.name()));
    let mut multipart = String::new();
    for (name, _) in params.iter() {
        let value = params.get_text(name).unwrap();
        let head = format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n");
        multipart.extend([&head, value, "\r\n"]);
    }
    multipart.push_str("--x--\r\n");
    let xml = "<?xml version=\"1.0\"?><Action>GetRegion</Action>";
    let named = |name: &str| {
        (230, format!("The request body of type [{name}] cannot be read; send a form or a JSON object"))
    };
    for (content_type, body, expected) in [
        ("multipart/form-data; boundary=x", multipart.as_str(), named("multipart/form-data")),
        (FORM, &multipart, named(FORM)),
        ("application/xml", xml, named("application/xml")),
        ("text/xml; charset=utf-8", xml, named("text/xml")),
        (FORM, xml, named(FORM)),
        ("application/yaml", "Action: GetRegion\nSignature: x=y", named("application/yaml")),
        ("application/x-msgpack", "\u{81}\u{a6}Action", named("application/x-msgpack")),
    ] {
        assert_eq!(send(&caller, &[("content-type", content_type)], body.to_owned()).await, expected);
    }
    let untyped = send(&caller, &[], multipart).await;
    let message = "The request body has no Content-Type and cannot be read; send a form or a JSON object";
    assert_eq!(untyped, (230, message.to_owned()));
    for (encoding, body) in [
        ("gzip", &b"\x1f\x8b\x08\x00"[..]),
        ("deflate", b"x\x9c\x03\x00"),
        ("br", b"\x06"),
        ("zstd", b"\x28\xb5\x2f\xfd"),
        ("gzip, br", params.to_form().as_bytes()),
        ("identity, gzip", params.to_form().as_bytes()),
    ] {
        for content_type in [FORM, "application/json"] {
            let headers = [("content-type", content_type), ("content-encoding", encoding)];
            let message = format!(
                "The request body with Content-Encoding [{encoding}] cannot be read; send it without one"
            );
            assert_eq!(send(&caller, &headers, body.to_vec()).await, (230, message));
        }
    }
}
