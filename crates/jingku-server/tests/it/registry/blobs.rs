use axum::http::{Method, StatusCode};
use jingku_library::{Random, SeededRandom};
use jingku_sources::oci::digest;

use super::{Answer, IMAGE};
use crate::support::{Archive, Caller, Service, large_disk_bytes};

async fn setting() -> (Service, Caller, String, Vec<u8>) {
    let service = Service::start().await;
    let mut content = vec![0; 3 << 20];
    SeededRandom::new(1).fill(&mut content[..2 << 20]);
    service.import_container("trained", &Archive::of(&content)).await;
    let caller = service.caller();
    let manifest = caller.manifest("1/trained").await;
    let path = format!("{IMAGE}/blobs/{}", manifest.layers()[0].digest());
    let layer = caller.pull(&path).await.body.to_vec();
    assert!(layer.len() > content.len());
    (service, caller, path, layer)
}

#[tokio::test]
async fn a_layer_is_sent_whole_or_in_part() {
    let (_service, caller, path, layer) = setting().await;
    let length = layer.len();
    for (range, part) in [
        ("bytes=0-0".to_owned(), 0..1),
        ("bytes=0-".to_owned(), 0..length),
        ("bytes=1000000-2999999".to_owned(), 1_000_000..3_000_000),
        ("bytes=-1".to_owned(), length - 1..length),
        ("bytes=-99999999".to_owned(), 0..length),
        (format!("bytes={}-", length - 512), length - 512..length),
        ("bytes=5-99999999999999999999".to_owned(), 5..length),
    ] {
        let answer = caller.pull_with(&path, "range", &range).await;
        assert_eq!(answer.status, StatusCode::PARTIAL_CONTENT, "{range}");
        assert!(answer.body == layer[part.clone()], "{range}");
        assert_eq!(answer.header("content-length"), part.len().to_string());
        let content_range = format!("bytes {}-{}/{length}", part.start, part.end - 1);
        assert_eq!(answer.header("content-range"), content_range, "{range}");
    }
    let is_whole = |answer: &Answer| answer.status == 200 && answer.body == layer;
    for range in ["bytes=9-8", "bytes=0-1,3-4", "blocks=0-1", "bytes", ""] {
        assert!(is_whole(&caller.pull_with(&path, "range", range).await), "{range}");
    }
    for range in [format!("bytes={length}-"), "bytes=99999999999999999999-".to_owned(), "bytes=-0".to_owned()]
    {
        let answer = caller.pull_with(&path, "range", &range).await;
        answer.assert_error(416, "RANGE_INVALID");
        assert_eq!(answer.header("content-range"), format!("bytes */{length}"));
    }
}

#[tokio::test]
async fn a_part_is_sent_only_of_the_same_layer() {
    let (_service, caller, path, layer) = setting().await;
    let answer = caller.pull(&path).await;
    let etag = answer.header("etag").to_owned();
    assert_eq!(etag, format!("\"{}\"", digest(&layer)));
    assert_eq!(answer.header("docker-content-digest"), digest(&layer));
    assert_eq!(answer.header("accept-ranges"), "bytes");
    let basic = caller.basic();
    for (condition, status) in [(&*etag, 206), ("\"another\"", 200), ("Mon, 08 Apr 2024 08:00:00 GMT", 200)] {
        let headers = [("authorization", &*basic), ("range", "bytes=0-9"), ("if-range", condition)];
        assert_eq!(caller.registry(Method::GET, &path, &headers).await.status, status, "{condition}");
    }
}

#[tokio::test]
async fn head_answers_without_the_store() {
    let (service, caller, path, layer) = setting().await;
    let config = caller.manifest("1/trained").await.config().clone();
    for kind in ["chunks", "manifests"] {
        service.stored(kind).iter().for_each(|file| std::fs::remove_file(file).unwrap());
    }
    let head = caller.head(&path).await;
    assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0));
    assert_eq!(head.header("content-length"), layer.len().to_string());
    assert_eq!(head.header("content-type"), "application/octet-stream");
    let head = caller.head(&format!("{IMAGE}/blobs/{}", config.digest())).await;
    assert_eq!(head.header("content-length"), config.size().to_string());
}

#[tokio::test]
async fn unknown_blobs_are_not_found() {
    let (service, caller, path, layer) = setting().await;
    service.container_image("other").await;
    let other = caller.manifest("1/other").await;
    // The manifest is no blob, and another repository's blob is not one of this.
    let manifest = caller.pull(&format!("{IMAGE}/manifests/latest")).await;
    for wrong in [
        digest(b"another"),
        other.layers()[0].digest().to_string(),
        digest(&manifest.body),
        digest(&layer).to_uppercase(),
        "latest".to_owned(),
    ] {
        let path = format!("{IMAGE}/blobs/{wrong}");
        caller.pull(&path).await.assert_error(404, "BLOB_UNKNOWN");
        assert_eq!(caller.head(&path).await.status, 404, "{wrong}");
    }
    assert_eq!(caller.head(&path).await.status, 200);
}

#[tokio::test]
async fn pulls_and_downloads_share_their_places() {
    let service = Service::start().await;
    // More than all buffers hold.
    service.import_container("trained", &Archive::of(&large_disk_bytes()[..24 << 20])).await;
    let (caller, (theirs, other)) = (service.caller(), service.stranger().await);
    let id = caller.images(&[]).await[0]["CompShareImageId"].as_str().unwrap().to_owned();
    caller.share(&id, &[theirs]).await;
    let manifest = caller.manifest("1/trained").await;
    let path = format!("{IMAGE}/blobs/{}", manifest.layers()[0].digest());
    let open = async |caller: &Caller| {
        let request = axum::http::Request::get(&path).header("authorization", caller.basic());
        caller.open(request.body(axum::body::Body::empty()).unwrap()).await
    };
    let mut held = Vec::new();
    for _ in 0..jingku_server::MAX_EXPORTS / 2 {
        held.push(open(&caller).await);
    }
    assert!(held.iter().all(|response| response.status() == 200));
    caller.pull(&path).await.assert_error(429, "TOOMANYREQUESTS");
    assert_eq!(caller.head(&path).await.status, 200, "no place is needed for the headers");
    assert_eq!(open(&other).await.status(), 200, "accounts share the places");
    drop(held);
    crate::support::wait_until("a place is free", async || open(&caller).await.status() == 200).await;
}
