use jingku_protocol::NameRefusal;
use jingku_protocol::actions::Action;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::Error;

/// The largest reply that is read, in bytes; exported files excepted. A page of 100 images is under 1 MiB.
pub const MAX_REPLY_BYTES: usize = 16 * 1024 * 1024;

/// The most characters of an unusable reply in an error.
const EXCERPT_CHARS: usize = 200;

/// Reads the body of an answer with HTTP status 200.
///
/// Nulls are dropped first: the cloud sends them where the documents promise text, numbers and lists.
pub(crate) fn decode<T: DeserializeOwned>(
    action: Action,
    request_id: Option<String>,
    body: &[u8],
) -> Result<T, Error> {
    let mut reply: Value = match serde_json::from_slice(body) {
        Ok(reply) => reply,
        Err(error) => return Err(undecodable(action, &error, body, request_id)),
    };
    drop_nulls(&mut reply);
    let text = |name: &str| reply.get(name).and_then(Value::as_str).map(str::to_owned);
    let request_id = request_id.or_else(|| text("request_uuid"));
    match reply.get("RetCode").and_then(integer) {
        None => Err(undecodable(action, "it has no RetCode", body, request_id)),
        Some(0) => {
            serde_json::from_value(reply).map_err(|error| undecodable(action, &error, body, request_id))
        }
        Some(code) => Err(Error::Api {
            action,
            code,
            message: text("Message").unwrap_or_default(),
            name_refusal: NameRefusal::deserialize(&reply).ok(),
            request_id,
        }),
    }
}

/// The error of a reply that cannot be used.
pub(crate) fn undecodable(
    action: Action,
    reason: &(impl ToString + ?Sized),
    body: &[u8],
    request_id: Option<String>,
) -> Error {
    Error::Undecodable { action, reason: reason.to_string(), excerpt: excerpt(body), request_id }
}

/// How a reply starts, on one line.
pub(crate) fn excerpt(body: &[u8]) -> String {
    // A character takes at most four bytes: the rest is not needed.
    let start = String::from_utf8_lossy(&body[..body.len().min(4 * EXCERPT_CHARS)]);
    let words = start.split_whitespace().collect::<Vec<_>>().join(" ");
    words.chars().take(EXCERPT_CHARS).collect()
}

/// A whole number, or one as text, as some backends spell `RetCode`; the Go SDK accepts that too.
fn integer(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => {
            items.retain(|item| !item.is_null());
            items.iter_mut().for_each(drop_nulls);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use jingku_protocol::ImageStatus;
    use jingku_protocol::actions::DescribeCompShareCustomImagesResponse as List;

    use super::*;

    fn list(body: &str) -> Result<List, Error> {
        decode(Action::DescribeCompShareCustomImages, None, body.as_bytes())
    }

    #[test]
    fn missing_members_have_defaults() {
        assert_eq!(list(r#"{"RetCode":0,"TotalCount":0,"ImageSet":null}"#).unwrap(), List::default());
        assert_eq!(list(r#"{"RetCode":"0"}"#).unwrap(), List::default());
        let row = r#"{"RetCode":0,"ImageSet":[{"Name":null,"Tags":[null,"a"],"Status":"Frozen","New":{"a":null}}]}"#;
        let image = &list(row).unwrap().image_set[0];
        assert_eq!((image.name.as_str(), image.tags.len(), image.status), ("", 1, ImageStatus::Unknown));
    }

    #[test]
    fn a_refusal_differs_from_an_undecodable_reply() {
        let refusal =
            list(r#"{"RetCode":"230","Message":"Params [Limit] not available","request_uuid":"u"}"#);
        let refusal = refusal.unwrap_err();
        assert_eq!((refusal.ret_code(), refusal.request_id()), (Some(230), Some("u")));
        for body in ["", "[]", "null", "{}", r#"{"RetCode":null}"#, r#"{"RetCode":0.5}"#, "\u{feff}{}", "\0"]
        {
            let error = list(body).unwrap_err();
            assert!(matches!(error, Error::Undecodable { .. }), "{body:?}: {error}");
        }
        let wrong_type = list(r#"{"RetCode":0,"TotalCount":"many","request_uuid":"u"}"#).unwrap_err();
        assert_eq!((wrong_type.ret_code(), wrong_type.request_id()), (None, Some("u")));
    }

    #[test]
    fn an_excerpt_is_short_and_on_one_line() {
        let long = "<html>\r\n  <body>\n".to_owned() + &"镜".repeat(100_000);
        let excerpt = excerpt(long.as_bytes());
        assert!(excerpt.starts_with("<html> <body> 镜"), "{excerpt}");
        assert_eq!(excerpt.chars().count(), EXCERPT_CHARS);
    }
}
