//! What clients really sent, the last requests of it.

use std::collections::VecDeque;
use std::sync::Mutex;

use jingku_library::lock;
use jingku_protocol::actions::is_blake3;
use jingku_protocol::{Params, Value};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value as Json};

use super::secrets::{HIDDEN, is_digit_or_gap, is_secret, without_secrets};

/// The most requests that a trace remembers.
const ENTRIES_MAX: usize = 1000;
/// The most bytes of JSON that a trace remembers.
const BYTES_MAX: usize = 8 << 20;
/// The most characters shown of a text.
const TEXT_CHARS_MAX: usize = 256;
/// How many bytes of a text are searched for secrets; the rest is not shown.
const SEARCHED_BYTES_MAX: usize = 4096;

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
    /// Names that the action does not read: ignored.
    pub(super) unknown: Vec<String>,
    /// The parameter that the answer blames; `null` when it blames none.
    pub(super) refused: Option<String>,
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

/// Parameters in the shape in which they were sent, but for the signature and secrets.
pub(super) fn as_sent(params: &Params) -> Json {
    let shown = params.iter().filter(|(name, _)| *name != "Signature");
    Json::Object(shown.map(|(name, value)| (short(name), shape(name, value))).collect())
}

fn shape(name: &str, value: &Value) -> Json {
    if is_secret(name) {
        return Json::from(HIDDEN);
    }
    match value {
        Value::Text(text) => Json::from(short_value(name, text)),
        Value::Bool(flag) => Json::from(*flag),
        Value::Number(digits) => {
            let shown = short_value(name, digits);
            if shown == *digits {
                serde_json::from_str(digits).unwrap_or(Json::from(shown))
            } else {
                Json::from(shown)
            }
        }
        Value::Null => Json::Null,
        Value::List(items) => items.iter().map(|item| shape(name, item)).collect(),
        Value::Map(members) => {
            Json::Object(members.iter().map(|(name, value)| (short(name), shape(name, value))).collect())
        }
    }
}

/// Parameters as they are understood, whatever their shape.
pub(super) fn decoded(params: &Params) -> Map<String, Json> {
    let mut shown = Map::new();
    for (name, value) in params.iter().filter(|(name, _)| *name != "Signature") {
        each_text(name, value, &mut |name, text| {
            let text = if is_secret(name) { HIDDEN.to_owned() } else { short_value(name, text) };
            shown.insert(short(name), Json::from(text));
        });
    }
    shown
}

/// Calls `see` with the dotted name and the text of every scalar in a parameter.
fn each_text(name: &str, value: &Value, see: &mut impl FnMut(&str, &str)) {
    match value {
        Value::Text(text) | Value::Number(text) => see(name, text),
        Value::Bool(flag) => see(name, if *flag { "true" } else { "false" }),
        Value::Null => {}
        Value::List(items) => {
            for (index, item) in items.iter().enumerate() {
                each_text(&format!("{name}.{index}"), item, see);
            }
        }
        Value::Map(members) => {
            for (member, value) in members {
                each_text(&format!("{name}.{member}"), value, see);
            }
        }
    }
}

/// A text as it is shown: without secrets, and not too long.
pub(super) fn short(text: &str) -> String {
    let head = &text[..text.floor_char_boundary(SEARCHED_BYTES_MAX)];
    let shown = without_secrets(head);
    if head.len() == text.len() {
        return shorten(&shown, text.len());
    }
    // The end of what was searched may be the start of a secret.
    shorten(shown.trim_end_matches(|char| is_digit_or_gap(char) || char == '%'), text.len())
}

/// The text of a parameter as it is shown.
fn short_value(name: &str, text: &str) -> String {
    // The hash of a file is no secret, though it looks like one.
    if name == "Blake3" && is_blake3(text) { text.to_owned() } else { short(text) }
}

fn shorten(text: &str, length: usize) -> String {
    match text.char_indices().nth(TEXT_CHARS_MAX) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}… ({length} bytes)", &text[..end]),
    }
}

/// Names in the request that the action does not know, as they were sent; those of members that it does not know of an
/// object it does know are dotted.
pub(super) fn unknown(params: &Params, known: impl Fn(&str) -> bool) -> Vec<String> {
    let mut names = Vec::new();
    for (name, value) in params.iter() {
        if !known(name) {
            names.push(short(name));
            continue;
        }
        each_text(name, value, &mut |name, _| {
            if !known(name) {
                names.push(short(name));
            }
        });
    }
    names
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
        let known = |name: &str| ["Action", "Signature", "Tags", "Tags.0", "Deep"].contains(&name);
        assert_eq!(unknown(&params, known), ["PrivateKey", "Tags.1", "Flag", "Deep.my_password"]);
        assert_eq!(
            short(&"镜".repeat(300)).chars().count(),
            TEXT_CHARS_MAX + "… (900 bytes)".chars().count()
        );
    }
}
