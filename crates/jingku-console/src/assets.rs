//! Files of the pages that are the same for everyone. They are part of the program.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

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

pub(crate) async fn serve(Path(name): Path<String>) -> Response {
    match FILES.iter().find(|(known, ..)| *known == name) {
        Some((_, media_type, content)) => {
            let headers = [
                (header::CONTENT_TYPE, *media_type),
                (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
            ];
            (headers, *content).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
