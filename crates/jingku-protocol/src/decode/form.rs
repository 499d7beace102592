//! Forms: the body of a POST and the query of any request.

use std::borrow::Cow;

use percent_encoding::percent_decode;

use super::decoder::{Decoder, check_name, without_zero_byte};
use super::error::DecodeError;
use crate::excerpt::excerpt;
use crate::params::Value;

/// Reads the pairs of a body as parameters.
pub(super) fn read(text: &str, decoder: &mut Decoder) -> Result<(), DecodeError> {
    for (name, value) in pairs(text) {
        decoder.count()?;
        let name = form_name(name)?;
        add(decoder, name, value)?;
    }
    Ok(())
}

/// Reads the pairs of a query as parameters, without those that the body has.
pub(super) fn read_query(text: &str, decoder: &mut Decoder) -> Result<(), DecodeError> {
    let from_body = std::mem::take(&mut decoder.names);
    for (name, value) in pairs(text) {
        let name = form_name(name)?;
        if !from_body.contains(name.as_ref()) {
            decoder.count()?;
            add(decoder, name, value)?;
        }
    }
    Ok(())
}

fn add(decoder: &mut Decoder, name: Cow<'_, str>, value: &str) -> Result<(), DecodeError> {
    check_name(&name, &name)?;
    let value = form_text(value).ok_or_else(|| DecodeError::TextNotUtf8(excerpt(&name)))?;
    let value = without_zero_byte(&name, value.into_owned())?;
    decoder.add(name.into_owned(), Value::Text(value))
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
