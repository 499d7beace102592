//! Injected faults: calls that fail, are delayed or get no response.

use std::time::Duration;

use jingku_protocol::Params;
use jingku_protocol::actions::Action;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::LabServer;

const LIST: Action = Action::DescribeCompShareCustomImages;

#[tokio::test]
async fn only_the_next_calls_of_an_action_fail() {
    let server = LabServer::start().await;
    server.lab("fail", json!({"action": LIST.name(), "ret_code": 153, "message": "later", "times": 2})).await;
    server.lab("fail", json!({"action": "TerminateCompShareCustomImage", "ret_code": -7})).await;
    server.caller.ok(Action::GetRegion, &[]).await;
    for _ in 0..2 {
        let answer = server.caller.call(LIST, &[]).await.json;
        assert_eq!((&answer["RetCode"], &answer["Message"]), (&json!(153), &json!("later")), "{answer}");
        assert_eq!(answer["Action"], "DescribeCompShareCustomImagesResponse");
    }
    assert_eq!(server.names().await.len(), 2);
    let id = "compshareImage-1fixture0001";
    let answer =
        server.caller.call(Action::TerminateCompShareCustomImage, &[("CompShareImageId", id)]).await.json;
    assert_eq!(answer["RetCode"], -7);
    assert_eq!(server.names().await.len(), 2, "a call that fails must not be executed");
    server.lab("fail", json!({"action": "*", "ret_code": 1})).await;
    assert_eq!(server.caller.call(Action::GetRegion, &[]).await.json["RetCode"], 1);
    server.lab("fail", json!({"action": "*", "ret_code": 1, "times": 100})).await;
    server.lab("clear", json!({})).await;
    server.caller.ok(Action::GetRegion, &[]).await;
}

#[tokio::test]
async fn an_unsigned_call_consumes_no_fault() {
    let server = LabServer::start().await;
    server.lab("fail", json!({"action": "GetRegion", "ret_code": 1})).await;
    let unsigned = server.caller.post(&Params::for_action("GetRegion")).await.json;
    assert_eq!(unsigned["RetCode"], 170);
    assert_eq!(server.caller.call(Action::GetRegion, &[]).await.json["RetCode"], 1);
}

#[tokio::test]
async fn a_delay_is_applied_before_other_faults() {
    let server = LabServer::start().await;
    server.lab("delay", json!({"action": "GetRegion", "ms": 80})).await;
    server.lab("fail", json!({"action": "GetRegion", "ret_code": 5})).await;
    let started = Instant::now();
    assert_eq!(server.caller.call(Action::GetRegion, &[]).await.json["RetCode"], 5);
    assert!(started.elapsed() >= Duration::from_millis(80));
    server.caller.ok(Action::GetRegion, &[]).await;
}

/// Sends a call on a new connection, and returns everything received until the server closes it.
async fn exchange(server: &LabServer, action: Action, params: &[(&str, &str)]) -> Vec<u8> {
    let address = server.listen().await;
    let add = |all: Params, (name, value): &(&str, &str)| all.text(name, Some(value));
    let form = server.caller.sign(params.iter().fold(Params::for_action(action.name()), add)).to_form();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n",
        form.len()
    );
    stream.write_all(format!("{head}{form}").as_bytes()).await.unwrap();
    let mut all = Vec::new();
    // A reset connection counts as closed.
    let _ = stream.read_to_end(&mut all).await;
    all
}

#[tokio::test]
async fn a_dropped_call_gets_no_response_and_is_not_executed() {
    let server = LabServer::start().await;
    server.lab("drop", json!({"action": "TerminateCompShareCustomImage"})).await;
    let id = [("CompShareImageId", "compshareImage-1fixture0001")];
    assert_eq!(exchange(&server, Action::TerminateCompShareCustomImage, &id).await, b"");
    assert_eq!(server.names().await.len(), 2);
    server.caller.ok(Action::TerminateCompShareCustomImage, &id).await;
}

#[tokio::test]
async fn a_half_response_declares_its_full_length_and_its_call_is_executed() {
    let server = LabServer::start().await;
    server.lab("drop", json!({"action": "TerminateCompShareCustomImage", "half": true})).await;
    let id = [("CompShareImageId", "compshareImage-1fixture0001")];
    let answer =
        String::from_utf8(exchange(&server, Action::TerminateCompShareCustomImage, &id).await).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let length = head.to_ascii_lowercase();
    let length = length.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    assert_eq!(body.len(), length.parse::<usize>().unwrap() / 2, "{answer}");
    assert!(body.starts_with("{\"Action\""), "{body}");
    assert_eq!(server.names().await.len(), 1);
}

#[tokio::test]
async fn an_export_can_be_cut_off_halfway() {
    let server = LabServer::start().await;
    server.lab("drop", json!({"action": "ExportCompShareCustomImage", "half": true})).await;
    let id = [("CompShareImageId", "compshareImage-1fixture0001")];
    // Use a server with a small image: the default size of 1 GiB takes long.
    server.lab("snapshot", json!({})).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("small.json");
    std::fs::write(&file, r#"{"images":[{"name":"small","size_mb":2}]}"#).unwrap();
    let small = LabServer::with_fixtures(&file).await;
    small.lab("drop", json!({"action": "ExportCompShareCustomImage", "half": true})).await;
    let answer = exchange(&small, Action::ExportCompShareCustomImage, &id).await;
    let head = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    assert_eq!(answer.len() - head, 1 << 20);
}
