//! From the bytes of an HTTP request to [`Params`].
//!
//! Four spellings are in use: GET query, POST form, POST JSON with flat dotted names (JS, Java and PHP SDKs) and POST
//! JSON with nested values (Go SDK). The Go SDK also repeats `Action` in the query of a POST, hence: a body parameter
//! wins over a query parameter of the same name, which then counts once.
//!
//! Requests are untrusted, so everything is counted while it is read, before it takes memory.

mod body;
mod decoder;
mod error;
mod form;
mod json;
mod limits;

use crate::excerpt::excerpt;
use crate::params::Params;

use body::Body;
use decoder::Decoder;

pub use error::DecodeError;
pub use limits::{MAX_BODY_BYTES, MAX_DEPTH, MAX_NAME_BYTES, MAX_PARAMS};

/// Refuses a compressed body: no known client sends one.
pub fn require_plain(content_encoding: Option<&str>, body: &[u8]) -> Result<(), DecodeError> {
    match content_encoding.map(str::trim) {
        None | Some("") => Ok(()),
        Some(coding) if body.is_empty() || coding.eq_ignore_ascii_case("identity") => Ok(()),
        Some(coding) => Err(DecodeError::Encoded(excerpt(coding))),
    }
}

/// Reads the effective parameters of a request.
///
/// `content_type` and the first characters of the body decide how to read it. The caller has bounded the body by
/// [`MAX_BODY_BYTES`], and has checked with [`require_plain`] that it is not compressed.
pub fn decode(query: Option<&str>, content_type: Option<&str>, body: &[u8]) -> Result<Params, DecodeError> {
    let mut decoder = Decoder::default();
    match body::recognize(content_type, body)? {
        Body::Empty => {}
        Body::Json(text) => json::read(text, &mut decoder)?,
        Body::Form(text) => form::read(text, &mut decoder)?,
    }
    if let Some(query) = query {
        form::read(query, &mut decoder)?;
    }
    Ok(decoder.params)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::Value;

    fn names(params: &Params) -> Vec<&str> {
        params.iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn body_wins_over_query_and_counts_once() {
        let params = decode(Some("Action=B&Zone=z"), None, b"Action=A&Limit=1").unwrap();
        assert_eq!(names(&params), ["Action", "Limit", "Zone"]);
        assert_eq!(params.get_text("Action"), Some("A"));
    }

    #[test]
    fn plus_is_space_in_forms_and_stays_in_json() {
        let form = decode(Some("a=x+y%2Bz"), None, b"").unwrap();
        assert_eq!(form.get_text("a"), Some("x y+z"));
        let json = decode(None, Some("application/json; charset=utf-8"), br#"{"a":"x+y\u0026z"}"#).unwrap();
        assert_eq!(json.get_text("a"), Some("x+y&z"));
    }

    #[test]
    fn without_a_content_type_the_first_byte_decides() {
        assert_eq!(decode(None, None, br#" {"a":"1"}"#).unwrap().get_text("a"), Some("1"));
        assert_eq!(decode(None, None, b"a=1").unwrap().get_text("a"), Some("1"));
        assert_eq!(decode(None, Some("text/plain"), b"a=1").unwrap().get_text("a"), Some("1"));
    }

    #[test]
    fn numbers_take_the_form_that_is_signed() {
        let body = br#"{"i":123456789012345678901234567890,"f":35.0,"e":1e-7,"big":1e21,"neg":-0.50}"#;
        let params = decode(None, None, body).unwrap();
        let text = |name| match params.get(name) {
            Some(Value::Number(text)) => text.as_str(),
            other => panic!("{other:?}"),
        };
        assert_eq!(text("i"), "123456789012345678901234567890");
        assert_eq!((text("f"), text("e"), text("neg")), ("35", "0.0000001", "-0.5"));
        assert_eq!(text("big"), "1000000000000000000000");
    }

    #[test]
    fn bad_bodies_are_refused_with_the_reason() {
        let json = Some("application/json");
        assert!(matches!(decode(None, json, b"{"), Err(DecodeError::InvalidJson(_))));
        assert!(matches!(decode(None, json, b"a=1"), Err(DecodeError::InvalidJson(_))));
        assert_eq!(decode(None, json, b"[1]"), Err(DecodeError::NotAnObject));
        assert_eq!(decode(None, json, b"\xff"), Err(DecodeError::NotUtf8));
        assert_eq!(decode(None, json, br#"{"a":1,"a":2}"#), Err(DecodeError::Duplicate("a".into())));
        assert_eq!(decode(None, None, b"a=1&a=2"), Err(DecodeError::Duplicate("a".into())));
        assert_eq!(decode(None, None, b"a=%00"), Err(DecodeError::ZeroByte("a".into())));
        assert_eq!(decode(None, json, br#"{"a":["\u0000"]}"#), Err(DecodeError::ZeroByte("a".into())));
        assert_eq!(decode(None, json, br#"{"a":1e999}"#), Err(DecodeError::NotFinite("a".into())));
    }

    #[test]
    fn limits_hold_at_the_edge() {
        let form = |count: usize| (0..count).map(|i| format!("k{i}=v")).collect::<Vec<_>>().join("&");
        assert!(decode(None, None, form(MAX_PARAMS).as_bytes()).is_ok());
        assert_eq!(decode(None, None, form(MAX_PARAMS + 1).as_bytes()), Err(DecodeError::TooMany));
        let nested = |depth: usize| format!("{{\"a\":{}1{}}}", "[".repeat(depth), "]".repeat(depth));
        assert!(decode(None, None, nested(MAX_DEPTH - 1).as_bytes()).is_ok());
        assert_eq!(decode(None, None, nested(MAX_DEPTH).as_bytes()), Err(DecodeError::TooDeep("a".into())));
        let dotted = format!("a{}=1", ".b".repeat(MAX_DEPTH));
        assert!(matches!(decode(None, None, dotted.as_bytes()), Err(DecodeError::TooDeep(_))));
        let inside = format!("{{\"a\":{{\"b{}\":1}}}}", ".c".repeat(100_000));
        assert_eq!(decode(None, None, inside.as_bytes()), Err(DecodeError::TooDeep("a".into())));
        let long = format!("a{}=1", ".b".repeat(100_000));
        let message = decode(None, None, long.as_bytes()).unwrap_err().to_string();
        assert!(message.len() < 200, "{message}");
        // Far deeper than any stack would bear.
        assert!(decode(None, None, nested(100_000).as_bytes()).is_err());
    }
}
