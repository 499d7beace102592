//! The stored bytes, as `docs/format` describes them.

pub(crate) mod chunk;
pub(crate) mod layout;
pub(crate) mod manifest;
