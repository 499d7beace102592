//! JSON bodies, read in one pass: values, levels and names are counted before they are kept.

use std::collections::HashSet;

use serde::de::IgnoredAny;
use struson::reader::{JsonReader, JsonStreamReader, ReaderError, ReaderSettings, ValueType};

use super::decoder::{Decoder, check_name, levels, without_zero_byte};
use super::error::DecodeError;
use super::limits::MAX_DEPTH;
use crate::excerpt::excerpt;
use crate::params::Value;

pub(super) fn read(text: &str, decoder: &mut Decoder) -> Result<(), DecodeError> {
    // Depth and numbers have limits of their own here.
    let settings = ReaderSettings {
        track_path: false,
        max_nesting_depth: None,
        restrict_number_values: false,
        ..ReaderSettings::default()
    };
    let json = Json { reader: JsonStreamReader::new_custom(text.as_bytes(), settings), decoder };
    json.parameters().map_err(|error| match error {
        // The other parser says it in words for people.
        DecodeError::InvalidJson(kind) => {
            let words = serde_json::from_str::<IgnoredAny>(text).err();
            DecodeError::InvalidJson(words.map_or(kind, |error| error.to_string()))
        }
        other => other,
    })
}

struct Json<'a> {
    reader: JsonStreamReader<&'a [u8]>,
    decoder: &'a mut Decoder,
}

impl Json<'_> {
    fn parameters(mut self) -> Result<(), DecodeError> {
        if self.reader.peek()? != ValueType::Object {
            return Err(DecodeError::NotAnObject);
        }
        for (name, value) in self.members(None, 0)? {
            self.decoder.add(name, value)?;
        }
        Ok(self.reader.consume_trailing_whitespace()?)
    }

    /// Reads the members of an object in the parameter `param`, or of the request.
    fn members(&mut self, param: Option<&str>, depth: usize) -> Result<Vec<(String, Value)>, DecodeError> {
        self.reader.begin_object()?;
        let mut seen = HashSet::new();
        let mut members = Vec::new();
        while self.reader.has_next()? {
            let name = self.reader.next_name()?;
            check_name(param.unwrap_or(name), name)?;
            let name = name.to_owned();
            if !seen.insert(name.clone()) {
                let full = param.map_or_else(|| name.clone(), |param| format!("{param}.{name}"));
                return Err(DecodeError::Duplicate(excerpt(&full)));
            }
            // A dotted name inside an object opens levels like any other.
            let value = self.value(param.unwrap_or(&name), depth + levels(&name))?;
            members.push((name, value));
        }
        self.reader.end_object()?;
        Ok(members)
    }

    /// Reads one value of the parameter `param`, keeping the literal digits of integers: they are signed as written.
    fn value(&mut self, param: &str, depth: usize) -> Result<Value, DecodeError> {
        if depth > MAX_DEPTH {
            return Err(DecodeError::TooDeep(excerpt(param)));
        }
        self.decoder.count()?;
        Ok(match self.reader.peek()? {
            ValueType::String => Value::Text(without_zero_byte(param, self.reader.next_string()?)?),
            ValueType::Number => Value::Number(number_text(param, self.reader.next_number_as_string()?)?),
            ValueType::Boolean => Value::Bool(self.reader.next_bool()?),
            ValueType::Null => {
                self.reader.next_null()?;
                Value::Null
            }
            ValueType::Array => {
                self.reader.begin_array()?;
                let mut items = Vec::new();
                while self.reader.has_next()? {
                    items.push(self.value(param, depth + 1)?);
                }
                self.reader.end_array()?;
                Value::List(items)
            }
            ValueType::Object => Value::Map(self.members(Some(param), depth)?),
        })
    }
}

impl From<ReaderError> for DecodeError {
    fn from(error: ReaderError) -> Self {
        Self::InvalidJson(error.to_string())
    }
}

fn number_text(param: &str, literal: String) -> Result<String, DecodeError> {
    if literal.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') {
        return Ok(literal);
    }
    match literal.parse::<f64>() {
        // `Display` of f64 is the shortest decimal that round-trips, never with an exponent: what the SDKs sign.
        Ok(number) if number.is_finite() => Ok(number.to_string()),
        _ => Err(DecodeError::NotFinite(excerpt(param))),
    }
}
