//! The action, and downloads from the links it returns.

use axum::body::Body;
use axum::http::{Method, Request};
use axum::response::Response;
use jingku_library::{Random, SeededRandom};
use jingku_protocol::actions::Action;
use jingku_server::MAX_EXPORTS;

use crate::support::{Caller, DISK_BYTES, INSTANCE, NOW, Reply, Service, disk_bytes};

const URL: Action = Action::GetCompShareCustomImageUrl;

impl Caller {
    async fn link(&self, id: &str) -> String {
        let reply = self.ok(URL, &[("CompShareImageId", id)]).await;
        let url = reply["Url"].as_str().unwrap();
        url[url.find("/images/").unwrap()..].to_owned()
    }

    async fn ask(&self, method: Method, link: &str, headers: &[(&str, &str)]) -> Response {
        let request = Request::builder().method(method).uri(link);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        self.open(request.body(Body::empty()).unwrap()).await
    }

    async fn get(&self, link: &str, headers: &[(&str, &str)]) -> Reply {
        Reply::read(self.ask(Method::GET, link, headers).await).await
    }

    /// Checks that a download is refused with this status and code.
    async fn assert_download_refused(&self, link: &str, status: u16, code: i64) {
        for method in [Method::GET, Method::HEAD] {
            let response = self.ask(method.clone(), link, &[]).await;
            assert_eq!(response.status(), status, "{method} {link}");
            if method == Method::GET {
                assert_eq!(Reply::read(response).await.refusal().0, code, "{link}");
            }
        }
    }
}

#[tokio::test]
async fn a_link_downloads_the_disk_without_a_signed_request() {
    let service = Service::start().await;
    service.context.set_base_url("https://images.example.com/jingku");
    let caller = service.caller();
    let id = service.make(INSTANCE, "env").await;
    let reply = caller.ok(URL, &[("CompShareImageId", &id)]).await;
    assert_eq!(reply["ExpireTime"], NOW + 3600);
    assert_eq!(reply["SizeBytes"], DISK_BYTES);
    let url = reply["Url"].as_str().unwrap();
    assert!(
        url.starts_with(&format!("https://images.example.com/jingku/images/{id}/disk?account=1&")),
        "{url}"
    );
    let link = caller.link(&id).await;
    let whole = caller.get(&link, &[]).await;
    assert_eq!(whole.status, 200);
    assert!(whole.body == disk_bytes(1), "the bytes differ");
    assert_eq!(whole.headers["accept-ranges"], "bytes");
    assert_eq!(whole.headers["cache-control"], "private, no-store");
    assert_eq!(whole.headers["content-disposition"], format!("attachment; filename=\"{id}.raw\""));
    let head = caller.ask(Method::HEAD, &link, &[("Range", "bytes=0-9")]).await;
    assert_eq!(head.status(), 200);
    assert_eq!(head.headers()["content-length"], DISK_BYTES.to_string());
    assert_eq!(head.headers()["etag"], whole.headers["etag"]);
    // API calls are accepted on any path.
    let form = Request::post(&link).header("content-type", "application/x-www-form-urlencoded");
    let call = caller.send(form.body(Body::from("Action=Nonsense")).unwrap()).await;
    assert_eq!((call.status.as_u16(), call.refusal().0), (200, 170));
}

#[tokio::test]
async fn every_range_returns_its_bytes() {
    let service = Service::start().await;
    let caller = service.caller();
    let id = service.make(INSTANCE, "env").await;
    let (link, bytes) = (caller.link(&id).await, disk_bytes(1));
    let random = SeededRandom::new(20_261_124);
    let draw = |below: usize| {
        let mut word = [0; 8];
        random.fill(&mut word);
        usize::try_from(u64::from_le_bytes(word) % below as u64).unwrap()
    };
    // Ranges around every chunk boundary, and random ones.
    let chunk_boundaries = (0..DISK_BYTES).step_by(256 << 10).flat_map(|edge| {
        [
            (edge.saturating_sub(1), edge),
            (edge, edge),
            (edge, edge + (256 << 10) - 1),
            (edge.saturating_sub(1), edge + (256 << 10)),
        ]
    });
    let random_ranges = (0..100).map(|_| {
        let first = draw(DISK_BYTES);
        (first, first + draw(if first % 2 == 0 { 4096 } else { DISK_BYTES }))
    });
    let mut requests = 0;
    for (first, last) in chunk_boundaries.chain(random_ranges.collect::<Vec<_>>()) {
        let range = format!("bytes={first}-{last}");
        let reply = caller.get(&link, &[("Range", &range)]).await;
        let end = (last + 1).min(DISK_BYTES);
        assert_eq!(reply.status, 206, "{range}");
        assert_eq!(reply.headers["content-range"], format!("bytes {first}-{}/{DISK_BYTES}", end - 1));
        assert_eq!(reply.headers["content-length"], (end - first).to_string());
        assert!(reply.body == bytes[first..end], "the bytes differ: {range}");
        requests += 1;
    }
    assert!(requests > 150, "{requests}");
    for (range, from) in [("bytes=-7", DISK_BYTES - 7), ("bytes=4194304-", 4 << 20)] {
        assert!(caller.get(&link, &[("Range", range)]).await.body == bytes[from..], "{range}");
    }
    let past = caller.get(&link, &[("Range", &format!("bytes={DISK_BYTES}-"))]).await;
    assert_eq!((past.status.as_u16(), past.refusal().0), (416, 230));
    assert_eq!(past.headers["content-range"], format!("bytes */{DISK_BYTES}"));
    for (condition, status) in [("\"other\"", 200), ("Tue, 24 Nov 2026 08:00:00 GMT", 200)] {
        let reply = caller.get(&link, &[("Range", "bytes=5-9"), ("If-Range", condition)]).await;
        assert_eq!((reply.status.as_u16(), reply.body.len()), (status, DISK_BYTES), "{condition}");
    }
    let tag = caller.ask(Method::HEAD, &link, &[]).await.headers()["etag"].to_str().unwrap().to_owned();
    let reply = caller.get(&link, &[("Range", "bytes=5-9"), ("If-Range", &tag)]).await;
    assert!(reply.status == 206 && reply.body == bytes[5..10]);
}

#[tokio::test]
async fn a_link_expires_and_cannot_be_forged() {
    let service = Service::start().await;
    let caller = service.caller();
    let id = service.make(INSTANCE, "env").await;
    let other = service.make(INSTANCE, "other").await;
    let reply = caller.ok(URL, &[("CompShareImageId", &id), ("ExpiresIn", "60")]).await;
    assert_eq!(reply["ExpireTime"], NOW + 60);
    let link = caller.link(&id).await;
    for wrong in [
        link.replace(&id, &other),
        link.replace("account=1", "account=2"),
        link.replace("expires=1", "expires=2"),
        link.replace("manifest=", "manifest=0"),
        link.split("&signature").next().unwrap().to_owned(),
        format!("/images/{id}/disk"),
    ] {
        caller.assert_download_refused(&wrong, 403, 171).await;
    }
    service.clock.set(NOW + 3599);
    assert_eq!(caller.get(&link, &[]).await.status, 200);
    service.clock.set(NOW + 3600);
    caller.assert_download_refused(&link, 403, 171).await;
    // A server restarted on the same folder accepts the link.
    service.clock.set(NOW);
    assert_eq!(service.reopen().await.caller().get(&link, &[]).await.status, 200);
}

#[tokio::test]
async fn a_link_stops_working_when_its_account_loses_access() {
    let service = Service::start().await;
    let (owner, (theirs, receiver)) = (service.caller(), service.stranger().await);
    let id = service.make(INSTANCE, "env").await;
    owner.share(&id, &[theirs]).await;
    let (own, shared) = (owner.link(&id).await, receiver.link(&id).await);
    assert_ne!(own, shared);
    owner.unshare(&id, &[theirs]).await;
    receiver.assert_download_refused(&shared, 404, 8039).await;
    assert_eq!(owner.get(&own, &[]).await.status, 200);
    // A link also stops working when the image gets a price.
    service.make_public(&id).await;
    assert_eq!(receiver.get(&shared, &[]).await.status, 200);
    owner.ok(Action::UpdateCompShareImage, &[("CompShareImageId", &id), ("Price", "0.5")]).await;
    receiver.assert_download_refused(&shared, 404, 8039).await;
    let second = service.make(INSTANCE, "second").await;
    let link = owner.link(&second).await;
    owner.ok(Action::TerminateCompShareCustomImage, &[("CompShareImageId", &second)]).await;
    owner.assert_download_refused(&link, 404, 8039).await;
}

#[tokio::test]
async fn refusals_follow_the_documented_order() {
    let service = Service::start().await;
    let caller = service.caller();
    caller.assert_refused(URL, &[], 210, "Missing params [CompShareImageId]").await;
    for wrong in ["0", "-1", "86401", "1h", "1.5"] {
        let params = [("CompShareImageId", "image-none"), ("ExpiresIn", wrong)];
        caller.assert_refused(URL, &params, 230, "Params [ExpiresIn] not available").await;
    }
    caller.assert_project_is_checked(URL, &[("CompShareImageId", "image-none")]).await;
    let unknown = [("CompShareImageId", "image-none")];
    caller.assert_refused(URL, &unknown, 8039, "Resource not exist [image-none]").await;
    let making = caller.create(INSTANCE, "making").await;
    let message = format!("Image [{making}] is not available");
    caller.assert_refused(URL, &[("CompShareImageId", &making)], 8017, &message).await;
}

#[tokio::test]
async fn a_damaged_first_chunk_is_an_error_response() {
    let service = Service::start().await;
    let caller = service.caller();
    let id = service.make(INSTANCE, "env").await;
    let link = caller.link(&id).await;
    for chunk in service.stored("chunks") {
        let mut bytes = std::fs::read(&chunk).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(&chunk, bytes).unwrap();
    }
    for range in ["bytes=0-", "bytes=1-99"] {
        let reply = caller.get(&link, &[("Range", range)]).await;
        assert_eq!((reply.status.as_u16(), reply.refusal().0), (500, 130), "{range}");
    }
}

#[tokio::test]
async fn a_damaged_later_chunk_breaks_the_stream() {
    let service = Service::start().await;
    let caller = service.caller();
    let id = service.large_image().await;
    let link = caller.link(&id).await;
    let first = caller.get(&link, &[("Range", "bytes=0-262143")]).await.body;
    let chunks = service.stored("chunks");
    let damaged = chunks.iter().filter(|path| !path.ends_with(blake3::hash(&first).to_hex().as_str()));
    for chunk in damaged {
        std::fs::write(chunk, b"no chunk").unwrap();
    }
    let response = caller.ask(Method::GET, &link, &[("Range", "bytes=0-")]).await;
    assert_eq!(response.status(), 206);
    let body = http_body_util::BodyExt::collect(response.into_body()).await;
    assert!(body.is_err(), "the server sent bytes of a damaged chunk");
}

/// Also when the manifest was intact when it was opened and is cached.
#[tokio::test]
async fn a_damaged_manifest_is_an_error_for_every_range() {
    let service = Service::start().await;
    let caller = service.caller();
    let id = service.make(INSTANCE, "env").await;
    let link = caller.link(&id).await;
    let [manifest] = &service.stored("manifests")[..] else { panic!("one image has one manifest") };
    let intact = std::fs::read(manifest).unwrap();
    for opened_before in [false, true] {
        for byte in [20, intact.len() / 2, intact.len() - 33] {
            let mut bytes = intact.clone();
            bytes[byte] ^= 1;
            std::fs::write(manifest, &bytes).unwrap();
            for range in ["bytes=0-", "bytes=0-0", "bytes=70000-70001", "bytes=-1"] {
                let reply = caller.get(&link, &[("Range", range)]).await;
                let found = (reply.status.as_u16(), reply.refusal().0);
                assert_eq!(found, (500, 130), "{range}, byte {byte}, opened before: {opened_before}");
            }
        }
        std::fs::write(manifest, &intact).unwrap();
        assert_eq!(caller.get(&link, &[("Range", "bytes=-1")]).await.status, 206);
    }
    std::fs::remove_file(manifest).unwrap();
    assert_eq!(caller.get(&link, &[("Range", "bytes=-1")]).await.status, 500);
}

#[tokio::test]
async fn downloads_and_exports_share_one_limit() {
    let service = Service::start().await;
    let caller = service.caller();
    let id = service.large_image().await;
    let link = caller.link(&id).await;
    let mut held = Vec::new();
    // One account gets at most half of the slots.
    for _ in 0..MAX_EXPORTS / 2 {
        held.push(caller.ask(Method::GET, &link, &[("Range", "bytes=1-")]).await);
    }
    assert!(held.iter().all(|response| response.status() == 206));
    caller.assert_throttled(&link).await;
}

impl Caller {
    async fn assert_throttled(&self, link: &str) {
        let reply = self.get(link, &[]).await;
        assert_eq!((reply.status.as_u16(), reply.refusal()), (503, (153, "Request Throttled".to_owned())));
        // HEAD needs no slot.
        assert_eq!(self.ask(Method::HEAD, link, &[]).await.status(), 200);
    }
}
