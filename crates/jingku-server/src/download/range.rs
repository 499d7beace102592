//! The requested range of a disk: RFC 9110, sections 13.1.5 and 14.

use std::ops::Range;

use axum::http::{HeaderMap, HeaderValue, header};

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum RangeRequest {
    /// The whole disk: no range, an invalid one, or several, which a server may ignore.
    Whole,
    /// A part, not empty.
    Part(Range<u64>),
    /// A part past the end.
    Unsatisfiable,
}

/// Reads `Range` and `If-Range` for a disk with this tag and length.
pub(crate) fn range_request(headers: &HeaderMap, etag: &HeaderValue, length: u64) -> RangeRequest {
    let Some(range) = single(headers, header::RANGE) else { return RangeRequest::Whole };
    // A date never matches: a disk has none. A client with a part of another disk gets the whole disk.
    if headers.contains_key(header::IF_RANGE) && single(headers, header::IF_RANGE) != Some(etag) {
        return RangeRequest::Whole;
    }
    range.to_str().ok().and_then(|text| parse(text, length)).unwrap_or(RangeRequest::Whole)
}

fn single(headers: &HeaderMap, name: header::HeaderName) -> Option<&HeaderValue> {
    let mut values = headers.get_all(name).iter();
    values.next().filter(|_| values.next().is_none())
}

/// `None` for an invalid or unsupported range.
fn parse(text: &str, length: u64) -> Option<RangeRequest> {
    let (unit, set) = text.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") || set.contains(',') {
        return None;
    }
    let (first, last) = set.trim().split_once('-')?;
    let part = match (first, last) {
        ("", suffix) => {
            let suffix = number(suffix)?.min(length);
            length - suffix..length
        }
        (first, "") => number(first)?..length,
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            if last < first {
                return None;
            }
            first..last.saturating_add(1).min(length)
        }
    };
    Some(if part.is_empty() { RangeRequest::Unsatisfiable } else { RangeRequest::Part(part) })
}

/// Accepts only digits. Saturates.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_parsed_as_in_rfc_9110() {
        let part = |range| Some(RangeRequest::Part(range));
        for (text, expected) in [
            ("bytes=0-0", part(0..1)),
            ("bytes=0-99", part(0..100)),
            ("bytes=0-1000", part(0..100)),
            ("BYTES=7-8", part(7..9)),
            ("bytes=99-", part(99..100)),
            ("bytes=-1", part(99..100)),
            ("bytes=-1000", part(0..100)),
            ("bytes=5-99999999999999999999999", part(5..100)),
            ("bytes=100-", Some(RangeRequest::Unsatisfiable)),
            ("bytes=99999999999999999999999-", Some(RangeRequest::Unsatisfiable)),
            ("bytes=-0", Some(RangeRequest::Unsatisfiable)),
            ("bytes=", None),
            ("bytes=-", None),
            ("bytes=5", None),
            ("bytes=9-8", None),
            ("bytes=+1-2", None),
            ("bytes=1-2,4-5", None),
            ("bytes= 1 - 2", None),
            ("sectors=1-2", None),
            ("", None),
        ] {
            assert_eq!(parse(text, 100), expected, "{text}");
        }
    }

    #[test]
    fn if_range_of_another_disk_requests_the_whole_disk() {
        let tag = HeaderValue::from_static("\"a\"");
        let requested_if = |condition: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            headers.insert(header::RANGE, HeaderValue::from_static("bytes=1-2"));
            if let Some(condition) = condition {
                headers.insert(header::IF_RANGE, HeaderValue::from_static(condition));
            }
            range_request(&headers, &tag, 10)
        };
        assert_eq!(requested_if(None), RangeRequest::Part(1..3));
        assert_eq!(requested_if(Some("\"a\"")), RangeRequest::Part(1..3));
        for other in ["\"b\"", "W/\"a\"", "Tue, 24 Nov 2026 08:00:00 GMT"] {
            assert_eq!(requested_if(Some(other)), RangeRequest::Whole, "{other}");
        }
    }
}
