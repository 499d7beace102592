//! The stored bytes, as `docs/format` describes them.

pub(crate) mod chunk;
pub(crate) mod manifest;

/// The smallest chunk size that a manifest may name, in bytes.
pub const CHUNK_SIZE_MIN: u64 = 4 << 10;

/// The largest chunk size that a manifest may name, in bytes. Also bounds what a damaged chunk can make a reader allocate.
pub const CHUNK_SIZE_MAX: u64 = 4 << 20;

/// The largest disk, in bytes: 1 PiB.
pub const LOGICAL_SIZE_MAX: u64 = 1 << 50;

/// What is wrong with stored bytes.
pub(crate) type Malformed = &'static str;
