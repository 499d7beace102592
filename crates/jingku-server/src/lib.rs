//! HTTP over a library of images: gateway, one file per action, uploads, downloads, covers, and the test lab.

mod actions;
mod caller;
mod context;
mod cover;
mod download;
mod error;
mod gateway;
mod groups;
mod lab;
mod limits;
mod link;
mod pages;
mod reply;
mod server;
mod transfer;
mod upload;
mod view;

pub use context::Context;
pub use error::Error;
pub use limits::{
    MAX_EXPORTS, MAX_HEAD_BYTES, MAX_UPLOADS, STOP_TIMEOUT, TRANSFER_STEP_TIMEOUT, UPLOAD_CHECKPOINT,
};
pub use server::{router, serve, serve_with};
