//! Reading an image's bytes.

use std::time::Duration;

use compshare::{Client, Error};
use futures::{StreamExt, TryStreamExt};
use serde_json::json;

use crate::server::{Answer, PRIVATE_KEY, Server};

const ID: &str = "compshareImage-1";

fn file(length: &str, bytes: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n{length}\r\n\r\n");
    [head.as_bytes(), bytes].concat()
}

async fn refused(answer: impl Fn() -> Answer + Send + Sync + 'static) -> (Error, usize) {
    let server = Server::start(move |_, _| answer()).await;
    let error = server.client().export(ID).await.map(|_| ()).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("Signature="), "{error:?}");
    (error, server.seen().len())
}

#[tokio::test]
async fn a_file_is_complete_after_a_retry() {
    let bytes: Vec<u8> = (0..200_000_u32).map(|number| number.to_le_bytes()[0]).collect();
    let sent = bytes.clone();
    let server = Server::start(move |before, _| match before {
        0 => Answer::status(503),
        _ => Answer::Raw(file("Content-Length: 200000", &sent)),
    })
    .await;
    let (length, body) = server.client().export(ID).await.unwrap();
    assert_eq!(length, Some(200_000));
    let chunks: Vec<_> = body.try_collect().await.unwrap();
    assert!(chunks.concat() == bytes);

    let seen = server.seen();
    assert_eq!(seen.len(), 2);
    assert!(seen[1].head.starts_with("GET /?Action=ExportCompShareCustomImage&"), "{}", seen[1].head);
    assert_eq!(seen[1].text("CompShareImageId"), Some(ID));
}

#[tokio::test]
async fn a_truncated_file_is_an_error() {
    let server = Server::start(|_, _| Answer::Raw(file("Content-Length: 100", b"half"))).await;
    let (_, body) = server.client().export(ID).await.unwrap();
    let parts: Vec<_> = body.collect().await;
    assert!(matches!(parts.last(), Some(Err(Error::Transport { .. }))), "{parts:?}");
    assert_eq!(server.seen().len(), 1);
}

/// A broken connection resumes at the byte where it broke, if the disk is the same.
#[tokio::test]
async fn a_broken_download_resumes() {
    let server = Server::start(|_, request| match request.action() {
        "ExportCompShareCustomImage" => {
            Answer::Raw(file("ETag: \"tag\"\r\nContent-Length: 10", b"01234"))
        }
        // The address is the server's own idea of where it is.
        "GetCompShareCustomImageUrl" => Answer::Json(
            json!({"RetCode": 0, "Url": "https://elsewhere.example/images/x/disk?signature=s", "ExpireTime": 1}),
        ),
        _ if request.head.contains("range: bytes=5-") => Answer::raw(
            "HTTP/1.1 206 Partial Content\r\nContent-Type: application/octet-stream\r\n\
             Content-Range: bytes 5-9/10\r\nContent-Length: 5\r\n\r\n56",
        ),
        _ => Answer::raw(
            "HTTP/1.1 206 Partial Content\r\nContent-Type: application/octet-stream\r\n\
             Content-Range: bytes 7-9/10\r\nContent-Length: 3\r\n\r\n789",
        ),
    })
    .await;
    let (length, body) = server.client().export(ID).await.unwrap();
    let parts: Vec<_> = body.try_collect().await.unwrap();
    assert_eq!((length, parts.concat()), (Some(10), b"0123456789".to_vec()));
    let seen = server.seen();
    let parts: Vec<_> = seen.iter().filter(|seen| seen.head.starts_with("GET /images/x/disk?")).collect();
    assert_eq!(parts.len(), 2);
    assert!(parts.iter().all(|part| part.head.contains("if-range: \"tag\"")), "{}", parts[0].head);
}

/// Another disk, or a server that breaks at the same byte again, ends it.
#[tokio::test]
async fn a_download_that_cannot_resume_is_an_error() {
    for part in [
        "HTTP/1.1 200 OK\r\nETag: \"other\"\r\nContent-Length: 2\r\n\r\nxx",
        "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 5-9/10\r\nContent-Length: 5\r\n\r\n",
    ] {
        let server = Server::start(move |_, request| match request.action() {
            "ExportCompShareCustomImage" => {
                Answer::Raw(file("ETag: \"tag\"\r\nContent-Length: 10", b"01234"))
            }
            "GetCompShareCustomImageUrl" => {
                Answer::Json(json!({"RetCode": 0, "Url": "http://a/images/x/disk", "ExpireTime": 1}))
            }
            _ => Answer::raw(part),
        })
        .await;
        let (_, body) = server.client().export(ID).await.unwrap();
        let parts: Vec<_> = body.collect().await;
        assert!(matches!(parts.last(), Some(Err(Error::Transport { .. }))), "{parts:?}");
    }
}

#[tokio::test]
async fn a_silent_transfer_is_an_error() {
    let server = Server::start(|_, _| Answer::Hang(file("Content-Length: 100", b"half"))).await;
    let mut config = server.config();
    config.timeout = Duration::from_millis(150);
    let (_, body) = Client::new(config).unwrap().export(ID).await.unwrap();
    let parts: Vec<_> = body.collect().await;
    assert!(matches!(parts.last(), Some(Err(Error::Timeout { .. }))), "{parts:?}");
}

#[tokio::test]
async fn an_endpoint_without_export_says_so() {
    let answer =
        || Answer::Json(json!({"RetCode": 161, "Message": "Action [ExportCompShareCustomImage] not found"}));
    let (error, sent) = refused(answer).await;
    assert!(error.to_string().starts_with("This endpoint cannot give image bytes"), "{error}");
    assert_eq!((error.ret_code(), error.request_id(), sent), (Some(161), Some("request-1"), 1));
}

#[tokio::test]
async fn a_refusal_is_the_usual_error() {
    let (error, _) =
        refused(|| Answer::Json(json!({"RetCode": 8017, "Message": "Image is not available"}))).await;
    assert_eq!(error.ret_code(), Some(8017));
    let (error, _) = refused(|| Answer::Json(json!({"RetCode": 0}))).await;
    assert!(error.to_string().contains("it claims success and is no file"), "{error}");
    let (error, sent) = refused(|| Answer::raw("")).await;
    assert!(matches!(error, Error::Transport { .. }) && sent == 4, "{error} after {sent}");
    assert!(!format!("{error:?}").contains(PRIVATE_KEY));
}
