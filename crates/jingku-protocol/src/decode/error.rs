//! Why bytes are not a request.

use super::limits::{MAX_DEPTH, MAX_NAME_BYTES, MAX_PARAMS};

/// Why a request cannot be read as parameters. The caller must fix the request.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum DecodeError {
    /// The body is declared as JSON or looks like it, and is not valid JSON.
    #[error("The request body is not valid JSON: {0}")]
    InvalidJson(String),
    /// The JSON body is an array or a scalar.
    #[error("The request body must be a JSON object")]
    NotAnObject,
    /// The body is not UTF-8.
    #[error("The request body is not valid UTF-8")]
    NotUtf8,
    /// The body is neither a form nor JSON, by its media type and its content.
    #[error("The request body of type [{0}] cannot be read; send a form or a JSON object")]
    UnknownType(String),
    /// Likewise, and no media type was given.
    #[error("The request body has no Content-Type and cannot be read; send a form or a JSON object")]
    NoType,
    /// The body is compressed.
    #[error("The request body with Content-Encoding [{0}] cannot be read; send it without one")]
    Encoded(String),
    /// A name occurs twice: the signature has no separators, so the request is ambiguous.
    #[error("Params [{0}] is given twice")]
    Duplicate(String),
    /// More than [`MAX_PARAMS`] values.
    #[error("The request carries more than {MAX_PARAMS} parameters")]
    TooMany,
    /// Deeper than [`MAX_DEPTH`].
    #[error("Params [{0}] is nested deeper than {MAX_DEPTH} levels")]
    TooDeep(String),
    /// Longer than [`MAX_NAME_BYTES`].
    #[error("Params [{0}] has a name longer than {MAX_NAME_BYTES} bytes")]
    LongName(String),
    /// A zero byte, which no text of the API holds and no catalogue takes.
    #[error("Params [{0}] holds a zero byte")]
    ZeroByte(String),
    /// Percent-encoded bytes that are not UTF-8.
    #[error("Params [{0}] is not valid UTF-8")]
    TextNotUtf8(String),
    /// A number that no SDK can sign, such as `1e999`.
    #[error("Params [{0}] is not a finite number")]
    NotFinite(String),
}

impl DecodeError {
    /// The parameter at fault, or the first characters of its name.
    pub fn param(&self) -> Option<&str> {
        match self {
            Self::Duplicate(name)
            | Self::TooDeep(name)
            | Self::LongName(name)
            | Self::ZeroByte(name)
            | Self::TextNotUtf8(name)
            | Self::NotFinite(name) => Some(name),
            _ => None,
        }
    }
}
