//! Transfer slots: accounts share them, and a slow client loses its slot.

use std::convert::Infallible;
use std::future::pending;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::Request;
use axum::response::Response;
use futures::StreamExt;
use jingku_protocol::Params;
use jingku_protocol::actions::Action;
use jingku_server::{MAX_EXPORTS, MAX_UPLOADS, TRANSFER_STEP_TIMEOUT};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::support::{Caller, Service};

const EXPORT: Action = Action::ExportCompShareCustomImage;
const IMPORT: Action = Action::ImportCompShareCustomImage;

impl Caller {
    async fn export(&self, id: &str) -> Response {
        let params = Params::for_action(EXPORT.name()).text("CompShareImageId", Some(id));
        let url = format!("/?{}", self.sign(params).to_form());
        self.open(Request::get(url).body(Body::empty()).unwrap()).await
    }

    /// Starts an export; `None` if it is refused.
    async fn try_export(&self, id: &str) -> Option<Response> {
        let response = self.export(id).await;
        (response.headers()["content-type"] == "application/octet-stream").then_some(response)
    }

    /// Starts an endless upload that sends one byte every `pause`. Returns when the server has refused it or begins to
    /// read its body, and whether it does.
    async fn trickle(&self, name: &str, pause: Duration) -> (JoinHandle<Response>, bool) {
        let reply = self.ok(IMPORT, &[("Name", name)]).await;
        let url = reply["Url"].as_str().unwrap();
        let link = url[url.find("/uploads/").unwrap()..].to_owned();
        let (read, is_read) = oneshot::channel();
        let bytes = futures::stream::unfold(Some(read), move |read| async move {
            if let Some(read) = read {
                let _ = read.send(());
            }
            tokio::time::sleep(pause).await;
            Some((Ok::<_, Infallible>(Bytes::from_static(b"x")), None))
        });
        let body = Body::from_stream(bytes.boxed());
        let request = Request::patch(link).header("upload-offset", "0").body(body).unwrap();
        let caller = self.clone();
        let upload = tokio::spawn(async move { caller.open(request).await });
        // A refusal drops the body, and with it the sender.
        (upload, is_read.await.is_ok())
    }
}

/// Advances the paused time by a second at a time until the condition holds.
async fn until(mut holds: impl AsyncFnMut() -> bool) {
    while !holds().await {
        tokio::time::advance(Duration::from_secs(1)).await;
        // Reads of files run on other threads, which the paused time does not wait for.
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[tokio::test]
async fn one_account_cannot_use_all_export_slots() {
    let service = Service::start().await;
    let (owner, (account, other)) = (service.caller(), service.stranger().await);
    let id = service.large_image().await;
    owner.share(&id, &[account]).await;
    let mut held = Vec::new();
    while let Some(export) = owner.try_export(&id).await {
        held.push(export);
    }
    assert_eq!(held.len(), MAX_EXPORTS / 2);
    assert!(other.try_export(&id).await.is_some());
}

#[tokio::test]
async fn one_account_cannot_use_all_upload_slots() {
    let service = Service::start().await;
    let (first, (_, other)) = (service.caller(), service.stranger().await);
    let mut held = Vec::new();
    for number in 0..MAX_UPLOADS / 2 {
        let (upload, accepted) = first.trickle(&format!("upload-{number}"), Duration::from_millis(10)).await;
        assert!(accepted, "upload {number} was refused");
        held.push(upload);
    }
    let (one_more, _) = first.trickle("one-more", Duration::from_millis(10)).await;
    assert_eq!(one_more.await.unwrap().status(), 503);
    let (theirs, accepted) = other.trickle("theirs", Duration::from_millis(10)).await;
    assert!(accepted && !theirs.is_finished(), "the other account was refused a slot");
    held.push(theirs);
    held.iter().for_each(JoinHandle::abort);
}

#[tokio::test]
async fn an_export_that_nobody_reads_is_cut_off() {
    let service = Service::start().await;
    let caller = service.caller();
    let id = service.large_image().await;
    let mut held = Vec::new();
    while let Some(export) = caller.try_export(&id).await {
        held.push(export);
    }
    tokio::time::pause();
    let started = Instant::now();
    until(async || caller.try_export(&id).await.is_some()).await;
    assert!(started.elapsed() <= TRANSFER_STEP_TIMEOUT * 2, "{:?}", started.elapsed());
    let cut = http_body_util::BodyExt::collect(held.remove(0).into_body()).await;
    assert!(cut.is_err(), "an export that was cut off looks complete");
}

#[tokio::test]
async fn slow_and_silent_uploads_time_out() {
    let service = Service::start().await;
    let caller = service.caller();
    tokio::time::pause();
    let started = Instant::now();
    let (upload, _) = caller.trickle("slow", Duration::from_secs(7)).await;
    until(async || upload.is_finished()).await;
    let response = upload.await.unwrap();
    assert_eq!(response.status(), 408);
    assert!(started.elapsed() <= TRANSFER_STEP_TIMEOUT * 2, "{:?}", started.elapsed());
    // An upload whose client sends nothing times out too.
    let reply = caller.ok(IMPORT, &[("Name", "silent")]).await;
    let url = reply["Url"].as_str().unwrap();
    let link = url[url.find("/uploads/").unwrap()..].to_owned();
    let body = Body::from_stream(futures::stream::once(pending::<Result<Bytes, Infallible>>()));
    let request = Request::patch(link).header("upload-offset", "0").body(body).unwrap();
    let (started, caller) = (Instant::now(), caller.clone());
    let silent = tokio::spawn(async move { caller.open(request).await.status() });
    until(async || silent.is_finished()).await;
    assert_eq!(silent.await.unwrap(), 408);
    assert!(started.elapsed() <= TRANSFER_STEP_TIMEOUT * 2, "{:?}", started.elapsed());
}
