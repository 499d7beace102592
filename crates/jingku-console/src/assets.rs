//! Files of the pages that are the same for everyone. They are part of the program.

use std::io::Write as _;
use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;

/// Name, media type and content.
const FILES: [(&str, &str, &str); 7] = [
    ("console.css", "text/css; charset=utf-8", include_str!("../assets/console.css")),
    ("console.js", "text/javascript; charset=utf-8", include_str!("../assets/console.js")),
    ("htmx.js", "text/javascript; charset=utf-8", include_str!("../assets/htmx-2.0.11.min.js")),
    ("import.js", "text/javascript; charset=utf-8", include_str!("../assets/import.js")),
    ("import-worker.js", "text/javascript; charset=utf-8", include_str!("../assets/import-worker.js")),
    // `blake3` of @noble/hashes, by esbuild with --bundle --minify --format=iife --global-name=noble.
    ("blake3.js", "text/javascript; charset=utf-8", include_str!("../assets/noble-blake3-2.4.0.min.js")),
    ("icon.svg", "image/svg+xml", include_str!("../assets/icon.svg")),
];

/// Is in the URL of each file, so that a browser never uses a file of another version.
pub(crate) static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut hasher = blake3::Hasher::new();
    for (_, _, content) in FILES {
        hasher.update(content.as_bytes());
    }
    hasher.finalize().to_hex()[..16].to_owned()
});

/// The files, compressed once. Pages are not compressed: they contain the form token and text from the URL, and the
/// length of a compressed page would help to guess the token.
static GZIPPED: LazyLock<[Vec<u8>; FILES.len()]> = LazyLock::new(|| {
    FILES.map(|(_, _, content)| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder
            .write_all(content.as_bytes())
            .and_then(|()| encoder.finish())
            .expect("a Vec accepts all bytes")
    })
});

pub(crate) async fn serve(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let Some(place) = FILES.iter().position(|(known, ..)| *known == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let (_, media_type, content) = FILES[place];
    let about = [
        (header::CONTENT_TYPE, media_type),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (header::VARY, "accept-encoding"),
    ];
    if accepts_gzip(&headers) {
        (about, [(header::CONTENT_ENCODING, "gzip")], GZIPPED[place].as_slice()).into_response()
    } else {
        (about, content).into_response()
    }
}

/// Whether a client names gzip and does not refuse it with a weight of 0.
fn accepts_gzip(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT_ENCODING).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let weight = weight.trim().strip_prefix("q=").map_or(Ok(1.0), str::parse::<f32>);
        name.trim().eq_ignore_ascii_case("gzip") && weight.is_ok_and(|weight| weight > 0.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_sent_only_if_it_is_accepted() {
        for (value, accepted) in [
            ("gzip, deflate, br", true),
            ("br;q=1.0, GZIP;q=0.5", true),
            ("gzip;q=0", false),
            ("gzip;q=0.000, *", false),
            ("identity", false),
            ("", false),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, value.parse().unwrap())]);
            assert_eq!(accepts_gzip(&headers), accepted, "{value}");
        }
        assert!(!accepts_gzip(&HeaderMap::new()));
    }
}
