//! Uploads: files that clients send, and the images to be made from them.

mod progress;
mod row;
mod start;

pub use progress::{FinishUpload, Receive, Received};
pub use row::{AgreedHash, Upload};
pub use start::{NewUpload, StartUpload};
