//! Covers: pictures that arrive in a request, are checked once, stored, and served at their own URL.
//!
//! The check and the response headers ensure that browsers treat a cover as a picture: a page or script in disguise would
//! run in the origin of the service.

mod picture;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, Uri, header};
use axum::response::Response;
use base64::Engine;
use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use jingku_catalog::{Cover, CoverChange};
use jingku_library::{Internal, is_unique_id, request_id, unique_id};

use crate::context::Context;
use crate::error::Error;
use crate::limits::COVER_WAIT_TIMEOUT;
use crate::reply;

/// Maximum size of a cover, in bytes.
pub const BYTES_MAX: usize = 512 << 10;
/// A cover opened in a browser can load and run nothing.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; sandbox";
/// A cover never changes: each picture has its own URL.
const CACHE_CONTROL: &str = "public, max-age=31536000, immutable";

/// Base64 with or without padding.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &ALPHABET,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Reads the parameter `Cover`: absent keeps the cover, empty removes it, anything else must be a picture in Base64.
///
/// Refuses anything but a PNG, JPEG, WebP or GIF within the limits: 230 `Params [Cover] not available`. Stores nothing.
pub(crate) async fn check(context: &Context, text: Option<&str>) -> Result<Option<CoverChange>, Error> {
    let text = match text {
        None => return Ok(None),
        Some("") => return Ok(Some(CoverChange::Clear)),
        Some(text) => text.to_owned(),
    };
    let permit = Arc::clone(&context.limits.cover_checks).acquire_owned();
    let permit = tokio::time::timeout(COVER_WAIT_TIMEOUT, permit).await.map_err(|_| Error::Throttled)?.ok();
    let checked = tokio::task::spawn_blocking(move || {
        let picture = read(&text);
        // Held until the memory is free, even if the client has gone.
        drop(permit);
        picture
    });
    let picture = match checked.await {
        Ok(picture) => picture,
        // A picture that makes a decoder panic is invalid.
        Err(error) if error.is_panic() => None,
        Err(error) => return Err(error.into()),
    };
    let (media_type, data) = picture.ok_or_else(|| Error::not_available("Cover"))?;
    let id = unique_id(&*context.library.random);
    Ok(Some(CoverChange::Set(Cover { id, media_type: media_type.to_owned(), data })))
}

/// The media type of a picture in Base64, and its normalised Base64.
fn read(text: &str) -> Option<(&'static str, String)> {
    let digits = text.bytes().filter(|byte| !byte.is_ascii_whitespace());
    // The prefix can have any length; the limit is for what follows.
    let mut digits: Vec<u8> = digits.collect();
    if digits.get(..5).is_some_and(|start| start.eq_ignore_ascii_case(b"data:")) {
        let comma = digits.iter().position(|byte| *byte == b',')?;
        if !digits[..comma].to_ascii_lowercase().ends_with(b";base64") {
            return None;
        }
        digits.drain(..=comma);
    }
    if digits.len() > BYTES_MAX.div_ceil(3) * 4 {
        return None;
    }
    let bytes = LENIENT.decode(digits).ok().filter(|bytes| bytes.len() <= BYTES_MAX)?;
    Some((picture::media_type(&bytes)?, STANDARD.encode(bytes)))
}

/// Answers `GET` and `HEAD` of `/covers/ID`. It needs no signature: browsers open this URL, and ids cannot be guessed.
pub(crate) async fn serve(State(context): State<Arc<Context>>, uri: Uri) -> Response {
    let id = uri.path().rsplit('/').next().unwrap_or_default();
    let request_id = request_id(&*context.library.random);
    let (media_type, bytes) = match find(&context, id).await {
        Ok(Some(found)) => found,
        Ok(None) => return reply::failure(&Error::ResourceNotFound(id.to_owned()), "cover", &request_id),
        Err(error) => return reply::failure(&error.into(), "cover", &request_id),
    };
    let mut response = reply::file(&request_id, bytes.len() as u64, Body::from(bytes));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, media_type);
    for (name, value) in [
        (header::CACHE_CONTROL, CACHE_CONTROL),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

async fn find(context: &Context, id: &str) -> Result<Option<(HeaderValue, Vec<u8>)>, Internal> {
    if !is_unique_id(id) {
        return Ok(None);
    }
    let Some(Cover { media_type, data, .. }) = context.library.catalog.cover(id).await? else {
        return Ok(None);
    };
    let bad = |what: &str| Internal::BadRow(format!("cover {id}: {what}"));
    let media_type = HeaderValue::try_from(media_type).map_err(|_| bad("media type"))?;
    let bytes = STANDARD.decode(data).map_err(|_| bad("data"))?;
    Ok(Some((media_type, bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIF: &[u8] =
        b"GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00\x2c\x00\x00\x00\x00\x01\x00\x01\x00\
                         \x00\x02\x02\x44\x01\x00\x3b";

    #[test]
    fn usual_base64_variants_are_accepted() {
        let plain = STANDARD.encode(GIF);
        let stored = Some(("image/gif", plain.clone()));
        let (bare, lines) = (plain.trim_end_matches('='), plain.replace("AAA", "A\r\nA A\n"));
        assert_ne!(lines, plain);
        for variant in [
            plain.clone(),
            bare.to_owned(),
            format!("\n{lines}\t"),
            format!("data:image/gif;base64,{plain}"),
            // The content decides the media type.
            format!("DATA:text/html;charset=utf-8;Base64,\n{bare}"),
        ] {
            assert_eq!(read(&variant), stored, "{variant}");
        }
        for wrong in [
            " ".to_owned(),
            "data:image/gif;base64,".to_owned(),
            format!("data:image/gif,{plain}"),
            format!("image/gif;base64,{plain}"),
            format!("{plain}{plain}"),
            plain.replace('/', "_"),
            plain[1..].to_owned(),
        ] {
            assert_eq!(read(&wrong), None, "{wrong}");
        }
    }
}
