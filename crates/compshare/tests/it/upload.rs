//! A file on its way to a server that breaks, moves on and refuses.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use compshare::actions::ImportCompShareCustomImageRequest;
use compshare::{Client, Error, HashKind, Upload};
use serde_json::json;

use crate::server::{Answer, Seen, Server};

fn request() -> ImportCompShareCustomImageRequest {
    ImportCompShareCustomImageRequest {
        name: "env".into(),
        size_bytes: Some(10.into()),
        ..ImportCompShareCustomImageRequest::default()
    }
}

/// The address is the server's own idea of where it is.
fn link() -> Answer {
    Answer::Json(json!({
        "RetCode": 0, "CompShareImageId": "image-1", "Url": "https://elsewhere.example/uploads/image-1?signature=s",
        "ExpireTime": 1,
    }))
}

fn head(status: &str, offset: u64) -> Answer {
    let hash = if status.starts_with("200") { "Upload-Blake3: hash\r\nUpload-Hash: sparse\r\n" } else { "" };
    Answer::raw(&format!("HTTP/1.1 {status}\r\nUpload-Offset: {offset}\r\n{hash}Connection: close\r\n\r\n"))
}

fn refusal(status: &str, code: i64) -> Answer {
    let body = json!({ "RetCode": code, "Message": "because" }).to_string();
    let length = body.len();
    Answer::raw(&format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"))
}

async fn start(client: &Client) -> Upload {
    let mut upload = client.start_import(&request()).await.unwrap();
    upload.look().await.unwrap();
    upload
}

/// `PATCH 5` for bytes from 5 on, else the method alone.
fn kind_of(seen: &Seen) -> String {
    let method = seen.head.split(' ').next().unwrap();
    let offset = seen.head.lines().find_map(|line| line.strip_prefix("upload-offset: "));
    offset.map_or(method.to_owned(), |offset| format!("{method} {offset}"))
}

#[tokio::test]
async fn a_broken_upload_resumes_at_the_servers_offset() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let server = Server::start(move |_, request| {
        let kind = kind_of(request);
        let heads = {
            let mut log = log.lock().unwrap();
            log.push(kind.clone());
            log.iter().filter(|kind| *kind == "HEAD").count()
        };
        match &*kind {
            "HEAD" => head("200 OK", if heads > 1 { 6 } else { 2 }),
            "PATCH 6" => head("204 No Content", 10),
            "POST" if request.head.starts_with("POST /uploads") => head("204 No Content", 10),
            "POST" => link(),
            // It took four bytes and was gone.
            _ => Answer::raw(""),
        }
    })
    .await;
    let mut upload = start(&server.client()).await;
    assert_eq!((upload.image_id(), upload.received(), upload.received_hash()), ("image-1", 2, "hash"));
    let last = Arc::new(AtomicU64::new(0));
    let shown = Arc::clone(&last);
    upload.send(Bytes::from("23456789"), move |at| shown.store(at, Ordering::Relaxed)).await.unwrap();
    assert_eq!((upload.received(), last.load(Ordering::Relaxed)), (10, 10));
    upload.finish("whole").await.unwrap();
    let seen = seen.lock().unwrap().clone();
    assert_eq!(seen, ["POST", "HEAD", "PATCH 2", "POST", "HEAD", "PATCH 6", "POST"]);
    let heads = server.seen();
    let last = &heads.last().unwrap().head;
    assert!(last.contains("upload-length: 10") && last.contains("upload-blake3: whole"), "{last}");
    assert!(heads[5].head.contains("content-length: 4"), "{}", heads[5].head);
}

/// One request, however many; a server that has to hash each of them gets a gigabyte at a time.
#[tokio::test]
async fn many_zeros_are_few_requests() {
    for (hash, kind, requests) in [("sparse", HashKind::Sparse, 1), ("plain", HashKind::Plain, 6)] {
        let server = Server::start(move |_, request| match &*kind_of(request) {
            "HEAD" => {
                let head = format!("Upload-Offset: 0\r\nUpload-Blake3: hash\r\nUpload-Hash: {hash}\r\n");
                Answer::raw(&format!("HTTP/1.1 200 OK\r\n{head}Connection: close\r\n\r\n"))
            }
            "POST" => link(),
            kind => {
                let at: u64 = kind.strip_prefix("PATCH ").unwrap().parse().unwrap();
                let zeros = request.head.lines().find_map(|line| line.strip_prefix("upload-zeros: "));
                assert!(request.head.contains(&format!("upload-hash: {hash}")), "{}", request.head);
                let end = at + zeros.unwrap().parse::<u64>().unwrap();
                let head = format!("Upload-Offset: {end}\r\nUpload-Hash: {hash}\r\n");
                Answer::raw(&format!("HTTP/1.1 204 No Content\r\n{head}Connection: close\r\n\r\n"))
            }
        })
        .await;
        let mut upload = start(&server.client()).await;
        assert_eq!(upload.hash_kind(), kind);
        upload.send_zeros((5 << 30) + 7).await.unwrap();
        assert_eq!((upload.received(), server.seen().len()), ((5 << 30) + 7, 2 + requests));
    }
}

/// A link may stand anywhere on the server's own idea of where it is.
#[tokio::test]
async fn a_public_url_may_look_like_a_link() {
    for public in ["/images", "/uploads", "/uploads/x", "/images/x/disk", "/covers", ""] {
        let server = Server::start(move |_, request| match &*kind_of(request) {
            "HEAD" if request.head.starts_with("HEAD /uploads/image-1?signature=s ") => head("200 OK", 4),
            "POST" => Answer::Json(json!({
                "RetCode": 0, "CompShareImageId": "image-1", "ExpireTime": 1,
                "Url": format!("https://elsewhere.example{public}/uploads/image-1?signature=s"),
            })),
            _ => Answer::status(404),
        })
        .await;
        assert_eq!(start(&server.client()).await.received(), 4, "{public}");
    }
}

#[tokio::test]
async fn a_started_upload_can_be_withdrawn() {
    for gone in [false, true] {
        let server = Server::start(move |_, request| match request.action() {
            "TerminateCompShareCustomImage" if gone => {
                Answer::Json(json!({"RetCode": 8039, "Message": "gone"}))
            }
            "TerminateCompShareCustomImage" => {
                assert_eq!(request.text("CompShareImageId"), Some("image-1"));
                Answer::Json(json!({"RetCode": 0}))
            }
            _ if request.head.starts_with("HEAD") => head("200 OK", 0),
            _ => link(),
        })
        .await;
        let mut upload = server.client().start_import(&request()).await.unwrap();
        assert!(!upload.is_resumed());
        upload.renew().await.unwrap();
        upload.withdraw().await.unwrap();
        assert_eq!(server.seen().len(), 4);
    }
}

#[tokio::test]
async fn permanent_upload_errors_are_returned() {
    for (status, code) in
        [("413 Too Large", 230), ("507 Full", 8095), ("404 Gone", 8039), ("422 Differs", 230)]
    {
        let server = Server::start(move |_, request| match &*kind_of(request) {
            "HEAD" => head("200 OK", 0),
            "POST" => link(),
            _ => refusal(status, code),
        })
        .await;
        let mut upload = start(&server.client()).await;
        let error = upload.send(Bytes::from("0123456789"), |_| {}).await.unwrap_err();
        assert_eq!((error.ret_code(), server.seen().len()), (Some(code), 3), "{error}");
    }
}

#[tokio::test]
async fn an_upload_without_progress_fails() {
    for answer in [|| refusal("409 Conflict", 153), || Answer::status(503), || refusal("403 Forbidden", 171)]
    {
        let server = Server::start(move |_, request| match &*kind_of(request) {
            "HEAD" => head("200 OK", 0),
            "POST" => link(),
            _ => answer(),
        })
        .await;
        let mut config = server.config();
        config.timeout = Duration::from_millis(500);
        let mut upload = start(&Client::new(config).unwrap()).await;
        upload.send(Bytes::from("0123456789"), |_| {}).await.unwrap_err();
        let patches = server.seen().iter().filter(|seen| seen.head.starts_with("PATCH")).count();
        assert!((2..=6).contains(&patches), "{patches}");
    }
}

/// Bytes that were never sent from here, or fewer than the server had.
#[tokio::test]
async fn an_upload_at_another_offset_fails() {
    for moved in [1, 100] {
        let server = Server::start(move |number, request| match &*kind_of(request) {
            "HEAD" => head("200 OK", if number < 2 { 4 } else { moved }),
            "POST" => link(),
            _ => refusal("409 Conflict", 230),
        })
        .await;
        let mut upload = start(&server.client()).await;
        let error = upload.send(Bytes::from("456789"), |_| {}).await.unwrap_err();
        assert!(matches!(error, Error::ImageGone { .. }), "{error}");
    }
}

#[tokio::test]
async fn an_endpoint_without_import_says_so() {
    let server =
        Server::start(|_, _| Answer::Json(json!({"RetCode": 161, "Message": "Action not found"}))).await;
    let error = server.client().start_import(&request()).await.err().unwrap();
    assert!(matches!(error, Error::CannotImport { .. }), "{error}");
    assert_eq!(error.ret_code(), Some(161));
}
