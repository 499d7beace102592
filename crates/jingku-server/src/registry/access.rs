//! Who pulls: a key pair with every request, or a token that was given for it.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::ConnectInfo;
use axum::http::header;
use axum::http::request::Parts;
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use jingku_library::Credentials;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use subtle::ConstantTimeEq;

use super::error::RegistryError;
use crate::context::Context;

/// The lifetime of a token, in seconds. A request that has begun may finish after it.
const TOKEN_SECS: i64 = 900;
/// The first line of a signed token, so that no link is valid as one.
const TOKEN: &str = "registry";

/// The account of a request with credentials of either kind.
pub(super) async fn caller(context: &Context, request: &Parts) -> Result<Arc<Credentials>, RegistryError> {
    let Some(token) = authorization(request, "bearer") else { return basic(context, request).await };
    let decoded = BASE64_URL_SAFE_NO_PAD.decode(token).ok().and_then(|token| String::from_utf8(token).ok());
    let decoded = decoded.ok_or(RegistryError::Unauthorized)?;
    let (message, mac) = decoded.rsplit_once('\n').ok_or(RegistryError::Unauthorized)?;
    let mut lines = message.split('\n');
    let (kind, public_key, expires_at) = (lines.next(), lines.next(), lines.next());
    let expires_at: i64 = expires_at.and_then(|text| text.parse().ok()).ok_or(RegistryError::Unauthorized)?;
    let is_valid =
        kind == Some(TOKEN) && is_signed(context, message, mac) && context.library.clock.now() < expires_at;
    if !is_valid {
        return Err(RegistryError::Unauthorized);
    }
    // A key that was revoked since ends its tokens too.
    let credentials = credentials(context, public_key.unwrap_or_default()).await?;
    allowed(request, credentials)
}

/// Compares in constant time, as `blake3::Hash` does.
fn is_signed(context: &Context, message: &str, mac: &str) -> bool {
    blake3::Hash::from_hex(mac).is_ok_and(|mac| context.library.keyring().link_mac(message) == mac)
}

/// The account of a request with a key pair.
pub(super) async fn basic(context: &Context, request: &Parts) -> Result<Arc<Credentials>, RegistryError> {
    let (public_key, private_key) = key_pair(request)?;
    let credentials = credentials(context, &public_key).await?;
    let known = credentials.private_key.expose_secret().as_bytes();
    if !bool::from(known.ct_eq(private_key.as_bytes())) {
        return Err(RegistryError::Unauthorized);
    }
    allowed(request, credentials)
}

/// A token for the holder of a key pair, as both engines read it.
pub(super) async fn token(context: &Context, request: &Parts) -> Result<Value, RegistryError> {
    basic(context, request).await?;
    let (public_key, _) = key_pair(request)?;
    let expires_at = context.library.clock.now() + TOKEN_SECS;
    let message = format!("{TOKEN}\n{public_key}\n{expires_at}");
    let mac = context.library.keyring().link_mac(&message).to_hex();
    let token = BASE64_URL_SAFE_NO_PAD.encode(format!("{message}\n{mac}"));
    Ok(json!({ "token": token, "access_token": token, "expires_in": TOKEN_SECS }))
}

async fn credentials(context: &Context, public_key: &str) -> Result<Arc<Credentials>, RegistryError> {
    let library = &context.library;
    let found = library.credentials(public_key, library.catalog.generation()).await?;
    found.ok_or(RegistryError::Unauthorized)
}

/// Refuses a key from an address that it may not be used from. Asked last, so that only its holder learns it.
fn allowed(request: &Parts, credentials: Arc<Credentials>) -> Result<Arc<Credentials>, RegistryError> {
    let peer = request.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
    if credentials.limits.allows_address(peer) { Ok(credentials) } else { Err(RegistryError::Denied) }
}

/// The public and the private key of a request.
fn key_pair(request: &Parts) -> Result<(String, String), RegistryError> {
    let pair = authorization(request, "basic").and_then(|pair| BASE64_STANDARD.decode(pair).ok());
    let pair = pair.and_then(|pair| String::from_utf8(pair).ok()).ok_or(RegistryError::Unauthorized)?;
    let (public_key, private_key) = pair.split_once(':').ok_or(RegistryError::Unauthorized)?;
    Ok((public_key.to_owned(), private_key.to_owned()))
}

/// The value of the header `Authorization` of this scheme.
fn authorization<'a>(request: &'a Parts, scheme: &str) -> Option<&'a str> {
    let value = request.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (found, value) = value.split_once(' ')?;
    found.eq_ignore_ascii_case(scheme).then(|| value.trim())
}
