//! What clients really sent, the last requests of it.

use std::collections::VecDeque;
use std::sync::Mutex;

use jingku_protocol::{Params, Value};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value as Json};

use crate::lock::lock;

/// The most requests remembered.
const ENTRIES_MAX: usize = 1000;
/// The most bytes remembered, as JSON.
const BYTES_MAX: usize = 8 << 20;
/// The most characters shown of a text.
const TEXT_CHARS_MAX: usize = 256;

/// One request and its answer.
#[derive(Clone, Default, Serialize)]
pub(super) struct Entry {
    /// Counts from 1 and is never used again.
    pub(super) number: u64,
    /// By the server's clock, Unix seconds.
    pub(super) time: i64,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) content_type: Option<String>,
    pub(super) user_agent: Option<String>,
    /// As sent, also when there is no such action.
    pub(super) action: Option<String>,
    /// Whose key pair signed; `null` unless the signature is valid.
    pub(super) account: Option<i64>,
    /// `absent`, `present` or `valid`.
    pub(super) signature: &'static str,
    /// In the shape in which they were sent.
    pub(super) params: Json,
    /// As they are understood: dotted names, texts.
    pub(super) decoded: Map<String, Json>,
    /// Names that the action does not read.
    pub(super) unknown: Vec<String>,
    /// Names that the documents call required, or the action does, and that were not sent.
    pub(super) missing: Vec<String>,
    /// What the lab did with it.
    pub(super) injected: Vec<String>,
    /// `null` when there was no answer.
    pub(super) ret_code: Option<i64>,
    /// From the request's head to the answer's.
    pub(super) ms: u64,
}

/// The last entries.
#[derive(Default)]
pub(super) struct Trace(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    last_number: u64,
    entries: VecDeque<(u64, Box<RawValue>)>,
    bytes: usize,
}

impl Trace {
    pub(super) fn add(&self, mut entry: Entry) {
        let mut kept = lock(&self.0);
        kept.last_number += 1;
        entry.number = kept.last_number;
        let json = serde_json::value::to_raw_value(&entry).expect("an entry serialises");
        kept.bytes += json.get().len();
        kept.entries.push_back((entry.number, json));
        while kept.entries.len() > ENTRIES_MAX || kept.bytes > BYTES_MAX {
            let Some((_, oldest)) = kept.entries.pop_front() else { break };
            kept.bytes -= oldest.get().len();
        }
    }

    /// Those with a larger number, the oldest first.
    pub(super) fn after(&self, number: u64) -> Vec<Box<RawValue>> {
        let kept = lock(&self.0);
        kept.entries.iter().filter(|(of, _)| *of > number).map(|(_, json)| json.clone()).collect()
    }

    pub(super) fn last_number(&self) -> u64 {
        lock(&self.0).last_number
    }

    pub(super) fn clear(&self) {
        let mut kept = lock(&self.0);
        kept.entries.clear();
        kept.bytes = 0;
    }
}

/// What a parameter must not show: secrets that a client should not have sent at all.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["private", "password", "secret", "token"].iter().any(|word| name.contains(word)) && name != "nexttoken"
}

/// Parameters in the shape in which they were sent, but for the signature and secrets.
pub(super) fn as_sent(params: &Params) -> Json {
    let shown = params.iter().filter(|(name, _)| *name != "Signature");
    Json::Object(shown.map(|(name, value)| (name.to_owned(), shape(name, value))).collect())
}

fn shape(name: &str, value: &Value) -> Json {
    if is_secret(name) {
        return Json::from("(hidden)");
    }
    match value {
        Value::Text(text) => Json::from(short(text)),
        Value::Bool(flag) => Json::from(*flag),
        Value::Number(digits) => serde_json::from_str(digits).unwrap_or_else(|_| Json::from(short(digits))),
        Value::Null => Json::Null,
        Value::List(items) => items.iter().map(|item| shape("", item)).collect(),
        Value::Map(members) => {
            Json::Object(members.iter().map(|(name, value)| (name.clone(), shape(name, value))).collect())
        }
    }
}

/// Parameters as they are understood, whatever their shape.
pub(super) fn decoded(params: &Params) -> Map<String, Json> {
    let mut names = Map::new();
    for (name, value) in params.iter().filter(|(name, _)| *name != "Signature") {
        flatten(name, value, &mut names);
    }
    names
}

fn flatten(name: &str, value: &Value, names: &mut Map<String, Json>) {
    let text = match value {
        _ if is_secret(name) => "(hidden)".to_owned(),
        Value::Text(text) | Value::Number(text) => short(text),
        Value::Bool(yes) => yes.to_string(),
        Value::Null => return,
        Value::List(items) => {
            let each = items.iter().enumerate();
            return each.for_each(|(index, item)| flatten(&format!("{name}.{index}"), item, names));
        }
        Value::Map(members) => {
            let each = members.iter();
            return each.for_each(|(member, value)| flatten(&format!("{name}.{member}"), value, names));
        }
    };
    names.insert(name.to_owned(), Json::from(text));
}

fn short(text: &str) -> String {
    match text.char_indices().nth(TEXT_CHARS_MAX) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}… ({} bytes)", &text[..end], text.len()),
    }
}

/// Names in the request that are not among those the action knows. `Tags.0` is one of `Tags`.
pub(super) fn unknown(params: &Params, known: impl Fn(&str) -> bool) -> Vec<String> {
    let first = |name: &str| name.split('.').next().unwrap_or_default().to_owned();
    let names = params.iter().map(|(name, _)| name).filter(|name| !known(name) && !known(&first(name)));
    names.map(short).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_bounded_by_number_and_by_bytes() {
        let trace = Trace::default();
        for _ in 0..ENTRIES_MAX + 5 {
            trace.add(Entry::default());
        }
        assert_eq!((trace.after(0).len(), trace.last_number()), (ENTRIES_MAX, ENTRIES_MAX as u64 + 5));
        let large = "x".repeat(BYTES_MAX / 3);
        for _ in 0..5 {
            trace.add(Entry { path: large.clone(), ..Entry::default() });
        }
        assert_eq!(trace.after(0).len(), 2);
        trace.clear();
        assert!(trace.after(0).is_empty());
        trace.add(Entry::default());
        assert_eq!(trace.after(trace.last_number() - 1).len(), 1);
    }

    #[test]
    fn no_secret_is_shown_and_every_shape_is() {
        let body = br#"{"Action":"X","Signature":"abc","PrivateKey":"p","Tags":["a",1],"Flag":true,"Deep":{"my_password":"q","n":null}}"#;
        let params = jingku_protocol::decode(None, Some("application/json"), body).unwrap();
        let sent = as_sent(&params);
        assert_eq!(
            sent,
            serde_json::json!({"Action":"X","PrivateKey":"(hidden)","Tags":["a",1],"Flag":true,
                               "Deep":{"my_password":"(hidden)","n":null}})
        );
        let decoded = Json::Object(decoded(&params));
        assert_eq!(
            decoded,
            serde_json::json!({"Action":"X","PrivateKey":"(hidden)","Tags.0":"a","Tags.1":"1","Flag":"true",
                               "Deep.my_password":"(hidden)"})
        );
        assert_eq!(
            unknown(&params, |name| ["Action", "Signature", "Tags"].contains(&name)),
            ["PrivateKey", "Flag", "Deep"]
        );
        assert_eq!(
            short(&"镜".repeat(300)).chars().count(),
            TEXT_CHARS_MAX + "… (900 bytes)".chars().count()
        );
    }
}
