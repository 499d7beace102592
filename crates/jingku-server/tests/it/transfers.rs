//! Transfer slots: accounts share them, and a slow client loses its slot.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::Request;
use axum::response::Response;
use futures::StreamExt;
use jingku_library::Limit;
use jingku_protocol::Params;
use jingku_protocol::actions::Action;
use jingku_server::{MAX_EXPORTS, MAX_UPLOADS, TRANSFER_STEP_TIMEOUT};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::support::{Caller, Service, wait_until};

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

    /// Starts an endless upload that sends a byte every so many ticks.
    async fn trickle(&self, name: &str, tick: Duration, ticks_per_byte: u64) -> Trickle {
        let reply = self.ok(IMPORT, &[("Name", name)]).await;
        let url = reply["Url"].as_str().unwrap();
        let link = url[url.find("/uploads/").unwrap()..].to_owned();
        let (read, is_read) = oneshot::channel();
        let ticks = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&ticks);
        let bytes = futures::stream::unfold(Some(read), move |read| {
            let counter = Arc::clone(&counter);
            async move {
                let _ = read.map(|read| read.send(()));
                loop {
                    tokio::time::sleep(tick).await;
                    if (counter.fetch_add(1, Ordering::Relaxed) + 1).is_multiple_of(ticks_per_byte) {
                        return Some((Ok::<_, Infallible>(Bytes::from_static(b"x")), None));
                    }
                }
            }
        });
        let body = Body::from_stream(bytes.boxed());
        let request = Request::patch(link).header("upload-offset", "0").body(body).unwrap();
        let caller = self.clone();
        let response = tokio::spawn(async move { caller.open(request).await });
        // A refusal drops the body, and with it the sender.
        Trickle { response, accepted: is_read.await.is_ok(), ticks }
    }
}

/// An upload that was refused or whose body the server has begun to read.
struct Trickle {
    response: JoinHandle<Response>,
    accepted: bool,
    /// How many ticks the server has waited for the client. Unlike the time until the response, this does not depend on
    /// how fast the disk is.
    ticks: Arc<AtomicU64>,
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
    let tick = Duration::from_millis(10);
    let mut held = Vec::new();
    for number in 0..MAX_UPLOADS / 2 {
        let upload = first.trickle(&format!("upload-{number}"), tick, 1).await;
        assert!(upload.accepted, "upload {number} was refused");
        held.push(upload.response);
    }
    let one_more = first.trickle("one-more", tick, 1).await;
    assert_eq!(one_more.response.await.unwrap().status(), 503);
    let theirs = other.trickle("theirs", tick, 1).await;
    assert!(theirs.accepted && !theirs.response.is_finished(), "the other account was refused a slot");
    held.push(theirs.response);
    held.iter().for_each(JoinHandle::abort);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_runs_as_many_transfers_as_its_limit() {
    let service = Service::start().await;
    let (caller, (_, other)) = (service.caller(), service.stranger().await);
    let id = service.large_image().await;
    let library = &service.context.library;
    library.set_account_limits(1, &[(Limit::Transfers, Some(2))]).await.unwrap();
    let tick = Duration::from_millis(10);
    let upload = caller.trickle("upload", tick, 1).await;
    let held = caller.try_export(&id).await.unwrap();
    let (code, message) = caller.refusal(EXPORT, &[("CompShareImageId", &id)]).await;
    assert_eq!(code, 8095);
    assert!(
        message.starts_with("The account runs 2 transfers and asks for 1 more, but may run 2"),
        "{message}"
    );
    let link = caller.ok(Action::GetCompShareCustomImageUrl, &[("CompShareImageId", &id)]).await;
    let url = link["Url"].as_str().unwrap();
    let path = &url[url.find("/images/").unwrap()..];
    let download = async || caller.open(Request::get(path).body(Body::empty()).unwrap()).await.status();
    assert_eq!(download().await, 429);
    assert_eq!(caller.trickle("another", tick, 1).await.response.await.unwrap().status(), 429);
    assert!(other.trickle("theirs", tick, 1).await.accepted);
    // The row of a transfer that ends is removed a moment later.
    drop(held);
    wait_until("a download starts", async || download().await == 200).await;
    wait_until("only the upload counts", async || {
        let states = library.account_limits(1).await.unwrap();
        states.iter().any(|state| state.limit == Limit::Transfers && state.used == 1)
    })
    .await;
    upload.response.abort();
}

#[tokio::test]
async fn an_export_that_nobody_reads_is_cut_off() {
    let service = Service::start_on_file().await;
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
    // Any of them may be the first that was cut off.
    let mut cut_off = false;
    for export in held {
        cut_off = cut_off || http_body_util::BodyExt::collect(export.into_body()).await.is_err();
    }
    assert!(cut_off, "an export that was cut off looks complete");
}

#[tokio::test]
async fn slow_and_silent_uploads_time_out() {
    let service = Service::start().await;
    let caller = service.caller();
    let second = Duration::from_secs(1);
    for (name, ticks_per_byte) in [("slow", 7), ("silent", u64::MAX)] {
        let upload = caller.trickle(name, second, ticks_per_byte).await;
        tokio::time::pause();
        until(async || upload.response.is_finished()).await;
        tokio::time::resume();
        assert_eq!(upload.response.await.unwrap().status(), 408, "{name}");
        let waited = second * u32::try_from(upload.ticks.load(Ordering::Relaxed)).unwrap();
        assert!(waited <= TRANSFER_STEP_TIMEOUT, "{name}: {waited:?}");
    }
}
