//! Uploads: files that clients send, and the images to be made from them.

pub(crate) mod progress;
pub(crate) mod row;
pub(crate) mod start;
