//! How often a request is sent, by what went wrong and whether the action may be repeated.

use std::time::{Duration, Instant};

use compshare::actions::{
    CreateCompShareCustomImageRequest, GetRegionRequest, Request, TerminateCompShareCustomImageRequest,
};
use compshare::{Client, Config, Error};
use serde_json::json;
use tokio::net::TcpListener;

use crate::server::{Answer, PRIVATE_KEY, PUBLIC_KEY, Server};

/// How often a request is sent to a server that always answers alike, and the error in the end.
async fn sent<R: Request>(
    request: R,
    max_retries: u32,
    answer: impl Fn() -> Answer + Send + Sync + 'static,
) -> (usize, Error) {
    let server = Server::start(move |_, _| answer()).await;
    let mut config = server.config();
    config.max_retries = max_retries;
    let error = Client::new(config).unwrap().call(&request).await.err().unwrap();
    (server.seen().len(), error)
}

fn refusal(code: i64) -> Answer {
    Answer::Json(json!({"RetCode": code, "Message": "no"}))
}

fn create() -> CreateCompShareCustomImageRequest {
    CreateCompShareCustomImageRequest::default()
}

fn cut_off() -> Answer {
    Answer::raw("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"RetCode\":0")
}

#[tokio::test]
async fn temporary_errors_are_retried() {
    for status in [429, 502, 503, 504] {
        assert_eq!(sent(GetRegionRequest, 1, move || Answer::status(status)).await.0, 2, "{status}");
    }
    for code in [110, 150, 153, 226_620] {
        assert_eq!(sent(GetRegionRequest, 1, move || refusal(code)).await.0, 2, "{code}");
    }
    let (times, error) = sent(GetRegionRequest, 3, cut_off).await;
    assert!(matches!(error, Error::Transport { .. }), "{error}");
    assert_eq!(times, 4);
    let closed = sent(GetRegionRequest, 2, || Answer::raw("")).await;
    assert!(matches!(closed, (3, Error::Transport { .. })), "{closed:?}");
}

#[tokio::test]
async fn permanent_errors_are_not_retried() {
    for code in [130, 171, 230, 8039, 8433, 226_999] {
        assert_eq!(sent(GetRegionRequest, 3, move || refusal(code)).await.0, 1, "{code}");
    }
    for status in [400, 404, 500] {
        assert_eq!(sent(GetRegionRequest, 3, move || Answer::status(status)).await.0, 1, "{status}");
    }
    assert_eq!(sent(GetRegionRequest, 0, || refusal(153)).await.0, 1);
}

/// The one before may have been carried out.
#[tokio::test]
async fn unsafe_actions_are_sent_once() {
    for status in [429, 503] {
        assert_eq!(sent(create(), 3, move || Answer::status(status)).await.0, 1, "{status}");
    }
    assert_eq!(sent(create(), 3, || refusal(153)).await.0, 1);
    assert_eq!(sent(create(), 3, cut_off).await.0, 1);
    assert_eq!(sent(create(), 3, || Answer::raw("")).await.0, 1);
    assert_eq!(sent(TerminateCompShareCustomImageRequest::default(), 3, || Answer::raw("")).await.0, 1);
}

#[tokio::test]
async fn a_retry_that_succeeds_is_a_success() {
    let server = Server::start(|before, _| match before {
        0 => Answer::status(503),
        1 => refusal(153),
        _ => Answer::Json(json!({"RetCode": 0, "Regions": [{"Region": "r"}]})),
    })
    .await;
    assert_eq!(server.client().get_region(&GetRegionRequest).await.unwrap().regions.len(), 1);
    assert_eq!(server.seen().len(), 3);
}

/// Not even a connection: nothing can have been carried out, so a later attempt may reach a server that has started.
#[tokio::test]
async fn a_refused_connection_is_retried_for_any_action() {
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let mut config = Config::new(PUBLIC_KEY, PRIVATE_KEY);
    config.base_url = format!("http://127.0.0.1:{port}");
    config.max_retries = 2;
    let client = Client::new(config).unwrap();
    cannot_connect(&client, &create()).await;
    cannot_connect(&client, &GetRegionRequest).await;
}

async fn cannot_connect<R: Request>(client: &Client, request: &R) {
    let started = Instant::now();
    let error = client.call(request).await.err().unwrap();
    assert!(matches!(error, Error::Connect { .. }), "{error}");
    assert!(error.to_string().contains("refused"), "{error}");
    assert!(error.is_retryable());
    // Two pauses: at least half of 0.2 s and of 0.4 s.
    assert!(started.elapsed() >= Duration::from_millis(300), "{:?}", started.elapsed());
}

/// The next pause would outlast the call: the error that is known says more than a timeout.
#[tokio::test]
async fn no_pause_outlasts_the_call() {
    let server = Server::start(|_, _| Answer::status(503)).await;
    let mut config = server.config();
    config.timeout = Duration::from_millis(90);
    let error = Client::new(config).unwrap().get_region(&GetRegionRequest).await.unwrap_err();
    assert!(matches!(error, Error::Http { status: 503, .. }), "{error}");
    assert_eq!(server.seen().len(), 1);
}
