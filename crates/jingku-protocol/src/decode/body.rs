//! How a body is read: by its media type, and by how it begins where the type leaves it open or is wrong.

use super::error::DecodeError;
use crate::excerpt::excerpt;

/// What some editors and .NET put before UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A body, and how it is read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Body<'a> {
    /// Nothing, or blanks.
    Empty,
    Json(&'a str),
    Form(&'a str),
}

/// Tells how to read a body.
///
/// `curl -d` calls everything a form, and many clients call nothing by its name. No encoder of forms leaves a bracket
/// or a quote as the first character, so a body that begins with one is JSON whatever its type. Any other body is a
/// form if it can be one.
pub(super) fn recognize<'a>(content_type: Option<&str>, body: &'a [u8]) -> Result<Body<'a>, DecodeError> {
    let body = body.trim_ascii_start();
    let body = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body).trim_ascii();
    if body.is_empty() {
        return Ok(Body::Empty);
    }
    let media_type = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    let is = |name: &str| media_type.eq_ignore_ascii_case(name);
    let json = is("application/json");
    // With these types a body is a form unless it contradicts that; with others only if it looks like a form.
    let form = is("application/x-www-form-urlencoded")
        || is("text/plain")
        || is("application/octet-stream")
        || media_type.is_empty();
    let unknown = || match media_type {
        "" => DecodeError::NoType,
        name => DecodeError::UnknownType(excerpt(name)),
    };
    let Ok(text) = std::str::from_utf8(body) else {
        return Err(if json || form { DecodeError::NotUtf8 } else { unknown() });
    };
    if json || text.starts_with(['{', '[', '"']) {
        return Ok(Body::Json(text));
    }
    if form && can_be_form(text) || looks_like_form(text) { Ok(Body::Form(text)) } else { Err(unknown()) }
}

/// Has a name with a value, and is neither XML or HTML nor parts with heads of their own.
fn can_be_form(text: &str) -> bool {
    let head = &text.as_bytes()[..text.len().min(512)];
    let has_parts = || head.to_ascii_lowercase().windows(20).any(|word| word == b"content-disposition:");
    let refused = text.starts_with('<') || text.starts_with("--") && has_parts();
    text.contains('=') && !refused
}

/// Begins with a name as encoders of forms write it, and an equals sign.
fn looks_like_form(text: &str) -> bool {
    let encoded = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~*%+".contains(&byte);
    text.split_once('=').is_some_and(|(name, _)| !name.is_empty() && name.bytes().all(encoded))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unambiguous_bodies_are_read() {
        for (content_type, body) in [
            (Some("application/x-www-form-urlencoded"), "{\"a\":1}"),
            (Some("text/plain"), " \u{feff}{\"a\":1}\n"),
            (Some("application/octet-stream"), "\u{feff} {\"a\":1}"),
            (Some("multipart/form-data"), "{\"a\":1}"),
            (Some("application/vnd.api+json"), "{\"a\":1}"),
            (None, "{\"a\":1}"),
        ] {
            assert_eq!(
                recognize(content_type, body.as_bytes()),
                Ok(Body::Json("{\"a\":1}")),
                "{content_type:?}"
            );
        }
        for content_type in [
            Some("application/x-www-form-urlencoded"),
            Some("text/plain; charset=utf-8"),
            Some("application/xml"),
            None,
        ] {
            let read = recognize(content_type, "\u{feff}a=1&b=2\r\n".as_bytes());
            assert_eq!(read, Ok(Body::Form("a=1&b=2")), "{content_type:?}");
        }
        assert_eq!(recognize(Some("text/xml"), b" \n"), Ok(Body::Empty));
    }

    #[test]
    fn the_type_of_an_unreadable_body_is_named() {
        let multipart =
            "--x\r\nContent-Disposition: form-data; name=\"Action\"\r\n\r\nGetRegion\r\n--x--\r\n";
        let unknown = |name: &str| Err(DecodeError::UnknownType(name.to_owned()));
        for (content_type, body, expected) in [
            ("multipart/form-data; boundary=x", multipart.as_bytes(), unknown("multipart/form-data")),
            (
                "application/x-www-form-urlencoded",
                multipart.as_bytes(),
                unknown("application/x-www-form-urlencoded"),
            ),
            ("", multipart.as_bytes(), Err(DecodeError::NoType)),
            ("application/xml", b"<Action>a=b</Action>", unknown("application/xml")),
            ("", b"<Action>a</Action>", Err(DecodeError::NoType)),
            ("application/yaml", b"Action: GetRegion\nName: a=b", unknown("application/yaml")),
            ("text/plain", b"Action: GetRegion\nLimit: 5", unknown("text/plain")),
            ("application/x-www-form-urlencoded", b"null", unknown("application/x-www-form-urlencoded")),
            ("", b"// sent by hand\n{\"Action\":\"GetRegion\"}", Err(DecodeError::NoType)),
            ("text/csv", b"Action,Name\na,b=c", unknown("text/csv")),
            ("application/msgpack", b"\x81\xa6Action\xa9GetRegion", unknown("application/msgpack")),
            ("application/json", b"\x1f\x8b\x08", Err(DecodeError::NotUtf8)),
            ("application/gzip", b"\x1f\x8b\x08", unknown("application/gzip")),
        ] {
            assert_eq!(recognize(Some(content_type), body), expected, "{content_type}");
        }
    }
}
