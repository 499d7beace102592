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
    ANSWER_SECS, ANSWERS_MAX, BODY_READ_TIMEOUT, COVER_WAIT_TIMEOUT, DELETED_SECS, HEADER_READ_TIMEOUT,
    LARGE_BODY_WAIT_TIMEOUT, MAX_COVER_CHECKS, MAX_EXPORTS, MAX_HEAD_BYTES, MAX_HELD_BYTES,
    MAX_LARGE_BODIES_BYTES, MAX_RESERVED_CONNECTIONS, MAX_UPLOAD_HASHES, MAX_UPLOADS, SPARED_HELD_BYTES,
    STALL_TIMEOUT, STOP_TIMEOUT, TRANSFER_STEP_BYTES, TRANSFER_STEP_TIMEOUT, TRANSFER_TIME_MAX,
    UPLOAD_CHECKPOINT, UPLOAD_HASH_TIMEOUT,
};
pub use server::{router, serve, serve_with};
