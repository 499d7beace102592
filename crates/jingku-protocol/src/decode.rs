//! From the bytes of an HTTP request to [`Params`].
//!
//! Four spellings are in use: GET query, POST form, POST JSON with flat dotted names (JS, Java and PHP SDKs) and POST
//! JSON with nested values (Go SDK). The Go SDK also repeats `Action` in the query of a POST, hence: a body parameter
//! wins over a query parameter of the same name, which then counts once.
//!
//! Requests are untrusted, so everything is counted while it is read, before it takes memory.

mod body;
mod json;

use std::borrow::Cow;
use std::collections::HashSet;

use percent_encoding::percent_decode;

use crate::excerpt::excerpt;
use crate::params::{Params, Value};

use body::Body;

/// The largest request body, in bytes. A cover travels inside as Base64 text; nothing else is near this size.
pub const MAX_BODY_BYTES: usize = 8 * 1024 * 1024;
/// The most values one request may carry, counting every element of lists and objects.
pub const MAX_PARAMS: usize = 512;
/// The deepest nesting of JSON values or of dotted names; no action needs more than three levels.
pub const MAX_DEPTH: usize = 8;
/// The longest name of a parameter or of a member of an object, in bytes.
pub const MAX_NAME_BYTES: usize = 256;

/// Why a request cannot be read as parameters. The caller must fix the request.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum DecodeError {
    /// The body is declared as JSON or looks like it, and is not valid JSON.
    #[error("The request body is not valid JSON: {0}")]
    InvalidJson(String),
    /// The JSON body is an array or a scalar.
    #[error("The request body must be a JSON object")]
    NotAnObject,
    /// The body is not UTF-8.
    #[error("The request body is not valid UTF-8")]
    NotUtf8,
    /// The body is neither a form nor JSON, by its media type and its content.
    #[error("The request body of type [{0}] cannot be read; send a form or a JSON object")]
    UnknownType(String),
    /// Likewise, and no media type was given.
    #[error("The request body has no Content-Type and cannot be read; send a form or a JSON object")]
    NoType,
    /// The body is compressed.
    #[error("The request body with Content-Encoding [{0}] cannot be read; send it without one")]
    Encoded(String),
    /// A name occurs twice: the signature has no separators, so the request is ambiguous.
    #[error("Params [{0}] is given twice")]
    Duplicate(String),
    /// More than [`MAX_PARAMS`] values.
    #[error("The request carries more than {MAX_PARAMS} parameters")]
    TooMany,
    /// Deeper than [`MAX_DEPTH`].
    #[error("Params [{0}] is nested deeper than {MAX_DEPTH} levels")]
    TooDeep(String),
    /// Longer than [`MAX_NAME_BYTES`].
    #[error("Params [{0}] has a name longer than {MAX_NAME_BYTES} bytes")]
    LongName(String),
    /// A zero byte, which no text of the API holds and no catalogue takes.
    #[error("Params [{0}] holds a zero byte")]
    ZeroByte(String),
    /// Percent-encoded bytes that are not UTF-8.
    #[error("Params [{0}] is not valid UTF-8")]
    TextNotUtf8(String),
    /// A number that no SDK can sign, such as `1e999`.
    #[error("Params [{0}] is not a finite number")]
    NotFinite(String),
}

impl DecodeError {
    /// The parameter at fault, or the first characters of its name.
    pub fn param(&self) -> Option<&str> {
        match self {
            Self::Duplicate(name)
            | Self::TooDeep(name)
            | Self::LongName(name)
            | Self::ZeroByte(name)
            | Self::TextNotUtf8(name)
            | Self::NotFinite(name) => Some(name),
            Self::InvalidJson(_)
            | Self::NotAnObject
            | Self::NotUtf8
            | Self::UnknownType(_)
            | Self::NoType
            | Self::Encoded(_)
            | Self::TooMany => None,
        }
    }
}

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
        Body::Form(text) => decoder.form(text)?,
    }
    if let Some(query) = query {
        decoder.query(query)?;
    }
    Ok(decoder.params)
}

#[derive(Default)]
struct Decoder {
    params: Params,
    names: HashSet<String>,
    values: usize,
}

impl Decoder {
    fn form(&mut self, text: &str) -> Result<(), DecodeError> {
        for (name, value) in pairs(text) {
            self.count()?;
            let name = form_name(name)?;
            self.add_text(name, value)?;
        }
        Ok(())
    }

    fn query(&mut self, text: &str) -> Result<(), DecodeError> {
        let from_body = std::mem::take(&mut self.names);
        for (name, value) in pairs(text) {
            let name = form_name(name)?;
            if !from_body.contains(name.as_ref()) {
                self.count()?;
                self.add_text(name, value)?;
            }
        }
        Ok(())
    }

    fn add_text(&mut self, name: Cow<'_, str>, value: &str) -> Result<(), DecodeError> {
        check_name(&name, &name)?;
        let value = form_text(value).ok_or_else(|| DecodeError::TextNotUtf8(excerpt(&name)))?;
        let value = without_zero_byte(&name, value.into_owned())?;
        self.add(name.into_owned(), Value::Text(value))
    }

    /// Adds a parameter whose name was checked.
    fn add(&mut self, name: String, value: Value) -> Result<(), DecodeError> {
        if !self.names.insert(name.clone()) {
            return Err(DecodeError::Duplicate(excerpt(&name)));
        }
        self.params.push(name, value);
        Ok(())
    }

    fn count(&mut self) -> Result<(), DecodeError> {
        self.values += 1;
        if self.values > MAX_PARAMS { Err(DecodeError::TooMany) } else { Ok(()) }
    }
}

/// The pairs of a form, still encoded.
fn pairs(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

fn form_name(name: &str) -> Result<Cow<'_, str>, DecodeError> {
    form_text(name).ok_or_else(|| DecodeError::TextNotUtf8(excerpt(name)))
}

/// Decodes `%XX`, and `+` to a space; `None` if the result is not UTF-8. A lossy decoder would hide that, and the
/// signature would not match.
fn form_text(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains(['%', '+']) {
        return Some(Cow::Borrowed(text));
    }
    let mut bytes = Vec::with_capacity(text.len());
    for (index, part) in text.split('+').enumerate() {
        if index > 0 {
            bytes.push(b' ');
        }
        bytes.extend(percent_decode(part.as_bytes()));
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

/// Checks the name of a parameter, or of a member of the parameter `param`.
fn check_name(param: &str, name: &str) -> Result<(), DecodeError> {
    if levels(name) > MAX_DEPTH {
        Err(DecodeError::TooDeep(excerpt(param)))
    } else if name.len() > MAX_NAME_BYTES {
        Err(DecodeError::LongName(excerpt(param)))
    } else {
        Ok(())
    }
}

/// How many levels a name adds to the tree: dots nest like brackets.
fn levels(name: &str) -> usize {
    name.split('.').count()
}

fn without_zero_byte(name: &str, text: String) -> Result<String, DecodeError> {
    if text.contains('\0') { Err(DecodeError::ZeroByte(excerpt(name))) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

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
