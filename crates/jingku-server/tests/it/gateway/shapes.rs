//! A parameter of the wrong shape is refused by name, never ignored. Tests every parameter of every action in every wrong
//! shape and encoding. The list of parameters comes from the code that reads them.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::Request;
use jingku_protocol::actions::Action;
use jingku_protocol::{Kind, Params, Value};

use crate::support::{Caller, INSTANCE, NOW, Service};

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";
/// Parameters that the gateway itself reads.
const GATEWAY: [&str; 5] = ["Action", "ProjectId", "PublicKey", "SecurityToken", "Signature"];

/// The dotted names and values to send in place of one parameter.
type Wrong = Vec<(String, Value)>;

/// The expected shape of a parameter, or of an object that contains parameters.
#[derive(Clone, Copy, PartialEq)]
enum Shape {
    Scalar,
    List,
    Objects,
    Object,
    /// An object that older clients send as text.
    LegacyObject,
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn list(items: &[Value]) -> Value {
    Value::List(items.to_vec())
}

fn map(name: &str, value: Value) -> Value {
    Value::Map(vec![(name.to_owned(), value)])
}

/// Values of every shape other than the expected one.
fn wrong_shapes(name: &str, shape: Shape) -> Vec<Wrong> {
    let whole = |value| vec![(name.to_owned(), value)];
    let dotted = |pairs: &[(&str, &str)]| -> Wrong {
        pairs.iter().map(|(below, value)| (format!("{name}{below}"), text(value))).collect()
    };
    // Both a value and members: wrong for every shape.
    let mut wrong = vec![dotted(&[("", "a"), (".x", "b")]), dotted(&[("", "a"), (".0", "b")])];
    match shape {
        Shape::Scalar => wrong.extend([
            whole(list(&[])),
            whole(list(&[text("a")])),
            whole(list(&[Value::Null])),
            whole(Value::Map(Vec::new())),
            whole(map("a", text("b"))),
            whole(map("0", text("b"))),
            dotted(&[(".0", "a")]),
            dotted(&[(".x", "a")]),
            dotted(&[(".", "a")]),
        ]),
        Shape::List => wrong.extend([
            whole(Value::Map(Vec::new())),
            whole(map("x", text("a"))),
            whole(map("0", text("a"))),
            whole(list(&[list(&[text("a")])])),
            whole(list(&[map("a", text("b"))])),
            whole(list(&[text("a"), list(&[])])),
            whole(text("[[\"a\"]]")),
            whole(text("[{'a': 'b'}]")),
            dotted(&[(".x", "a")]),
            dotted(&[(".N", "a")]),
            dotted(&[(".-1", "a")]),
            dotted(&[(".+1", "a")]),
            dotted(&[(".1e0", "a")]),
            dotted(&[(".", "a")]),
            dotted(&[(".0.b", "c")]),
            dotted(&[(".0.0", "c")]),
            dotted(&[(".0", "a"), (".x", "b")]),
            dotted(&[(".0", "a"), (".00", "b")]),
        ]),
        Shape::Objects => wrong.extend([
            whole(text("a")),
            whole(Value::Bool(true)),
            whole(Value::Number("1".to_owned())),
            whole(map("Software", text("a"))),
            whole(list(&[text("a")])),
            whole(list(&[list(&[])])),
            dotted(&[(".0", "a")]),
            dotted(&[(".x.Port", "1")]),
            dotted(&[(".0.0", "1")]),
        ]),
        Shape::Object | Shape::LegacyObject => {
            wrong.extend([
                whole(list(&[])),
                whole(list(&[text("a")])),
                whole(map("0", text("a"))),
                dotted(&[(".0", "a")]),
            ]);
            if shape == Shape::Object {
                wrong.extend([whole(text("a")), whole(Value::Bool(true)), whole(Value::Number("1".into()))]);
            }
        }
    }
    wrong
}

/// The shapes of an action's parameters by wire name, with those of the gateway and of containing objects.
fn shapes(action: Action) -> BTreeMap<String, Shape> {
    let mut shapes: BTreeMap<_, _> = GATEWAY.map(|name| (name.to_owned(), Shape::Scalar)).into();
    for (name, kind) in action.parameters().names {
        let shape = match kind {
            Kind::Scalar | Kind::Unread => Shape::Scalar,
            Kind::List => Shape::List,
            Kind::Objects => Shape::Objects,
        };
        shapes.insert(name.replace(".N.", ".0."), shape);
        if let Some((object, _)) = name.split_once('.').filter(|_| !name.contains(".N.")) {
            let legacy = object == "Softwares";
            shapes.insert(object.to_owned(), if legacy { Shape::LegacyObject } else { Shape::Object });
        }
    }
    shapes
}

/// The name of a parameter in error messages: that of the list for members of a list of objects, and the newer of two.
pub(super) fn name_in_error(name: &str) -> &str {
    if name == "StopTime" {
        return "SchedulerStopTime";
    }
    name.split_once(".0.").map_or(name, |(list, _)| list)
}

/// The same with nested objects instead of a dotted name; `None` for several names or one without dots.
fn nested(wrong: &Wrong) -> Option<Wrong> {
    let [(name, value)] = &wrong[..] else { return None };
    let (first, rest) = name.split_once('.')?;
    let value = rest.rsplit('.').fold(value.clone(), |value, part| map(part, value));
    Some(vec![(first.to_owned(), value)])
}

fn json_value(value: &Value) -> serde_json::Value {
    match value {
        Value::Text(text) => text.as_str().into(),
        Value::Number(digits) => serde_json::from_str(digits).unwrap(),
        Value::Bool(flag) => (*flag).into(),
        Value::Null => serde_json::Value::Null,
        Value::List(items) => items.iter().map(json_value).collect(),
        Value::Map(members) => {
            members.iter().map(|(name, value)| (name.clone(), json_value(value))).collect()
        }
    }
}

/// Good values for the parameters that an action requires.
pub(super) fn sample(action: Action) -> Vec<(String, &'static str)> {
    let required = action.parameters().required.into_iter();
    let undocumented = required.filter(|name| !action.documented().contains(&name.as_str()));
    undocumented
        .map(|name| {
            let value = match name.as_str() {
                "CompShareImageId" | "SourceCompShareImageId" => "image-1",
                "UHostId" => INSTANCE,
                _ => "1",
            };
            (name, value)
        })
        .collect()
}

/// A request that is valid except for one parameter.
fn params(caller: &Caller, action: Action, name: &str, wrong: &Wrong) -> Params {
    let first = name.split('.').next().unwrap();
    let mut params = Params::default();
    if name != "Action" {
        params = params.text("Action", Some(action.name()));
    }
    for (required, value) in sample(action) {
        if required != first {
            params = params.text(&required, Some(value));
        }
    }
    let add = |mut params: Params| {
        for (name, value) in wrong {
            params.set(name, value.clone());
        }
        params
    };
    if !["PublicKey", "Signature"].contains(&name) {
        return caller.sign(add(params));
    }
    let signed = caller.sign(params);
    let kept = signed.iter().filter(|(sent, _)| *sent != name);
    add(kept.fold(Params::default(), |mut params, (name, value)| {
        params.set(name, value.clone());
        params
    }))
}

fn requests(params: &Params) -> Vec<Request<Body>> {
    let json: serde_json::Map<_, _> =
        params.iter().map(|(name, value)| (name.to_owned(), json_value(value))).collect();
    let post = |content_type: &str, body: String| {
        Request::post("/").header("content-type", content_type).body(Body::from(body)).unwrap()
    };
    let mut requests = vec![post(JSON, serde_json::Value::Object(json).to_string())];
    if params.iter().all(|(_, value)| matches!(value, Value::Text(_))) {
        requests.push(post(FORM, params.to_form()));
        requests.push(Request::get(format!("/?{}", params.to_form())).body(Body::empty()).unwrap());
    }
    requests
}

#[tokio::test]
async fn every_parameter_of_a_wrong_shape_is_refused_by_its_name() {
    let service = Service::start().await;
    let caller = service.caller();
    service.add_images(&[("image-1", NOW)]).await;
    let before = caller.everything().await;
    let mut tried = 0;
    for action in Action::ALL {
        for (name, shape) in shapes(*action) {
            for wrong in wrong_shapes(&name, shape) {
                for wrong in [Some(wrong.clone()), nested(&wrong)].into_iter().flatten() {
                    for request in requests(&params(&caller, *action, &name, &wrong)) {
                        let refusal = caller.send(request).await.refusal();
                        let expected = format!("Params [{}] not available", name_in_error(&name));
                        assert_eq!(refusal, (230, expected), "{action:?} {wrong:?}");
                        tried += 1;
                    }
                }
            }
        }
    }
    assert!(tried > 10_000, "only {tried} requests were tried");
    assert_eq!(caller.everything().await, before, "a refused request changed something");
}

/// All spellings of the contract and the SDKs are accepted.
#[tokio::test]
async fn known_spellings_are_accepted() {
    let service = Service::start().await;
    let caller = service.caller();
    service.add_images(&[("image-1", NOW)]).await;
    let update = async |wrong: Wrong| {
        let params = params(&caller, Action::UpdateCompShareImage, "Tags", &wrong);
        for request in requests(&params) {
            let reply = caller.send(request).await;
            assert_eq!(reply.json["RetCode"], 0, "{wrong:?}: {}", reply.json);
        }
        caller.image("image-1").await["Tags"].clone()
    };
    let one = |name: &str, value: Value| vec![(name.to_owned(), value)];
    let number = || Value::Number("5".to_owned());
    assert_eq!(
        update(one("Tags", list(&[text("a"), number(), Value::Bool(true)]))).await,
        serde_json::json!(["a", "5", "true"])
    );
    assert_eq!(update(one("Tags", text("a"))).await, serde_json::json!(["a"]));
    assert_eq!(update(one("Tags", number())).await, serde_json::json!(["5"]));
    assert_eq!(update(one("Tags", text("['a', 'b, c']"))).await, serde_json::json!(["a", "b, c"]));
    assert_eq!(update(one("Tags.7", text("x"))).await, serde_json::json!(["x"]));
    assert_eq!(update(one("Tags", Value::Null)).await, serde_json::json!(["x"]));
    assert_eq!(update(one("Description", Value::Bool(true))).await, serde_json::json!(["x"]));
    assert_eq!(caller.image("image-1").await["Description"], "true");
    // Unknown parameters and members, and texts of older clients, are ignored.
    for (name, value) in [
        ("Foo", list(&[map("a", text("b"))])),
        ("Foo.x.0", text("a")),
        ("Framework", text("PyTorch")),
        ("Softwares", text("{'Framework': 'PyTorch'}")),
        ("Softwares.Foo", text("a")),
    ] {
        assert_eq!(update(one(name, value)).await, serde_json::json!(["x"]), "{name}");
    }
}
