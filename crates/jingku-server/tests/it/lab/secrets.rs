//! The trace never contains a signature or another secret, whatever the shape of the request.

use axum::body::Body;
use axum::http::Request;
use jingku_protocol::actions::Action;
use jingku_protocol::{Params, Value};
use proptest::prelude::*;
use serde_json::json;

use super::LabServer;

const FORM: &str = "application/x-www-form-urlencoded";

/// A way to send a signed request, most of them wrong.
#[derive(Clone, Copy, Debug)]
enum Shape {
    Form,
    Query,
    Path,
    EncodedPath,
    JsonUnderForm,
    JsonTwice,
    BrokenJson,
    Multipart,
    Yaml,
    Semicolons,
    EncodedTwice,
    Nested,
    ListOf,
    Dotted,
    InName,
    LowerCase,
    OtherName,
    InUserAgent,
    InContentType,
    InHeaders,
    Concatenated,
    LongName,
    Compressed,
}

const SHAPES: [Shape; 23] = [
    Shape::Form,
    Shape::Query,
    Shape::Path,
    Shape::EncodedPath,
    Shape::JsonUnderForm,
    Shape::JsonTwice,
    Shape::BrokenJson,
    Shape::Multipart,
    Shape::Yaml,
    Shape::Semicolons,
    Shape::EncodedTwice,
    Shape::Nested,
    Shape::ListOf,
    Shape::Dotted,
    Shape::InName,
    Shape::LowerCase,
    Shape::OtherName,
    Shape::InUserAgent,
    Shape::InContentType,
    Shape::InHeaders,
    Shape::Concatenated,
    Shape::LongName,
    Shape::Compressed,
];

fn encode(text: &str) -> String {
    text.bytes().fold(String::new(), |encoded, byte| encoded + &format!("%{byte:02X}"))
}

/// A request in one shape with `secret` as the value of `name`.
fn request(shape: Shape, name: &str, secret: &str, noise: &str) -> Request<Body> {
    let action = Action::DescribeCompShareCustomImages.name();
    let form = format!("Action={action}&Noise={noise}&{name}={secret}");
    let json = json!({"Action": action, "Noise": noise, name: secret}).to_string();
    let post = |content_type: &str, body: String| {
        Request::post("/").header("content-type", content_type).body(Body::from(body)).unwrap()
    };
    match shape {
        Shape::Form => post(FORM, form),
        Shape::Query => Request::get(format!("/?{form}")).body(Body::empty()).unwrap(),
        Shape::Path => Request::get(format!("/{form}")).body(Body::empty()).unwrap(),
        Shape::EncodedPath => Request::get(format!("/{}", encode(&form))).body(Body::empty()).unwrap(),
        Shape::JsonUnderForm => post(FORM, json),
        Shape::JsonTwice => post("application/json", json!({"Action": action, "Body": json}).to_string()),
        Shape::BrokenJson => post(FORM, json[..json.len() - 1].to_owned()),
        Shape::Multipart => {
            let part =
                format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{secret}\r\n--x--");
            post("multipart/form-data; boundary=x", part)
        }
        Shape::Yaml => post("text/plain", format!("Action: {action}\n{name}: {secret}\n")),
        Shape::Semicolons => post(FORM, form.replace('&', ";")),
        Shape::EncodedTwice => post(FORM, encode(&encode(&form))),
        Shape::Nested => {
            post("application/json", json!({"Action": action, "A": {"B": [{name: secret}]}}).to_string())
        }
        Shape::ListOf => post("application/json", json!({"Action": action, name: [[secret]]}).to_string()),
        Shape::Dotted => post(FORM, format!("Action={action}&{name}.0={secret}&X.{name}.y={secret}")),
        Shape::InName => post(FORM, format!("Action={action}&{}=1", encode(&format!("{name}={secret}")))),
        Shape::LowerCase => post(FORM, form.to_lowercase().replace(&secret.to_lowercase(), secret)),
        Shape::OtherName => post(FORM, format!("Action={secret}&Region={secret}&Limit={secret}&{secret}=1")),
        Shape::InUserAgent => Request::get("/").header("user-agent", &form).body(Body::empty()).unwrap(),
        Shape::InContentType => post(&form, form.clone()),
        Shape::InHeaders => {
            let request = Request::get("/").header("authorization", secret).header("cookie", secret);
            request.header("x-signature", secret).body(Body::empty()).unwrap()
        }
        Shape::Concatenated => post(FORM, format!("Action={action}&X={noise}{name}{secret}Zone{noise}")),
        Shape::LongName => post(FORM, format!("Action={action}&{}{name}={secret}", "n".repeat(600))),
        Shape::Compressed => {
            let request = Request::post("/").header("content-encoding", "gzip");
            request.header("content-type", FORM).body(Body::from(form)).unwrap()
        }
    }
}

async fn trace_of(server: &LabServer, request: Request<Body>) -> String {
    server.lab("trace/clear", json!({})).await;
    server.caller.open(request).await;
    let trace = server.get("trace").await;
    assert_eq!(trace["entries"].as_array().unwrap().len(), 1);
    trace["entries"].to_string()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(30))]

    #[test]
    fn no_signature_is_traced_in_any_shape(secret in "[0-9a-f]{40}", noise in "[a-zA-Z0-9]{0,20}") {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let server = LabServer::start().await;
            for shape in SHAPES {
                for name in ["Signature", "PrivateKey"] {
                    let trace = trace_of(&server, request(shape, name, &secret, &noise)).await;
                    assert!(!trace.to_lowercase().contains(&secret), "{shape:?}: {trace}");
                }
            }
        });
    }
}

/// A secret that does not look like one is recognized by its name.
#[tokio::test]
async fn no_named_secret_is_traced() {
    let server = LabServer::start().await;
    for shape in SHAPES {
        // These shapes have no name for the secret.
        if matches!(shape, Shape::OtherName | Shape::InContentType) {
            continue;
        }
        for name in ["Signature", "signature", "PrivateKey", "SecurityToken", "Password"] {
            let trace = trace_of(&server, request(shape, name, "Open-Sesame-1", "x")).await;
            assert!(!trace.contains("Sesame"), "{shape:?} {name}: {trace}");
        }
    }
}

/// A valid signed request is traced completely, except for its signature.
#[tokio::test]
async fn values_that_are_not_secret_are_traced() {
    let server = LabServer::start().await;
    let mut params = Params::for_action("ImportCompShareCustomImage").text("Name", Some("env"));
    params.set("Blake3", Value::Text("ab".repeat(32)));
    params.set("NextToken", Value::Text("place".to_owned()));
    let signed = server.caller.sign(params);
    let request = Request::post("/").header("content-type", FORM).body(Body::from(signed.to_form())).unwrap();
    let trace = trace_of(&server, request).await;
    for shown in ["env", &"ab".repeat(32), "place", &server.caller.public_key, "ImportCompShareCustomImage"] {
        assert!(trace.contains(shown), "{shown} is not in {trace}");
    }
    assert!(!trace.contains(signed.get_text("Signature").unwrap()), "{trace}");
}
