//! The stored bytes, as `docs/format` describes them.

pub(crate) mod chunk;
pub(crate) mod layout;
pub(crate) mod manifest;

/// Content of the object `format`. A new layout of the names gets a new number, so that old programs refuse it.
pub(crate) const FORMAT: &str = "jingku-chunks 1\n";
