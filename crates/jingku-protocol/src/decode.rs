//! From the bytes of an HTTP request to [`Params`].
//!
//! Four spellings are in use: GET query, POST form, POST JSON with flat dotted names (JS, Java and PHP SDKs) and POST
//! JSON with nested values (Go SDK). The Go SDK also repeats `Action` in the query of a POST, hence: a body parameter
//! wins over a query parameter of the same name, which then counts once.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::params::{Params, Value};

/// The largest request body, in bytes. A cover travels inside as Base64 text; nothing else is near this size.
pub const MAX_BODY_BYTES: usize = 8 * 1024 * 1024;
/// The most values one request may carry, counting every element of lists and objects.
pub const MAX_PARAMS: usize = 512;
/// The deepest nesting of JSON values or of dotted names; no action needs more than three levels.
pub const MAX_DEPTH: usize = 8;

/// The most characters of a name that an error repeats.
const EXCERPT_CHARS: usize = 64;

/// Why a request cannot be read as parameters. All of them are for the caller to mend.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum DecodeError {
    /// The body claims or looks to be JSON and is not.
    #[error("The request body is not valid JSON: {0}")]
    InvalidJson(String),
    /// The JSON body is an array or a scalar.
    #[error("The request body must be a JSON object")]
    NotAnObject,
    /// The body is not UTF-8.
    #[error("The request body is not valid UTF-8")]
    NotUtf8,
    /// One name twice: the signature has no separators, so which one was meant cannot be told.
    #[error("Params [{0}] is given twice")]
    Duplicate(String),
    /// More than [`MAX_PARAMS`] values.
    #[error("The request carries more than {MAX_PARAMS} parameters")]
    TooMany,
    /// Deeper than [`MAX_DEPTH`].
    #[error("Params [{0}] is nested deeper than {MAX_DEPTH} levels")]
    TooDeep(String),
    /// A zero byte, which no text of the API holds and no catalogue takes.
    #[error("Params [{0}] holds a zero byte")]
    ZeroByte(String),
    /// A number that no SDK can sign, such as `1e999`.
    #[error("Params [{0}] is not a finite number")]
    NotFinite(String),
}

/// Reads the effective parameters of a request.
///
/// The parser is chosen by `content_type`; without a known one, a body that starts with `{` is read as JSON and any
/// other as a form. The caller has bounded the body by [`MAX_BODY_BYTES`].
pub fn decode(query: Option<&str>, content_type: Option<&str>, body: &[u8]) -> Result<Params, DecodeError> {
    let mut decoder = Decoder::default();
    if body.iter().any(|byte| !byte.is_ascii_whitespace()) {
        let body = std::str::from_utf8(body).map_err(|_| DecodeError::NotUtf8)?;
        if is_json(content_type, body) {
            decoder.json(body)?;
        } else {
            decoder.form(body.trim_ascii())?;
        }
    }
    if let Some(query) = query {
        decoder.query(query)?;
    }
    Ok(decoder.params)
}

fn is_json(content_type: Option<&str>, body: &str) -> bool {
    let media_type = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return false;
    }
    media_type.eq_ignore_ascii_case("application/json") || body.trim_ascii_start().starts_with('{')
}

#[derive(Default)]
struct Decoder {
    params: Params,
    names: HashSet<String>,
    values: usize,
}

impl Decoder {
    fn form(&mut self, text: &str) -> Result<(), DecodeError> {
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            self.add_text(name, value)?;
        }
        Ok(())
    }

    fn query(&mut self, text: &str) -> Result<(), DecodeError> {
        let from_body = std::mem::take(&mut self.names);
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            if !from_body.contains(name.as_ref()) {
                self.add_text(name, value)?;
            }
        }
        Ok(())
    }

    fn json(&mut self, text: &str) -> Result<(), DecodeError> {
        let text = text.trim_start_matches('\u{feff}').trim_ascii();
        // Checked once as a whole, so that every piece below is known to be well-formed.
        let raw: &RawValue =
            serde_json::from_str(text).map_err(|e| DecodeError::InvalidJson(e.to_string()))?;
        if !raw.get().starts_with('{') {
            return Err(DecodeError::NotAnObject);
        }
        for (name, raw) in members(raw.get())? {
            let value = self.json_value(&name, raw.get(), levels(&name))?;
            self.add(name, value)?;
        }
        Ok(())
    }

    /// Reads one JSON value, keeping the literal digits of integers: they are signed as written.
    fn json_value(&mut self, name: &str, raw: &str, depth: usize) -> Result<Value, DecodeError> {
        if depth > MAX_DEPTH {
            return Err(DecodeError::TooDeep(excerpt(name)));
        }
        self.count()?;
        Ok(match raw.as_bytes().first() {
            Some(b'"') => Value::Text(without_zero_byte(name, parse(raw)?)?),
            Some(b't') => Value::Bool(true),
            Some(b'f') => Value::Bool(false),
            Some(b'n') => Value::Null,
            Some(b'[') => {
                let items: Vec<&RawValue> = parse(raw)?;
                let items = items.into_iter().map(|item| self.json_value(name, item.get(), depth + 1));
                Value::List(items.collect::<Result<_, _>>()?)
            }
            Some(b'{') => {
                let mut seen = HashSet::new();
                let mut map = Vec::new();
                for (key, raw) in members(raw)? {
                    if !seen.insert(key.clone()) {
                        return Err(DecodeError::Duplicate(excerpt(&format!("{name}.{key}"))));
                    }
                    // A dotted name inside an object opens levels like any other.
                    let value = self.json_value(name, raw.get(), depth + levels(&key))?;
                    map.push((key, value));
                }
                Value::Map(map)
            }
            _ => Value::Number(number_text(name, raw)?),
        })
    }

    fn add_text(&mut self, name: Cow<'_, str>, value: Cow<'_, str>) -> Result<(), DecodeError> {
        self.count()?;
        let value = without_zero_byte(&name, value.into_owned())?;
        self.add(name.into_owned(), Value::Text(value))
    }

    fn add(&mut self, name: String, value: Value) -> Result<(), DecodeError> {
        if levels(&name) > MAX_DEPTH {
            return Err(DecodeError::TooDeep(excerpt(&name)));
        }
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

/// How many levels a name opens in the tree: dots nest like brackets, wherever the name stands.
fn levels(name: &str) -> usize {
    name.split('.').count()
}

/// The members of a JSON object with their values unread.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Members<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

fn members(raw: &str) -> Result<Vec<(String, &RawValue)>, DecodeError> {
    parse::<Members<'_>>(raw).map(|members| members.0)
}

fn parse<'a, T: Deserialize<'a>>(raw: &'a str) -> Result<T, DecodeError> {
    serde_json::from_str(raw).map_err(|error| DecodeError::InvalidJson(error.to_string()))
}

/// A name as an error shows it: a hostile one may be megabytes long.
fn excerpt(name: &str) -> String {
    match name.char_indices().nth(EXCERPT_CHARS) {
        None => name.to_owned(),
        Some((end, _)) => format!("{}…", &name[..end]),
    }
}

fn without_zero_byte(name: &str, text: String) -> Result<String, DecodeError> {
    if text.contains('\0') { Err(DecodeError::ZeroByte(excerpt(name))) } else { Ok(text) }
}

fn number_text(name: &str, raw: &str) -> Result<String, DecodeError> {
    if raw.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') {
        return Ok(raw.to_owned());
    }
    match raw.parse::<f64>() {
        // `Display` of f64 is the shortest decimal that round-trips, never with an exponent: what the SDKs sign.
        Ok(number) if number.is_finite() => Ok(number.to_string()),
        _ => Err(DecodeError::NotFinite(excerpt(name))),
    }
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
    fn bad_bodies_say_what_is_wrong() {
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
