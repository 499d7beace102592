//! What travels between a client and the CompShare image API: parameters and their spellings, the signature, the table
//! of actions, request and response types, and the table of return codes.
//!
//! Pure: no I/O, no clock, no runtime. The server reads requests and serialises responses with these types; the client
//! (`compshare`) does the reverse, so both share one definition.
//!
//! ```text
//! server: bytes ─ decode ─▶ Params ─ verify ─▶ Tree ─ read ─▶ Request
//! client: Request ─ write ─▶ Params ─ sign ─▶ bytes
//! ```

pub mod actions;
mod bounded;
mod community_query;
mod decode;
mod done;
mod excerpt;
mod file_hash;
mod image;
mod image_query;
mod instance_done;
mod lenient;
mod list;
mod list_text;
mod login;
mod machine;
mod name_refusal;
#[cfg(feature = "schema")]
mod openapi;
mod paging;
mod param_error;
mod parameters;
mod params;
mod place;
mod price_detail;
mod read;
mod ret_code;
mod sign;
mod softwares;
mod subject;
mod tree;
mod webhook;
mod write;

pub use bounded::{MAX_COVER_TEXT_BYTES, MAX_FILTER_BYTES, MAX_ID_BYTES};
pub use decode::{DecodeError, MAX_BODY_BYTES, MAX_DEPTH, MAX_NAME_BYTES, MAX_PARAMS, decode, require_plain};
pub use excerpt::excerpt;
pub use file_hash::{FileHasher, HashKind};
pub use image::{
    Image, ImageStatus, LeftOut, LeftOutPath, Owner, PlatformType, SoftwarePort, Softwares, SupportedZone,
};
pub use name_refusal::NameRefusal;
#[cfg(feature = "schema")]
pub use openapi::openapi;
pub use param_error::ParamError;
pub use parameters::Kind;
pub use params::{Params, Value};
pub use read::MAX_NUMBER_BYTES;
pub use ret_code::{Class, RetCode};
pub use sign::{signature, string_to_sign, verify};
pub use subject::subject;
pub use tree::Tree;
pub use webhook::{CLOUD_EVENT_TYPE, DeliveryState, ImageCloudEvent, ImageEventData, WebhookEvent};

/// Signs with a key pair every parameter of a request, adding `PublicKey` and `Signature`.
pub fn sign_request(mut params: Params, public_key: &str, private_key: &str) -> Params {
    params.set("PublicKey", Value::Text(public_key.to_owned()));
    let signature = signature(&params, private_key);
    params.set("Signature", Value::Text(signature));
    params
}

/// Compiles the examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
