//! Forms: the body of a POST and the query of any request.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::decoder::{Decoder, check_name, without_zero_byte};
use super::error::DecodeError;
use crate::excerpt::excerpt;
use crate::params::Value;

/// Reads pairs as parameters, without those that were read before: a body wins over the query.
pub(super) fn read(text: &str, decoder: &mut Decoder) -> Result<(), DecodeError> {
    let from_body = std::mem::take(&mut decoder.names);
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = decoded(name, name)?;
        if from_body.contains(&name) {
            continue;
        }
        decoder.count()?;
        check_name(&name, &name)?;
        let value = without_zero_byte(&name, decoded(&name, value)?)?;
        decoder.add(name, Value::Text(value))?;
    }
    Ok(())
}

/// Decodes `%XX`, and `+` to a space. A lossy decoder would hide bytes that are not UTF-8, and the signature would not
/// match.
fn decoded(param: &str, text: &str) -> Result<String, DecodeError> {
    // A cover is large and has no `+` of its own: it is not copied twice.
    let spaced = if text.contains('+') { Cow::Owned(text.replace('+', " ")) } else { Cow::Borrowed(text) };
    let decoded = percent_decode_str(&spaced).decode_utf8().map(Cow::into_owned);
    decoded.map_err(|_| DecodeError::TextNotUtf8(excerpt(param)))
}
