//! How much a browser loads.

use std::io::Read as _;

use axum::body::Body;
use axum::http::{HeaderMap, Request, header};
use flate2::read::GzDecoder;
use http_body_util::BodyExt as _;

use crate::browser::{Browser, Server};

/// The most bytes of the first page of images with everything that it loads.
const FIRST_VISIT_BYTES_MAX: usize = 100_000;
const MANY_IMAGES: &str = r#"
[[images]]
name = "训练环境"
description = "PyTorch 2.7 with CUDA 12.8, Jupyter and the data loaders of the vision group"
tags = ["pytorch", "cuda12", "训练"]
count = 10000
"#;

/// The headers and the body of a response to a browser that accepts gzip.
async fn load(browser: &Browser, path: &str) -> (HeaderMap, Vec<u8>) {
    let request = Request::get(path).header(header::ACCEPT_ENCODING, "gzip, deflate, br, zstd");
    let response = browser.answer(request.body(Body::empty()).unwrap()).await;
    assert!(response.status().is_success(), "{path}: {}", response.status());
    let (parts, body) = response.into_parts();
    (parts.headers, body.collect().await.unwrap().to_bytes().to_vec())
}

/// Bytes of a response over HTTP/1.1, without its status line.
fn size((headers, body): &(HeaderMap, Vec<u8>)) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum::<usize>() + body.len()
}

#[tokio::test]
async fn the_first_page_of_many_images_is_small() {
    let server = Server::start_with("http://127.0.0.1:8480", MANY_IMAGES).await;
    let browser = server.signed_in(1).await;
    let page = load(&browser, "/console/images").await;
    let html = String::from_utf8(page.1.clone()).unwrap();
    assert_eq!(html.matches("name=\"id\"").count(), 20, "{html}");
    let mut files: Vec<&str> =
        html.split('"').filter(|value| value.starts_with("/console/assets/")).collect();
    files.sort_unstable();
    files.dedup();
    assert!(files.len() >= 4, "{files:?}");
    let mut bytes = size(&page);
    for file in files {
        let answer = load(&browser, file).await;
        assert!(answer.0[header::CACHE_CONTROL].to_str().unwrap().contains("immutable"), "{file}");
        bytes += size(&answer);
    }
    assert!(bytes <= FIRST_VISIT_BYTES_MAX, "{bytes} bytes");
}

#[tokio::test]
async fn files_are_the_same_with_and_without_gzip() {
    let browser = Server::start().await.browser();
    for file in ["htmx.js", "console.css", "icon.svg"] {
        let path = format!("/console/assets/{file}");
        let (headers, gzipped) = load(&browser, &path).await;
        assert_eq!(
            (&headers[header::CONTENT_ENCODING], &headers[header::VARY]),
            (&"gzip".parse().unwrap(), &"accept-encoding".parse().unwrap())
        );
        let mut text = String::new();
        GzDecoder::new(&*gzipped).read_to_string(&mut text).unwrap();
        let plain = browser.get(&path).await;
        assert!(!plain.headers.contains_key(header::CONTENT_ENCODING));
        assert_eq!(plain.text, text, "{file}");
    }
}
