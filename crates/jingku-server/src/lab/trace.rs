//! The last requests as clients sent them.

use std::collections::VecDeque;
use std::sync::Mutex;

use jingku_library::lock;
use jingku_protocol::actions::is_blake3;
use jingku_protocol::{Params, Value};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value as Json};

use super::secrets::{HIDDEN, is_digit_or_gap, is_secret, without_secrets};

/// Maximum number of requests in a trace.
const ENTRIES_MAX: usize = 1000;
/// Maximum size of a trace, in bytes of JSON.
const BYTES_MAX: usize = 8 << 20;
/// Maximum characters shown of a text.
const TEXT_CHARS_MAX: usize = 256;
/// Bytes of a text that are searched for secrets. The rest is not shown.
const SEARCHED_BYTES_MAX: usize = 4096;

/// One request and its response.
#[derive(Clone, Default, Serialize)]
pub(super) struct Entry {
    /// Counts from 1; never reused.
    pub(super) number: u64,
    /// Unix seconds of the server's clock.
    pub(super) time: i64,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) content_type: Option<String>,
    pub(super) user_agent: Option<String>,
    /// As sent, also if unknown.
    pub(super) action: Option<String>,
    /// The signing account; `null` unless the signature is valid.
    pub(super) account: Option<i64>,
    /// `absent`, `present` or `valid`.
    pub(super) signature: &'static str,
    /// In the shape that was sent.
    pub(super) params: Json,
    /// As decoded: dotted names and texts.
    pub(super) decoded: Map<String, Json>,
    /// Names that the action ignores.
    pub(super) unknown: Vec<String>,
    /// The invalid parameter; `null` if the response names none.
    pub(super) refused: Option<String>,
    /// Missing names that the documents or the action require.
    pub(super) missing: Vec<String>,
    pub(super) injected: Vec<String>,
    /// `null` without a response.
    pub(super) ret_code: Option<i64>,
    /// From the request's head to the response's.
    pub(super) ms: u64,
}

/// The last entries.
#[derive(Default)]
pub(super) struct Trace(Mutex<Entries>);

#[derive(Default)]
struct Entries {
    last_number: u64,
    queue: VecDeque<(u64, Box<RawValue>)>,
    bytes: usize,
}

impl Trace {
    pub(super) fn add(&self, mut entry: Entry) {
        let mut entries = lock(&self.0);
        entries.last_number += 1;
        entry.number = entries.last_number;
        let json = serde_json::value::to_raw_value(&entry).expect("an entry serialises");
        entries.bytes += json.get().len();
        entries.queue.push_back((entry.number, json));
        while entries.queue.len() > ENTRIES_MAX || entries.bytes > BYTES_MAX {
            let Some((_, oldest)) = entries.queue.pop_front() else { break };
            entries.bytes -= oldest.get().len();
        }
    }

    /// Entries with a larger number, oldest first.
    pub(super) fn after(&self, number: u64) -> Vec<Box<RawValue>> {
        let entries = lock(&self.0);
        entries.queue.iter().filter(|(of, _)| *of > number).map(|(_, json)| json.clone()).collect()
    }

    pub(super) fn last_number(&self) -> u64 {
        lock(&self.0).last_number
    }

    pub(super) fn clear(&self) {
        let mut entries = lock(&self.0);
        entries.queue.clear();
        entries.bytes = 0;
    }
}

/// The parameters in the shape that was sent, without the signature and secrets.
pub(super) fn as_sent(params: &Params) -> Json {
    let shown = params.iter().filter(|(name, _)| *name != "Signature");
    Json::Object(shown.map(|(name, value)| (redact(name), shape(name, value))).collect())
}

fn shape(name: &str, value: &Value) -> Json {
    if is_secret(name) {
        return Json::from(HIDDEN);
    }
    match value {
        Value::Text(text) => Json::from(redact_value(name, text)),
        Value::Bool(flag) => Json::from(*flag),
        Value::Number(digits) => {
            let shown = redact_value(name, digits);
            match serde_json::from_str(digits) {
                Ok(number) if shown == *digits => number,
                _ => Json::from(shown),
            }
        }
        Value::Null => Json::Null,
        Value::List(items) => items.iter().map(|item| shape(name, item)).collect(),
        Value::Map(members) => {
            Json::Object(members.iter().map(|(name, value)| (redact(name), shape(name, value))).collect())
        }
    }
}

pub(super) fn decoded(params: &Params) -> Map<String, Json> {
    let mut shown = Map::new();
    for (name, value) in params.iter().filter(|(name, _)| *name != "Signature") {
        each_text(name, value, &mut |name, text| {
            let text = if is_secret(name) { HIDDEN.to_owned() } else { redact_value(name, text) };
            shown.insert(redact(name), Json::from(text));
        });
    }
    shown
}

/// Calls `visit` with the dotted name and the text of every scalar in a parameter.
fn each_text(name: &str, value: &Value, visit: &mut impl FnMut(&str, &str)) {
    match value {
        Value::Text(text) | Value::Number(text) => visit(name, text),
        Value::Bool(flag) => visit(name, if *flag { "true" } else { "false" }),
        Value::Null => {}
        Value::List(items) => {
            for (index, item) in items.iter().enumerate() {
                each_text(&format!("{name}.{index}"), item, visit);
            }
        }
        Value::Map(members) => {
            for (member, value) in members {
                each_text(&format!("{name}.{member}"), value, visit);
            }
        }
    }
}

pub(super) fn redact(text: &str) -> String {
    let head = &text[..text.floor_char_boundary(SEARCHED_BYTES_MAX)];
    let shown = without_secrets(head);
    if head.len() == text.len() {
        return shorten(&shown, text.len());
    }
    // The end of the searched part may be the start of a secret.
    shorten(shown.trim_end_matches(|char| is_digit_or_gap(char) || char == '%'), text.len())
}

/// Redacts and shortens the text of a parameter.
fn redact_value(name: &str, text: &str) -> String {
    // The hash of a file looks like a secret but is none.
    if name == "Blake3" && is_blake3(text) { text.to_owned() } else { redact(text) }
}

fn shorten(text: &str, length: usize) -> String {
    match text.char_indices().nth(TEXT_CHARS_MAX) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}… ({length} bytes)", &text[..end]),
    }
}

/// Returns the parameters of a request that the action does not know. Unknown members of a known object are dotted.
pub(super) fn unknown(params: &Params, known: impl Fn(&str) -> bool) -> Vec<String> {
    let mut names = Vec::new();
    for (name, value) in params.iter() {
        if !known(name) {
            names.push(redact(name));
            continue;
        }
        each_text(name, value, &mut |name, _| {
            if !known(name) {
                names.push(redact(name));
            }
        });
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_limited_by_number_and_bytes() {
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
    fn secrets_are_hidden_and_every_shape_is_shown() {
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
        let known = |name: &str| ["Action", "Signature", "Tags", "Tags.0", "Deep"].contains(&name);
        assert_eq!(unknown(&params, known), ["PrivateKey", "Tags.1", "Flag", "Deep.my_password"]);
        assert_eq!(
            redact(&"镜".repeat(300)).chars().count(),
            TEXT_CHARS_MAX + "… (900 bytes)".chars().count()
        );
    }
}
