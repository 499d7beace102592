//! Reads a response and checks what every response has in common.

use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use http_body_util::BodyExt;
use serde_json::Value;

pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// `Null` for a file.
    pub(crate) json: Value,
    pub(crate) body: Bytes,
}

impl Reply {
    /// Reads the whole response; checks its request id and its content type.
    pub(crate) async fn read(response: Response) -> Self {
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let request_id = head.headers["x-ucloud-request-uuid"].to_str().unwrap();
        assert_eq!(request_id.len(), 36, "{request_id}");
        let json = match head.headers["content-type"].to_str().unwrap() {
            "application/octet-stream" | "image/png" | "image/jpeg" | "image/webp" | "image/gif" => {
                Value::Null
            }
            json => {
                assert_eq!(json, "application/json; charset=utf-8");
                let object: Value = serde_json::from_slice(&body).unwrap();
                assert_eq!(object["request_uuid"], request_id);
                assert!(object["RetCode"].is_i64(), "{object}");
                object
            }
        };
        Self { status: head.status, headers: head.headers, json, body }
    }

    /// Code and message of a refusal; checks that it has no other fields.
    pub(crate) fn refusal(&self) -> (i64, String) {
        let code = self.json["RetCode"].as_i64().unwrap();
        assert_ne!(code, 0, "{}", self.json);
        let mut known = vec!["Action", "RetCode", "Message", "request_uuid"];
        if self.json["Message"].as_str().is_some_and(|message| message.ends_with("Name] not available")) {
            known.extend(["Reason", "Holder"]);
        }
        assert!(
            self.json.as_object().unwrap().keys().all(|key| known.contains(&key.as_str())),
            "{}",
            self.json
        );
        (code, self.json["Message"].as_str().unwrap().to_owned())
    }
}
