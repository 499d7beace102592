//! Places for exports and uploads: every account has a share, and no client keeps one for ever.

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

    /// An export that runs; `None` when it is refused.
    async fn try_export(&self, id: &str) -> Option<Response> {
        let response = self.export(id).await;
        (response.headers()["content-type"] == "application/octet-stream").then_some(response)
    }

    /// An upload of which one byte comes every `pause`, without end.
    async fn trickle(&self, name: &str, pause: Duration) -> JoinHandle<Response> {
        let reply = self.ok(IMPORT, &[("Name", name)]).await;
        let url = reply["Url"].as_str().unwrap();
        let link = url[url.find("/uploads/").unwrap()..].to_owned();
        let bytes = futures::stream::unfold((), move |()| async move {
            tokio::time::sleep(pause).await;
            Some((Ok::<_, Infallible>(Bytes::from_static(b"x")), ()))
        });
        let body = Body::from_stream(bytes.boxed());
        let request = Request::patch(link).header("upload-offset", "0").body(body).unwrap();
        let caller = self.clone();
        tokio::spawn(async move { caller.open(request).await })
    }
}

/// Lets time pass, a second at a time, until it is so.
async fn until(mut is_so: impl AsyncFnMut() -> bool) {
    while !is_so().await {
        tokio::time::advance(Duration::from_secs(1)).await;
        // Other threads have work to do too.
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
        held.push(first.trickle(&format!("upload-{number}"), Duration::from_millis(10)).await);
    }
    let one_more = first.trickle("one-more", Duration::from_millis(10)).await;
    assert_eq!(one_more.await.unwrap().status(), 503);
    let theirs = other.trickle("theirs", Duration::from_millis(10)).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!theirs.is_finished(), "the other account was refused a place");
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
    assert!(cut.is_err(), "what was cut looks whole");
}

#[tokio::test]
async fn slow_and_silent_uploads_time_out() {
    let service = Service::start().await;
    let caller = service.caller();
    tokio::time::pause();
    let started = Instant::now();
    let upload = caller.trickle("slow", Duration::from_secs(7)).await;
    until(async || upload.is_finished()).await;
    let response = upload.await.unwrap();
    assert_eq!(response.status(), 408);
    assert!(started.elapsed() <= TRANSFER_STEP_TIMEOUT * 2, "{:?}", started.elapsed());
    // Nor does one wait for a client that sends nothing.
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
