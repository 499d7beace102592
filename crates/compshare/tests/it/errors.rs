//! Every way a call can fail is an error of its own, with what a caller needs to act on it.

use std::time::Duration;

use compshare::{Class, Client, Error, MAX_REPLY_BYTES, RetCode};
use serde_json::json;

use crate::server::{Answer, PRIVATE_KEY, Server};

async fn error_of(answer: impl Fn() -> Answer + Send + Sync + 'static) -> (Error, usize) {
    let server = Server::start(move |_, _| answer()).await;
    let error = server.client().get_region(&compshare::actions::GetRegionRequest).await.unwrap_err();
    let text = format!("{error} {error:?}");
    assert!(!text.contains(PRIVATE_KEY) && !text.contains("Signature="), "{text}");
    (error, server.seen().len())
}

#[tokio::test]
async fn a_refusal_has_code_message_request_and_class() {
    let (error, _) =
        error_of(|| Answer::Json(json!({"RetCode": 171, "Message": "Signature VerifyAC Error"}))).await;
    assert_eq!(error.ret_code(), Some(RetCode::SignatureMismatch.code()));
    assert_eq!(error.class(), Class::FixCredentials);
    assert_eq!(error.request_id(), Some("request-1"));
    assert!(!error.is_retryable());
    let sentence = "GetRegion was refused: Signature VerifyAC Error (RetCode 171, request request-1).";
    assert_eq!(error.to_string(), sentence);
}

#[tokio::test]
async fn a_page_of_a_proxy_is_shown() {
    let (error, sent) = error_of(|| {
        Answer::raw("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 22\r\n\r\n<html>\n<h1>Login</h1>\n")
    })
    .await;
    let Error::Undecodable { excerpt, .. } = &error else { panic!("{error}") };
    assert_eq!((excerpt.as_str(), sent), ("<html> <h1>Login</h1>", 1));
    assert_eq!(error.class(), Class::ServiceFault);
}

#[tokio::test]
async fn a_reply_without_ret_code_is_no_success() {
    let (error, sent) = error_of(|| Answer::Json(json!({"Regions": []}))).await;
    assert!(error.to_string().contains("it has no RetCode"), "{error}");
    assert_eq!((error.request_id(), sent), (Some("request-1"), 1));
}

#[tokio::test]
async fn other_statuses_keep_their_number() {
    for (status, class) in
        [(404, Class::FixRequest), (403, Class::FixCredentials), (500, Class::ServiceFault)]
    {
        let (error, sent) = error_of(move || Answer::status(status)).await;
        let Error::Http { status: actual, excerpt, .. } = &error else { panic!("{error}") };
        assert_eq!((*actual, excerpt.as_str(), error.class(), sent), (status, "<h1>busy</h1>", class, 1));
    }
}

/// A redirect would carry the signed request to another server.
#[tokio::test]
async fn redirects_are_not_followed() {
    let elsewhere = Server::start(|_, _| Answer::Json(json!({"RetCode": 0}))).await;
    let target = elsewhere.config().base_url;
    let (error, _) = error_of(move || {
        Answer::raw(&format!("HTTP/1.1 307 Moved\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n"))
    })
    .await;
    assert!(matches!(error, Error::Http { status: 307, .. }), "{error}");
    assert!(elsewhere.seen().is_empty());
}

#[tokio::test]
async fn an_endless_reply_is_cut_off() {
    let (error, sent) = error_of(|| {
        let mut reply = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"RetCode\":0,\"Regions\":[".to_vec();
        reply.resize(MAX_REPLY_BYTES + 4096, b' ');
        Answer::Raw(reply)
    })
    .await;
    assert!(error.to_string().contains("larger than 16777216 bytes"), "{error}");
    assert_eq!(sent, 1);
}

#[tokio::test]
async fn a_silent_server_times_out() {
    let silent: [&[u8]; 3] =
        [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"RetCode\""];
    for start in silent {
        let server = Server::start(move |_, _| Answer::Hang(start.to_vec())).await;
        let mut config = server.config();
        config.timeout = Duration::from_millis(150);
        let error =
            Client::new(config).unwrap().get_region(&compshare::actions::GetRegionRequest).await.unwrap_err();
        assert!(matches!(error, Error::Timeout { .. }), "{error}");
        assert_eq!(error.to_string(), "GetRegion was not answered within 150ms.");
        assert_eq!((error.class(), server.seen().len()), (Class::AskAgainLater, 1));
    }
}
