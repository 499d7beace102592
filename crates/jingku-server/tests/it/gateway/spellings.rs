//! One request in every encoding that a client uses.

use axum::body::Body;
use axum::http::Request;
use jingku_protocol::actions::Action;
use jingku_protocol::{Params, Value, decode};
use serde_json::json;

use crate::support::{Caller, NOW, Service};

const UPDATE: Action = Action::UpdateCompShareImage;
const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

/// An unsigned update of image-1 with dotted names, as all SDKs send it.
fn dotted(tags: [&str; 2]) -> Params {
    let params = Params::for_action(UPDATE.name()).text("CompShareImageId", Some("image-1"));
    params.text("Tags.0", Some(tags[0])).text("Tags.1", Some(tags[1]))
}

/// The same with a JSON array.
fn nested(tags: [&str; 2]) -> Params {
    let mut params = Params::for_action(UPDATE.name()).text("CompShareImageId", Some("image-1"));
    params.set("Tags", Value::List(tags.map(|tag| Value::Text(tag.to_owned())).to_vec()));
    params
}

fn json_value(value: &Value) -> serde_json::Value {
    match value {
        Value::Text(text) => json!(text),
        Value::List(items) => items.iter().map(json_value).collect(),
        other => panic!("not used here: {other:?}"),
    }
}

fn json_body(params: &Params) -> String {
    let members = params.iter().map(|(name, value)| (name.to_owned(), json_value(value)));
    serde_json::Value::Object(members.collect()).to_string()
}

fn post(uri: &str, content_type: &str, body: String) -> Request<Body> {
    let request = Request::post(uri);
    let request =
        if content_type.is_empty() { request } else { request.header("content-type", content_type) };
    request.body(Body::from(body)).unwrap()
}

/// Builds a request in one spelling.
fn spell(spelling: &str, caller: &Caller, tags: [&str; 2]) -> Request<Body> {
    let flat = caller.sign(dotted(tags));
    let form = flat.to_form();
    let in_query = format!("/?Action={}", UPDATE.name());
    let form_without_action = form.replacen(&format!("Action={}&", UPDATE.name()), "", 1);
    match spelling {
        "query" => Request::get(format!("/?{form}")).body(Body::empty()).unwrap(),
        "form" => post("/", FORM, form),
        "form with charset" => post("/", "application/x-www-form-urlencoded; charset=utf-8", form),
        "form without type" => post("/", "", form),
        "form, action in query" => post(&in_query, FORM, form_without_action),
        "form, action in both" => post(&in_query, FORM, form),
        "form, below a path" => post("/some/path/", FORM, form),
        "json dotted" => post("/", JSON, json_body(&flat)),
        "json nested" => post("/", JSON, json_body(&caller.sign(nested(tags)))),
        "json, action in both" => post(&in_query, JSON, json_body(&flat)),
        "json with charset" => post("/", "application/json; charset=utf-8", json_body(&flat)),
        "json without type" => post("/", "", format!(" \n{}", json_body(&flat))),
        other => panic!("no such spelling: {other}"),
    }
}

#[tokio::test]
async fn all_spellings_are_equivalent() {
    let service = Service::start().await;
    let caller = service.caller();
    service.add_images(&[("image-1", NOW)]).await;
    for spelling in [
        "query",
        "form",
        "form with charset",
        "form without type",
        "form, action in query",
        "form, action in both",
        "form, below a path",
        "json dotted",
        "json nested",
        "json, action in both",
        "json with charset",
        "json without type",
    ] {
        let tags = [spelling, "a & b=c +d/中😀\"<"];
        let reply = caller.send(spell(spelling, &caller, tags)).await;
        assert_eq!(
            (reply.status.as_u16(), &reply.json["RetCode"]),
            (200, &json!(0)),
            "{spelling}: {}",
            reply.json
        );
        assert_eq!(caller.image("image-1").await["Tags"], json!(tags), "{spelling}");
    }
}

/// Otherwise the signature of the body could authorize a different call in the query.
#[tokio::test]
async fn body_parameters_override_query_parameters() {
    let service = Service::start().await;
    let caller = service.caller();
    service.add_images(&[("image-1", NOW)]).await;
    let form = caller.sign(dotted(["a", "b"])).to_form();
    let query = "/?Action=TerminateCompShareCustomImage&Tags.0=x";
    assert_eq!(caller.send(post(query, FORM, form)).await.json["Action"], "UpdateCompShareImageResponse");
    assert_eq!(caller.image("image-1").await["Tags"], json!(["a", "b"]));
}

#[tokio::test]
async fn json_scalars_are_signed_as_they_are_written() {
    let service = Service::start().await;
    let caller = service.caller();
    service.add_images(&[("image-1", NOW)]).await;
    let unsigned = format!(
        r#"{{"Action":"{}","PublicKey":"{}","CompShareImageId":"image-1","Price":35.50,"AutoStart":true,"Visibility":0,"None":null}}"#,
        UPDATE.name(),
        caller.public_key
    );
    let params = decode(None, Some(JSON), unsigned.as_bytes()).unwrap();
    let signature = caller.sign(params).get_text("Signature").unwrap().to_owned();
    let body = unsigned.replacen('{', &format!(r#"{{"Signature":"{signature}","#), 1);
    assert_eq!(caller.send(post("/", JSON, body)).await.json["RetCode"], 0);
    let image = caller.image("image-1").await;
    assert_eq!((&image["Price"], &image["AutoStart"]), (&json!(35.5), &json!(true)));
}

#[tokio::test]
async fn an_empty_json_list_clears_the_field() {
    let service = Service::start().await;
    let caller = service.caller();
    service.add_images(&[("image-1", NOW)]).await;
    caller.send(spell("json nested", &caller, ["a", "b"])).await;
    let mut params = Params::for_action(UPDATE.name()).text("CompShareImageId", Some("image-1"));
    params.set("Tags", Value::List(Vec::new()));
    let reply = caller.send(post("/", JSON, json_body(&caller.sign(params)))).await;
    assert_eq!(reply.json["RetCode"], 0);
    assert_eq!(caller.image("image-1").await["Tags"], json!([]));
}
