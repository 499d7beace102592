//! The parameters of one request, exactly as they were received: this is what the signature covers.

use crate::param_error::ParamError;

/// A parameter value in the shape the client sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Decoded text; every form or query value is one.
    Text(String),
    /// JSON `true` or `false`.
    Bool(bool),
    /// A JSON number in the text form that is signed: digits as written for integers, otherwise the shortest plain
    /// decimal without exponent (`35.0` → `35`, `1e-7` → `0.0000001`).
    Number(String),
    /// JSON `null`; signs as its key alone.
    Null,
    /// A JSON array.
    List(Vec<Value>),
    /// A JSON object, members in the order received.
    Map(Vec<(String, Value)>),
}

impl Value {
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Number(text) => Some(text),
            Self::Bool(flag) => Some(if *flag { "true" } else { "false" }),
            Self::Null | Self::List(_) | Self::Map(_) => None,
        }
    }
}

/// An ordered set of named values; names are unique and case-sensitive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Params(pub(crate) Vec<(String, Value)>);

impl Params {
    /// Starts the parameters of a call to `action`.
    pub fn for_action(action: &str) -> Self {
        Self(vec![("Action".to_owned(), Value::Text(action.to_owned()))])
    }

    /// Sets `name`, replacing what was there.
    pub fn set(&mut self, name: &str, value: Value) {
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name.to_owned(), value)),
        }
    }

    /// Adds a text value; absent values are not sent.
    #[must_use]
    pub fn text(mut self, name: &str, value: Option<&str>) -> Self {
        if let Some(value) = value {
            self.set(name, Value::Text(value.to_owned()));
        }
        self
    }

    /// The value of `name`.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// The text of a parameter that the gateway reads before authentication; `None` when it is absent or null.
    ///
    /// Refuses one that is a list or an object, in whatever spelling.
    pub fn scalar(&self, name: &str) -> Result<Option<&str>, ParamError> {
        let is_below = |sent: &str| sent.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
        if self.iter().any(|(sent, value)| is_below(sent) && *value != Value::Null) {
            return Err(ParamError::not_available(name));
        }
        match self.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => value.text().map(Some).ok_or_else(|| ParamError::not_available(name)),
        }
    }

    /// The value of `name` when it is text.
    pub fn get_text(&self, name: &str) -> Option<&str> {
        match self.get(name) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// All parameters in the order received.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The `application/x-www-form-urlencoded` spelling. Lists and objects are spelled with dots.
    pub fn to_form(&self) -> String {
        let mut form = form_urlencoded::Serializer::new(String::new());
        for (name, value) in self.iter() {
            append(&mut form, name, value);
        }
        form.finish()
    }
}

fn append(form: &mut form_urlencoded::Serializer<'_, String>, name: &str, value: &Value) {
    match value {
        Value::List(items) => {
            for (index, item) in items.iter().enumerate() {
                append(form, &format!("{name}.{index}"), item);
            }
        }
        Value::Map(members) => {
            for (key, member) in members {
                append(form, &format!("{name}.{key}"), member);
            }
        }
        Value::Text(_) | Value::Number(_) | Value::Bool(_) | Value::Null => {
            form.extend_pairs(value.text().map(|text| (name, text)));
        }
    }
}
