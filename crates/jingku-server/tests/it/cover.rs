//! Covers: which pictures are accepted, and how they are served.

use std::io::Cursor;

use axum::body::Body;
use axum::http::{Method, Request};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::codecs::gif::GifEncoder;
use image::{DynamicImage, Frame, ImageFormat, Rgb, RgbImage, RgbaImage};
use jingku_library::Config;
use jingku_protocol::actions::Action;

use crate::support::{Caller, NOW, Reply, Service};

const UPDATE: Action = Action::UpdateCompShareImage;
/// The maximum size and side length of a cover, as documented in docs/wire.
const BYTES_MAX: usize = 524_288;
const SIDE_MAX: u32 = 4096;

fn picture(format: ImageFormat, width: u32, height: u32) -> Vec<u8> {
    let color = |x: u32, y: u32| Rgb([x.to_le_bytes()[0], y.to_le_bytes()[0], 77]);
    let mut bytes = Cursor::new(Vec::new());
    let picture = DynamicImage::from(RgbImage::from_fn(width, height, color));
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// A PNG of a single color, which compresses to a few bytes.
fn opaque_png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    RgbImage::new(width, height).write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// The same picture with an alpha channel.
fn transparent_png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    RgbaImage::new(width, height).write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

fn png() -> Vec<u8> {
    picture(ImageFormat::Png, 40, 30)
}

/// An animation that repeats one picture.
fn animation(frames: usize, width: u32, height: u32) -> Vec<u8> {
    let mut gif = Vec::new();
    let frame = Frame::new(RgbaImage::new(width, height));
    GifEncoder::new_with_speed(&mut gif, 30).encode_frame(frame).unwrap();
    let head = gif.windows(2).position(|bytes| bytes == b"\x21\xf9").unwrap();
    let picture = &gif[head..gif.len() - 1];
    [&gif[..head], &picture.repeat(frames), b"\x3b"].concat()
}

/// A GIF of exactly this many bytes, most of them in a comment block.
fn gif_of_size(bytes: usize) -> Vec<u8> {
    let mut gif = picture(ImageFormat::Gif, 4, 4);
    assert_eq!(gif.pop(), Some(0x3b));
    gif.extend_from_slice(b"\x21\xfe");
    let mut left = bytes - gif.len() - 2;
    while left > 0 {
        // A block of one byte takes two: its length comes first.
        let block = if left == 257 { 255 } else { left.min(256) };
        gif.push(u8::try_from(block - 1).unwrap());
        gif.resize(gif.len() + block - 1, b'x');
        left -= block;
    }
    gif.extend_from_slice(b"\x00\x3b");
    assert_eq!(gif.len(), bytes);
    gif
}

/// A PNG whose header declares this size, with the data of a smaller picture.
fn png_with_declared_size(width: u32, height: u32) -> Vec<u8> {
    let mut png = png();
    png[16..20].copy_from_slice(&width.to_be_bytes());
    png[20..24].copy_from_slice(&height.to_be_bytes());
    let checksum = crc32(&png[12..29]);
    png[29..33].copy_from_slice(&checksum.to_be_bytes());
    png
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

async fn with_images(config: Config) -> (Service, Caller) {
    let service = Service::with(config).await;
    service.add_images(&[("image-1", NOW), ("image-2", NOW)]).await;
    let caller = service.caller();
    (service, caller)
}

/// Sets a cover and returns its URL.
async fn set(caller: &Caller, id: &str, cover: &str) -> String {
    caller.ok(UPDATE, &[("CompShareImageId", id), ("Cover", cover)]).await;
    cover_of(caller, id).await
}

async fn cover_of(caller: &Caller, id: &str) -> String {
    let [by_id, listed] = [caller.image(id).await, {
        let images = caller.images(&[]).await;
        images.into_iter().find(|image| image["CompShareImageId"] == id).unwrap()
    }];
    assert_eq!(by_id["Cover"], listed["Cover"]);
    by_id["Cover"].as_str().unwrap().to_owned()
}

async fn request(caller: &Caller, method: Method, path: &str) -> Reply {
    caller.send(Request::builder().method(method).uri(path).body(Body::empty()).unwrap()).await
}

async fn get(caller: &Caller, path: &str) -> Reply {
    request(caller, Method::GET, path).await
}

async fn assert_not_found(caller: &Caller, path: &str) {
    let reply = get(caller, path).await;
    let id = path.rsplit('/').next().unwrap();
    assert_eq!((reply.status.as_u16(), reply.refusal()), (404, (8039, format!("Resource not exist [{id}]"))));
}

#[tokio::test]
async fn every_picture_format_is_served_unchanged() {
    let (_service, caller) = with_images(Config::default()).await;
    assert_eq!(cover_of(&caller, "image-1").await, "");
    let mut replaced = None;
    for (media_type, bytes) in [
        ("image/png", png()),
        ("image/jpeg", picture(ImageFormat::Jpeg, 64, 64)),
        ("image/webp", picture(ImageFormat::WebP, 64, 64)),
        ("image/gif", picture(ImageFormat::Gif, 64, 64)),
        ("image/gif", animation(5, 32, 24)),
        ("image/png", picture(ImageFormat::Png, SIDE_MAX, 3)),
        ("image/gif", animation(2, 4096, 1024)),
        ("image/png", opaque_png(SIDE_MAX, SIDE_MAX)),
        ("image/gif", gif_of_size(BYTES_MAX)),
    ] {
        let path = set(&caller, "image-1", &STANDARD.encode(&bytes)).await;
        let id = path.strip_prefix("/covers/").unwrap();
        assert!(id.len() == 24 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{path}");
        let reply = get(&caller, &path).await;
        assert!(reply.status == 200 && reply.body == bytes, "{media_type}");
        for (name, value) in [
            ("content-type", media_type),
            ("content-length", &bytes.len().to_string()),
            ("x-content-type-options", "nosniff"),
            ("content-security-policy", "default-src 'none'; sandbox"),
            ("cache-control", "public, max-age=31536000, immutable"),
        ] {
            assert_eq!(reply.headers[name], value, "{name} of {media_type}");
        }
        let head = request(&caller, Method::HEAD, &path).await;
        assert!(head.status == 200 && head.body.is_empty());
        assert_eq!(head.headers["content-length"], bytes.len().to_string());
        assert_eq!(head.headers["content-type"], media_type);
        // The replaced cover is deleted.
        if let Some(replaced) = replaced.replace(path) {
            assert_not_found(&caller, &replaced).await;
        }
    }
}

#[tokio::test]
async fn invalid_pictures_are_refused() {
    let (_service, caller) = with_images(Config::default()).await;
    let path = set(&caller, "image-1", &STANDARD.encode(png())).await;
    let (png, jpeg) = (png(), picture(ImageFormat::Jpeg, 200, 200));
    let (webp, gif) = (picture(ImageFormat::WebP, 90, 90), animation(3, 40, 40));
    let svg = b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>".to_vec();
    let mut damaged = png.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 0xff;
    let half = |bytes: &[u8]| bytes[..bytes.len() / 2].to_vec();
    let starts_like = |bytes: &[u8], rest: &[u8]| [&bytes[..12], rest].concat();
    for (what, bytes) in [
        ("text", b"hello".to_vec()),
        ("only a signature", png[..8].to_vec()),
        ("half a PNG", half(&png)),
        ("half a JPEG", half(&jpeg)),
        ("half a WebP", half(&webp)),
        ("half a GIF", half(&gif)),
        ("a PNG without its end", png[..png.len() - 12].to_vec()),
        ("a JPEG without its end", jpeg[..jpeg.len() - 2].to_vec()),
        ("a GIF without its end", gif[..gif.len() - 1].to_vec()),
        ("a damaged PNG", damaged),
        ("a PNG followed by HTML", [&png[..], b"<script>alert(1)</script>"].concat()),
        ("HTML that starts like a GIF", starts_like(&gif, b"<script>alert(1)</script>;")),
        ("half a GIF with a trailer", [half(&gif), b"\x3b".to_vec()].concat()),
        ("SVG", svg.clone()),
        ("HTML", b"<!doctype html><script>alert(1)</script>".to_vec()),
        ("BMP", [b"BM", &[0; 60][..]].concat()),
        ("too wide", picture(ImageFormat::Png, SIDE_MAX + 1, 1)),
        ("too high", picture(ImageFormat::Gif, 1, SIDE_MAX + 1)),
        ("a decompression bomb", png_with_declared_size(60_000, 60_000)),
        ("a decompression bomb of the maximum size", png_with_declared_size(0x7fff_ffff, 0x7fff_ffff)),
        ("a wrong declared size", png_with_declared_size(400, 300)),
        ("too long an animation", animation(257, 512, 256)),
        ("too large an animation", animation(2, 4096, 1025)),
        ("too large with transparency", transparent_png(SIDE_MAX, SIDE_MAX)),
        ("too many bytes", gif_of_size(BYTES_MAX + 1)),
    ] {
        let params = [("CompShareImageId", "image-1"), ("Cover", &*STANDARD.encode(bytes)), ("Name", "lost")];
        let refusal = caller.refusal(UPDATE, &params).await;
        assert_eq!(refusal, (230, "Params [Cover] not available".to_owned()), "{what}");
    }
    let svg = format!("data:image/svg+xml;base64,{}", STANDARD.encode(svg));
    for text in ["hello!", "====", " ", "http://example.com/a.png", &svg, &"A".repeat(2 << 20)] {
        let params = [("CompShareImageId", "image-1"), ("Cover", text)];
        caller.assert_refused(UPDATE, &params, 230, "Params [Cover] not available").await;
    }
    assert_eq!((cover_of(&caller, "image-1").await, get(&caller, &path).await.body), (path, png.into()));
}

#[tokio::test]
async fn an_animation_is_limited_by_its_total_pixels() {
    let (_service, caller) = with_images(Config::default()).await;
    // 32 Mi pixels in total, the limit.
    let path = set(&caller, "image-1", &STANDARD.encode(animation(256, 512, 256))).await;
    assert_eq!(get(&caller, &path).await.status, 200);
}

#[tokio::test]
async fn a_cover_is_deleted_with_its_image() {
    let (service, caller) = with_images(Config::default()).await;
    let text = STANDARD.encode(png());
    let (first, second) = (set(&caller, "image-1", &text).await, set(&caller, "image-2", &text).await);
    assert_ne!(first, second, "an account must not learn that another image has the same cover");

    service.clock.set(NOW + 5);
    let data_url = format!("data:image/png;base64,{text}");
    assert_eq!(set(&caller, "image-1", &data_url).await, first, "the same picture keeps its URL");
    caller.ok(UPDATE, &[("CompShareImageId", "image-1"), ("Description", "d")]).await;
    assert_eq!(cover_of(&caller, "image-1").await, first, "an absent parameter changes nothing");

    for _ in 0..2 {
        assert_eq!(set(&caller, "image-1", "").await, "");
        assert_not_found(&caller, &first).await;
    }
    assert_eq!(get(&caller, &second).await.status, 200);
    caller.ok(Action::TerminateCompShareCustomImage, &[("CompShareImageId", "image-2")]).await;
    assert_not_found(&caller, &second).await;
}

#[tokio::test]
async fn unknown_cover_paths_and_methods_are_refused() {
    let (_service, caller) = with_images(Config::default()).await;
    let path = set(&caller, "image-1", &STANDARD.encode(png())).await;
    let id = path.strip_prefix("/covers/").unwrap();
    for path in [
        "/covers/x",
        "/covers/%ff",
        "/covers/..",
        &format!("/covers/{}", id.to_uppercase()),
        "/covers/image-1",
    ] {
        assert_not_found(&caller, path).await;
    }
    for path in ["/covers", "/covers/", &format!("{path}/x"), id] {
        let reply = get(&caller, &format!("/{}", path.trim_start_matches('/'))).await;
        assert_eq!((reply.status.as_u16(), reply.refusal().0), (404, 160), "{path} is not a cover path");
    }
    let reply = request(&caller, Method::POST, &path).await;
    assert_eq!((reply.status.as_u16(), reply.refusal().0), (200, 160));
    for method in [Method::PUT, Method::DELETE] {
        let reply = request(&caller, method, &path).await;
        assert_eq!((reply.status.as_u16(), &reply.headers["allow"]), (405, &"GET, POST".parse().unwrap()));
    }
    assert_eq!(get(&caller, &path).await.body, png());
}

#[tokio::test]
async fn cover_urls_use_the_public_base_url() {
    let (service, caller) = with_images(Config::default()).await;
    let base_url = service.listen().await;
    let url = set(&caller, "image-1", &STANDARD.encode(png())).await;
    assert!(url.starts_with(&format!("{base_url}/covers/")), "{url}");

    let config: Config = toml::from_str("public_url = 'https://images.example.com/'").unwrap();
    let (service, caller) = with_images(config).await;
    service.listen().await;
    let url = set(&caller, "image-1", &STANDARD.encode(png())).await;
    assert!(url.starts_with("https://images.example.com/covers/"), "{url}");
}

/// Decoding pictures must not block other requests.
#[tokio::test(flavor = "multi_thread")]
async fn concurrent_cover_uploads_are_all_answered() {
    let (_service, caller) = with_images(Config::default()).await;
    let text = STANDARD.encode(picture(ImageFormat::Png, 600, 600));
    let send = |_| {
        let (caller, text) = (caller.clone(), text.clone());
        tokio::spawn(async move { set(&caller, "image-1", &text).await })
    };
    let calls: Vec<_> = (0..12).map(send).collect();
    let mut urls = Vec::new();
    for call in calls {
        urls.push(call.await.unwrap());
    }
    urls.dedup();
    assert_eq!(urls.len(), 1, "the same picture keeps its URL: {urls:?}");
}

/// A publication can set the cover too. Every account sees it once the image is public.
#[tokio::test]
async fn a_published_version_shows_its_cover() {
    let (service, caller) = with_images(Config::default()).await;
    let (_, stranger) = service.stranger().await;
    let group = caller.publish("image-1", &[("Cover", &*STANDARD.encode(png()))]).await;
    let url = cover_of(&caller, "image-1").await;
    service.context.library.approve_image("image-1").await.unwrap();
    let seen = stranger.groups(Action::DescribeCommunityImages, &[]).await;
    assert_eq!(seen[0]["Data"][0]["Cover"], url.as_str());
    // A refused publication changes nothing, the cover included.
    let params = [
        ("CompShareImageId", "image-2"),
        ("GroupId", &*group),
        ("VersionName", "v1.0"),
        ("Cover", &*STANDARD.encode(png())),
    ];
    let taken = "Version [v1.0] already exists";
    caller.assert_refused(Action::PublishCompShareImage, &params, 8968, taken).await;
    assert_eq!(cover_of(&caller, "image-2").await, "");
}
