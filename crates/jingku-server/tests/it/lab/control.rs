//! Access to the control API, and its errors.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::json;

use super::{LabServer, read};
use crate::support::Service;

#[tokio::test]
async fn only_local_programs_can_use_the_control_api() {
    let server = LabServer::start().await;
    let call = |headers: &[(&str, &str)]| {
        let mut request = Request::post("/_lab/reset");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(Body::empty()).unwrap()
    };
    let lab_header = ("x-jingku-lab", "1");
    for refused in [
        &[][..],
        &[("host", "127.0.0.1:1")],
        &[lab_header],
        &[("host", "evil.example:8480"), lab_header],
        &[("host", "127.0.0.1:1"), lab_header, ("origin", "http://127.0.0.1:1")],
        &[("host", "127.0.0.1:1"), lab_header, ("origin", "null")],
    ] {
        let (status, value) = server.open(call(refused)).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{refused:?}: {value}");
    }
    let (status, _) = server.open(call(&[("host", "[::1]:1"), lab_header])).await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn without_a_lab_the_control_path_does_not_exist() {
    let service = Service::start().await;
    let request = Request::post("/_lab/reset").header("host", "127.0.0.1:1").header("x-jingku-lab", "1");
    let response = service.caller().open(request.body(Body::empty()).unwrap()).await;
    let (status, value) = read(response).await;
    assert_eq!(
        (status, &value["RetCode"]),
        (StatusCode::OK, &json!(160)),
        "an API call without an action: {value}"
    );
}

#[tokio::test]
async fn invalid_control_calls_are_refused_and_change_nothing() {
    let server = LabServer::start().await;
    let before = server.get("state").await;
    for (call, body, words) in [
        ("fail", json!({"action": "GetRegions", "ret_code": 1}), "There is no action \"GetRegions\""),
        ("fail", json!({"action": "GetRegion", "ret_code": 0}), "ret_code 0 is success"),
        ("fail", json!({"action": "GetRegion"}), "ret_code"),
        ("fail", json!({"action": "GetRegion", "ret_code": 1, "times": 0}), "times is 1 or more"),
        ("delay", json!({"action": "GetRegion", "ms": 600_001}), "at most 600000"),
        ("drop", json!({"action": "GetRegion", "halv": true}), "unknown field `halv`"),
        ("hold", json!({"percent": 101}), "from 0 to 100"),
        ("clock", json!({"stop": 1}), "unknown variant `stop`"),
        ("clock", json!({"set": i64::MAX}), "The clock goes from 0"),
        ("clock", json!({"advance": -9_000_000_000_i64}), "The clock goes from 0"),
        ("clock", json!({"set": 1e300}), "The clock goes from 0"),
        ("clock", json!({"set": -1.5}), "The clock goes from 0"),
        ("clock", json!({"set": "1"}), "expected a number of seconds"),
        ("clock", json!({"advance": null}), "expected a number of seconds"),
        ("snapshot", json!({"name": ""}), "1 to 64 bytes"),
    ] {
        let (status, value) = server.post(call, &body).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{call} {body}: {value}");
        assert!(value["error"].as_str().unwrap().contains(words), "{value}");
    }
    for call in ["return", "nothing"] {
        let (status, value) = server.post(call, &json!({})).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{value}");
    }
    assert_eq!(server.get("state").await, before);
}
