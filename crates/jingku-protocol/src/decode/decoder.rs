//! The parameters read so far, counted against the limits.

use std::collections::HashSet;

use super::error::DecodeError;
use super::limits::{MAX_DEPTH, MAX_NAME_BYTES, MAX_PARAMS};
use crate::excerpt::excerpt;
use crate::params::{Params, Value};

#[derive(Default)]
pub(super) struct Decoder {
    pub(super) params: Params,
    pub(super) names: HashSet<String>,
    values: usize,
}

impl Decoder {
    /// Adds a parameter whose name was checked.
    pub(super) fn add(&mut self, name: String, value: Value) -> Result<(), DecodeError> {
        if !self.names.insert(name.clone()) {
            return Err(DecodeError::Duplicate(excerpt(&name)));
        }
        self.params.0.push((name, value));
        Ok(())
    }

    pub(super) fn count(&mut self) -> Result<(), DecodeError> {
        self.values += 1;
        if self.values > MAX_PARAMS { Err(DecodeError::TooMany) } else { Ok(()) }
    }
}

/// Checks the name of a parameter, or of a member of the parameter `param`.
pub(super) fn check_name(param: &str, name: &str) -> Result<(), DecodeError> {
    if levels(name) > MAX_DEPTH {
        Err(DecodeError::TooDeep(excerpt(param)))
    } else if name.len() > MAX_NAME_BYTES {
        Err(DecodeError::LongName(excerpt(param)))
    } else {
        Ok(())
    }
}

/// How many levels a name adds to the tree: dots nest like brackets.
pub(super) fn levels(name: &str) -> usize {
    name.split('.').count()
}

pub(super) fn without_zero_byte(name: &str, text: String) -> Result<String, DecodeError> {
    if text.contains('\0') { Err(DecodeError::ZeroByte(excerpt(name))) } else { Ok(text) }
}
