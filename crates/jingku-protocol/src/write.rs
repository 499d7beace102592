//! From a request to the parameters that a client sends, spelled as every SDK does: `Tags.0=a`.
//!
//! What has a default is not sent when it has it: an absent parameter, `false`, an empty list. Inside an `Option` it was
//! chosen and is sent; an empty list is then spelled `Tags=`, which clears.

use serde::Serialize;
use serde_json::Value as Json;

use crate::params::{Params, Value};
use crate::read::GROUPS;

pub(crate) fn write<R: Serialize + Default>(action: &str, request: &R) -> Params {
    let json = |request: &R| serde_json::to_value(request).expect("a request has only types that JSON has");
    let mut params = Params::for_action(action);
    spell(&mut params, "", &json(request), &json(&R::default()));
    params
}

/// Spells what has one dotted name; empty for the request itself.
fn spell(params: &mut Params, name: &str, value: &Json, default: &Json) {
    let below = |member: &str| match name {
        _ if GROUPS.contains(&member) => name.to_owned(),
        "" => member.to_owned(),
        _ => format!("{name}.{member}"),
    };
    let text = match value {
        Json::Null => return,
        Json::Bool(false) if *default == false => return,
        Json::Array(items) if items.is_empty() && default.is_array() => return,
        Json::Array(items) if items.is_empty() => String::new(),
        Json::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                spell(params, &below(&index.to_string()), item, &Json::Null);
            }
            return;
        }
        Json::Object(members) => {
            for (member, value) in members {
                spell(params, &below(member), value, &default[member]);
            }
            return;
        }
        Json::String(text) => text.clone(),
        Json::Bool(_) | Json::Number(_) => value.to_string(),
    };
    params.set(name, Value::Text(text));
}
