//! Uploaded files.

mod file;
mod hashed;
mod store;

pub use file::{Acknowledged, UploadFile};
pub use store::{UploadLock, UploadStore};

pub(crate) use store::UNPACKED;
