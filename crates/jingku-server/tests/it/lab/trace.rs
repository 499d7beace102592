//! The trace of requests.

use axum::body::Body;
use axum::http::Request;
use jingku_protocol::Params;
use jingku_protocol::actions::Action;
use serde_json::{Value, json};

use super::LabServer;

async fn last(server: &LabServer) -> Value {
    let trace = server.get("trace").await;
    trace["entries"].as_array().unwrap().last().unwrap().clone()
}

#[tokio::test]
async fn a_request_is_traced_with_its_anomalies() {
    let server = LabServer::start().await;
    let params =
        [("UHostID", "uhost-good"), ("Name", "env"), ("Region", "cn-wlcb"), ("PrivateKey", "do not tell")];
    server.caller.call(Action::CreateCompShareCustomImage, &params).await;
    let entry = last(&server).await;
    assert_eq!(entry["action"], "CreateCompShareCustomImage");
    assert_eq!(
        (&entry["method"], &entry["content_type"]),
        (&json!("POST"), &json!("application/x-www-form-urlencoded"))
    );
    assert_eq!(entry["unknown"], json!(["UHostID", "PrivateKey"]));
    assert_eq!(entry["missing"], json!(["UHostId", "Zone"]));
    assert_eq!(
        (&entry["ret_code"], &entry["signature"], &entry["account"]),
        (&json!(210), &json!("valid"), &json!(1))
    );
    assert_eq!(entry["decoded"]["Name"], "env");
    let text = entry.to_string();
    assert!(!text.contains("do not tell") && !text.contains("Signature\""), "{text}");
}

#[tokio::test]
async fn parameters_are_traced_in_their_original_shape() {
    let server = LabServer::start().await;
    let body =
        json!({"Action": "DescribeCompShareInstance", "UHostIds": ["a", "b"], "Limit": 5, "Signature": "x"});
    let request = Request::post("/any/path?Verbose=1")
        .header("content-type", "application/json")
        .header("user-agent", "a-client/1");
    server.caller.send(request.body(Body::from(body.to_string())).unwrap()).await;
    let entry = last(&server).await;
    assert_eq!((&entry["path"], &entry["user_agent"]), (&json!("/any/path"), &json!("a-client/1")));
    assert_eq!(entry["params"]["UHostIds"], json!(["a", "b"]));
    assert_eq!(entry["params"]["Limit"], 5);
    assert_eq!((&entry["decoded"]["UHostIds.1"], &entry["decoded"]["Limit"]), (&json!("b"), &json!("5")));
    assert_eq!(entry["unknown"], json!(["Verbose"]));
    assert_eq!(
        (&entry["signature"], &entry["account"], &entry["ret_code"]),
        (&json!("present"), &json!(null), &json!(172))
    );
}

#[tokio::test]
async fn refused_and_broken_requests_are_traced() {
    let server = LabServer::start().await;
    server.caller.post(&Params::for_action("NoSuchThing")).await;
    let entry = last(&server).await;
    assert_eq!(
        (&entry["action"], &entry["signature"], &entry["ret_code"]),
        (&json!("NoSuchThing"), &json!("absent"), &json!(170))
    );
    let request =
        Request::post("/").header("content-type", "application/json").body(Body::from("{")).unwrap();
    server.caller.send(request).await;
    let entry = last(&server).await;
    assert_eq!((&entry["action"], &entry["ret_code"]), (&json!(null), &json!(230)));
    server.lab("drop", json!({"action": "GetRegion"})).await;
    let before = entry["number"].as_u64().unwrap();
    let call = server.caller.sign(Params::for_action("GetRegion"));
    server.caller.open(Request::get(format!("/?{}", call.to_form())).body(Body::empty()).unwrap()).await;
    let new = server.get(&format!("trace?after={before}")).await;
    assert_eq!(new["entries"].as_array().unwrap().len(), 1);
    let entry = &new["entries"][0];
    assert_eq!((&entry["injected"], &entry["ret_code"]), (&json!(["drop"]), &json!(null)));
    server.lab("trace/clear", json!({})).await;
    assert_eq!(server.get("trace").await, json!({"entries": [], "last": before + 1}));
}

/// The trace names the refused parameter and the ignored ones.
#[tokio::test]
async fn refused_and_ignored_parameters_are_traced() {
    let server = LabServer::start().await;
    let send = async |body: Value| {
        let params = jingku_protocol::decode(None, Some("application/json"), body.to_string().as_bytes());
        let signed = server.caller.sign(params.unwrap());
        let mut body = body;
        for name in ["PublicKey", "Signature"] {
            body[name] = json!(signed.get_text(name).unwrap());
        }
        let request = Request::post("/").header("content-type", "application/json");
        server.caller.send(request.body(Body::from(body.to_string())).unwrap()).await;
        last(&server).await
    };
    let list = "DescribeCompShareCustomImages";
    let entry = send(json!({"Action": list, "CompShareImageId": ["a"], "Foo": {"x": 1}})).await;
    assert_eq!((&entry["ret_code"], &entry["refused"]), (&json!(230), &json!("CompShareImageId")));
    assert_eq!((&entry["unknown"], &entry["params"]["CompShareImageId"]), (&json!(["Foo"]), &json!(["a"])));
    let entry = send(json!({"Action": list, "SortCondition": {"Field": {"a": "b"}, "Foo": "c"}})).await;
    assert_eq!((&entry["ret_code"], &entry["refused"]), (&json!(230), &json!("SortCondition.Field")));
    assert_eq!(entry["unknown"], json!(["SortCondition.Foo"]));
    let entry = send(json!({"Action": list, "Tag.0": "a", "Tag.x": "b"})).await;
    assert_eq!((&entry["refused"], &entry["unknown"]), (&json!("Tag"), &json!([])));
    let entry = send(json!({"Action": ["GetRegion"]})).await;
    assert_eq!((&entry["ret_code"], &entry["refused"]), (&json!(230), &json!("Action")));
    let entry = send(json!({"Action": "UpdateCompShareImage"})).await;
    assert_eq!((&entry["ret_code"], &entry["refused"]), (&json!(210), &json!("CompShareImageId")));
    let entry = send(json!({"Action": list, "Foo": "a"})).await;
    assert_eq!((&entry["ret_code"], &entry["refused"]), (&json!(0), &json!(null)));
}

/// A request that timed out is what the author of a client debugs.
#[tokio::test]
async fn a_request_that_its_client_cancels_is_traced() {
    let server = LabServer::start().await;
    server.lab("delay", json!({"action": "GetRegion", "ms": 60_000})).await;
    let call = server.caller.ok(Action::GetRegion, &[]);
    assert!(tokio::time::timeout(std::time::Duration::from_millis(50), call).await.is_err());
    let entry = last(&server).await;
    assert_eq!((&entry["action"], &entry["ret_code"]), (&json!("GetRegion"), &json!(null)));
    assert_eq!(entry["injected"], json!(["delay 60000 ms"]));
    assert!(entry["ms"].as_u64().unwrap() >= 50, "{entry}");
}
