//! HTTP over a library of images: gateway, one file per action, uploads, downloads, covers, and the test lab.

mod actions {
    //! One file per action. The table of actions is in `jingku_protocol::actions`.

    macro_rules! files {
        ($($action:ident $file:ident $request:ident $response:ident;)*) => { $(pub(crate) mod $file;)* };
    }

    jingku_protocol::for_each_action!(files);
}

mod audit;
mod call;
mod context;
mod cover;
mod download;
mod error;
mod frames;
mod gateway;
mod groups;
mod history;
mod identity;
mod instance;
mod lab;
mod limits;
mod link;
mod metrics;
mod newest;
mod operator;
mod origin;
mod pages;
mod pods;
mod quote;
mod registry;
mod reply;
mod request_rate;
mod rows;
mod sampling;
mod server;
mod session_cache;
mod sessions;
mod sign_in_failures;
mod software;
mod trace_parent;
mod transfer;
mod upload;
mod view;
mod webhook;

pub use context::Context;
pub use cover::BYTES_MAX as COVER_BYTES_MAX;
pub use gateway::REQUEST_SPAN;
pub use history::Sample;
pub use identity::{Identity, Refusal};
pub use limits::{
    MAX_EXPORTS, MAX_HEAD_BYTES, MAX_UPLOADS, STOP_TIMEOUT, TRANSFER_STEP_TIMEOUT, UPLOAD_CHECKPOINT,
};
pub use metrics::ConnectionMetrics;
pub use operator::Operator;
pub use sampling::SAMPLE_INTERVAL;
pub use server::{Edge, Tls, TlsError, check_token, router, serve, serve_with};
pub use sessions::{SESSION_SECS_MAX, SignedIn};
