//! Uploads: files that clients send, and the images to be made from them.

mod progress;
mod row;
mod start;

pub use progress::{FinishUpload, Receive, Received};
pub use row::{AgreedHash, Upload};
pub(crate) use row::{delete_upload, end_upload};
pub use start::{NewUpload, StartUpload};
