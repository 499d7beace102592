//! What travels between a client and the CompShare image API: parameters and their spellings, the signature,
//! action names, request and response types, and the one table of return codes.
//!
//! Pure: no I/O, no clock, no runtime. The daemon (`jingku-server`) binds requests and serialises responses with
//! these types; the client (`compshare`) does the reverse, so both sides are the same definition.

pub mod actions;
mod bind;
mod decode;
mod excerpt;
mod file_hash;
mod image;
mod lenient;
mod list_text;
mod name_refusal;
mod params;
mod ret_code;
mod sign;
mod tree;

pub use bind::{MAX_COVER_TEXT_BYTES, MAX_FILTER_BYTES, MAX_ID_BYTES, MAX_NUMBER_BYTES, ParamError};
pub use decode::{DecodeError, MAX_BODY_BYTES, MAX_DEPTH, MAX_NAME_BYTES, MAX_PARAMS, decode, require_plain};
pub use excerpt::excerpt;
pub use file_hash::{FileHasher, HashKind, UnknownHash};
pub use image::{Image, ImageStatus, Owner, PlatformType, SoftwarePort, Softwares, SupportedZone};
pub use name_refusal::NameRefusal;
pub use params::{Params, Value};
pub use ret_code::{Class, RetCode};
pub use sign::{signature, string_to_sign, verify};
pub use tree::{Kind, Tree};

/// Signs with a key pair every parameter of a request, adding `PublicKey` and `Signature`.
pub fn sign_request(mut params: Params, public_key: &str, private_key: &str) -> Params {
    params.set("PublicKey", Value::Text(public_key.to_owned()));
    let signature = signature(&params, private_key);
    params.set("Signature", Value::Text(signature));
    params
}
