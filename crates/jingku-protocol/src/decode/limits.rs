//! What a request may carry.

/// The largest request body, in bytes. A cover travels inside as Base64 text; nothing else is near this size.
pub const MAX_BODY_BYTES: usize = 8 * 1024 * 1024;
/// The most values one request may carry, counting every element of lists and objects.
pub const MAX_PARAMS: usize = 512;
/// The deepest nesting of JSON values or of dotted names; no action needs more than three levels.
pub const MAX_DEPTH: usize = 8;
/// The longest name of a parameter or of a member of an object, in bytes.
pub const MAX_NAME_BYTES: usize = 256;
