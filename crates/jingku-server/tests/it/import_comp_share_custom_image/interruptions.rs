//! Interrupted, concurrent and expired uploads.

use axum::body::{Body, Bytes};
use axum::http::Method;
use jingku_library::{Clock, Library, MAX_ACCOUNT_UPLOADS, UPLOAD_START_TIMEOUT};
use jingku_protocol::actions::Action;
use jingku_server::UPLOAD_CHECKPOINT;
use tokio::sync::mpsc;

use super::{DAY_SECS, IMPORT, hash, status_and_offset};
use crate::support::{Caller, NOW, Reply, Service, disk_bytes};

/// A body whose data the test sends through a channel.
fn channel_body() -> (mpsc::Sender<Result<Bytes, std::io::Error>>, Body) {
    let (sender, receiver) = mpsc::channel(1);
    let stream =
        futures::stream::unfold(receiver, async |mut receiver| Some((receiver.recv().await?, receiver)));
    (sender, Body::from_stream(stream))
}

#[tokio::test]
async fn one_request_at_a_time_and_received_bytes_are_kept() {
    let service = Service::start().await;
    let caller = service.caller();
    let (id, link) = caller.import(&[("Name", "env")]).await;
    let (sender, body) = channel_body();
    let first = {
        let (caller, link) = (caller.clone(), link.clone());
        tokio::spawn(async move {
            caller.upload_request(Method::PATCH, &link, &[("upload-offset", "0")], body).await
        })
    };
    sender.send(Ok(Bytes::from("first"))).await.unwrap();
    // The channel holds one piece: when it accepts a second one, the server is reading the body.
    sender.send(Ok(Bytes::from(" half"))).await.unwrap();
    let second =
        caller.upload_request(Method::PATCH, &link, &[("upload-offset", "0")], Body::from("other")).await;
    assert_eq!(second.status(), 409);
    assert_eq!(Reply::read(second).await.refusal().0, 153);
    let state = caller.upload_request(Method::HEAD, &link, &[], Body::empty()).await;
    assert_eq!((status_and_offset(&state), state.headers().get("upload-blake3")), ((200, Some(0)), None));
    // The connection is reset.
    sender.send(Err(std::io::ErrorKind::ConnectionReset.into())).await.unwrap();
    assert_eq!(first.await.unwrap().status(), 408);
    assert_eq!(caller.upload_state(&link).await, (10, hash(b"first half")));

    // The image is deleted during the upload.
    let (sender, body) = channel_body();
    let third = {
        let (caller, link) = (caller.clone(), link.clone());
        tokio::spawn(async move {
            caller.upload_request(Method::PATCH, &link, &[("upload-offset", "10")], body).await
        })
    };
    sender.send(Ok(Bytes::from("x"))).await.unwrap();
    sender.send(Ok(Bytes::from("y"))).await.unwrap();
    caller.ok(Action::TerminateCompShareCustomImage, &[("CompShareImageId", &id)]).await;
    drop(sender);
    assert_eq!(third.await.unwrap().status(), 404);
    assert!(service.upload_files().is_empty());
}

/// State requests during an upload, from clients with any earlier state, lose no data.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn state_requests_never_lose_acknowledged_bytes() {
    let service = Service::start().await;
    let (caller, disk) = (service.caller(), disk_bytes(5));
    let (id, link) = caller.import(&[("Name", "env"), ("SizeBytes", &disk.len().to_string())]).await;
    let done = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let pollers: Vec<_> = (0..4)
        .map(|_| {
            let (caller, link, done) = (caller.clone(), link.clone(), std::sync::Arc::clone(&done));
            tokio::spawn(async move {
                let mut seen = 0;
                while !done.load(std::sync::atomic::Ordering::Relaxed) {
                    let now = status_and_offset(
                        &caller.upload_request(Method::HEAD, &link, &[], Body::empty()).await,
                    )
                    .1
                    .unwrap();
                    assert!(now >= seen, "the offset went from {seen} to {now}");
                    seen = now;
                }
            })
        })
        .collect();
    let mut at = 0;
    while at < disk.len() {
        let to = (at + 70_001).min(disk.len());
        match caller.append(&link, at, &disk[at..to]).await {
            (204, Some(now)) => at = now,
            // A concurrent state request holds the upload.
            (status, offset) => {
                assert!(status == 409 && offset.is_none_or(|now| now == at), "{status} {offset:?}");
            }
        }
    }
    while caller.complete(&link, disk.len(), &hash(&disk)).await.status() != 204 {}
    done.store(true, std::sync::atomic::Ordering::Relaxed);
    for poller in pollers {
        poller.await.unwrap();
    }
    service.finish_job(&id).await;
    assert!(caller.disk(&id).await == disk);
}

#[tokio::test]
async fn a_wrong_hash_fails_the_import() {
    let service = Service::start().await;
    let caller = service.caller();
    let declared = hash(b"declared");
    for (name, known, completed_with) in [
        ("a", None, hash(b"other")),
        ("b", Some(&declared), hash(b"bytes")),
        ("c", Some(&declared), declared.clone()),
    ] {
        let asked = [("Name", name), ("Blake3", known.map_or("", String::as_str))];
        let (id, link) = caller.import(&asked).await;
        caller.append(&link, 0, b"bytes").await;
        let response = caller.complete(&link, 5, &completed_with).await;
        assert_eq!(response.status(), 422);
        assert_eq!(Reply::read(response).await.refusal().0, 230);
        let image = caller.image(&id).await;
        let reason = "The file that arrived is not the one that was sent. Import it again.";
        assert_eq!((&image["Status"], &image["FailedReason"]), (&"UnAvailable".into(), &reason.into()));
        caller.assert_upload_refused(&link, 404, 8039).await;
        assert!(service.upload_files().is_empty());
        assert_ne!(caller.import(&asked).await.0, id, "the name is still reserved");
        assert_eq!(caller.progress(&id).await["Status"], "Failed");
    }
}

#[tokio::test]
async fn a_restarted_server_resumes_at_the_acknowledged_offset() {
    let service = Service::start().await;
    let (id, link) = service.caller().import(&[("Name", "env"), ("SizeBytes", "9")]).await;
    assert_eq!(service.caller().append(&link, 0, b"12345").await.0, 204);
    let upload_file = service.folder.path().join("data/uploads").join(&id);
    for (left, offset) in [("12345 and what was lost", 5), ("123", 3)] {
        std::fs::write(&upload_file, left).unwrap();
        let caller = service.reopen().await.caller();
        assert_eq!(caller.upload_state(&link).await, (offset, hash(&left.as_bytes()[..offset])));
    }
    std::fs::remove_file(&upload_file).unwrap();
    let caller = service.reopen().await.caller();
    assert_eq!(caller.append(&link, 0, b"123456789").await, (204, Some(9)));
    assert_eq!(caller.complete(&link, 9, &hash(b"123456789")).await.status(), 204);
    // The file is lost between completion and job.
    std::fs::remove_file(&upload_file).unwrap();
    service.finish_job(&id).await;
    let image = caller.image(&id).await;
    assert!(image["FailedReason"].as_str().unwrap().contains("Import it again"), "{image}");
}

#[tokio::test]
async fn an_upload_expires_after_a_day_without_data() {
    let service = Service::start().await;
    let caller = service.caller();
    let (silent, link) = caller.import(&[("Name", "silent")]).await;
    caller.append(&link, 0, b"bytes").await;
    service.context.library.trusted_now();
    service.clock.pass(10);
    let (alive, link) = caller.import(&[("Name", "alive")]).await;
    caller.append(&link, 0, b"bytes").await;
    let uploads = service.folder.path().join("data/uploads");
    std::fs::write(uploads.join("compshareImage-1orphan.unpacked"), "orphan").unwrap();
    // A clock jump does not expire uploads.
    service.clock.set(NOW + 400 * i64::from(DAY_SECS));
    service.expire_uploads().await;
    assert_eq!(caller.image(&silent).await["Status"], "Making");
    service.clock.set(NOW + 10);
    service.clock.pass(DAY_SECS - 9);
    service.finish_job(&silent).await;
    let status = async |id: &str| caller.image(id).await["Status"].as_str().unwrap().to_owned();
    assert_eq!(
        (status(&silent).await, status(&alive).await),
        ("UnAvailable".to_owned(), "Making".to_owned())
    );
    let reason = caller.image(&silent).await["FailedReason"].clone();
    assert_eq!(reason, "Nothing more of the file came for 24 hours. Import it again.");
    assert_eq!(service.upload_files(), [alive]);
}

/// Such an upload reserves its name and its share of the limit only for minutes. A slow upload does not expire.
#[tokio::test]
async fn an_upload_without_a_byte_expires_after_ten_minutes() {
    let service = Service::start().await;
    let caller = service.caller();
    let reply = caller.ok(IMPORT, &[("Name", "slow")]).await;
    assert_eq!(reply["Resumed"], false);
    assert_eq!(caller.ok(IMPORT, &[("Name", "slow")]).await["Resumed"], true);
    let (slow_id, slow_link) = caller.import(&[("Name", "slow")]).await;
    let (begun, link) = caller.import(&[("Name", "begun")]).await;
    caller.append(&link, 0, b"bytes").await;
    let mut empty = Vec::new();
    for number in 2..MAX_ACCOUNT_UPLOADS {
        empty.push(caller.import(&[("Name", &format!("env-{number}"))]).await.0);
    }
    assert_eq!(caller.refusal(IMPORT, &[("Name", "more")]).await.0, 8095);
    let (sender, body) = channel_body();
    let receiving = {
        let (caller, link) = (caller.clone(), slow_link.clone());
        tokio::spawn(async move {
            caller.upload_request(Method::PATCH, &link, &[("upload-offset", "0")], body).await
        })
    };
    sender.send(Ok(Bytes::from("a"))).await.unwrap();
    sender.send(Ok(Bytes::from("b"))).await.unwrap();

    service.clock.set(NOW + 60);
    // A repeated import call extends the time.
    let (waiting, _) = caller.import(&[("Name", "env-2")]).await;
    assert_eq!(waiting, empty.remove(0));
    service.clock.set(NOW + UPLOAD_START_TIMEOUT.as_secs().cast_signed() + 1);
    service.finish_job(&empty[0]).await;
    for id in &empty {
        let image = caller.image(id).await;
        let facts = (&image["Status"], &image["FailedReason"]);
        let reason = "No byte of the file came within 10 minutes. Import it again.";
        assert_eq!(facts, (&"UnAvailable".into(), &reason.into()));
    }
    for id in [&slow_id, &begun, &waiting] {
        assert_eq!(caller.image(id).await["Status"], "Making", "{id}");
    }
    // The name and the uploads under the limit are available again.
    assert!(!empty.contains(&caller.import(&[("Name", "env-3")]).await.0));
    // A slow upload is recorded while it runs, so it does not count as an upload without data.
    let mut whole = b"ab".to_vec();
    while status_and_offset(&caller.upload_request(Method::HEAD, &slow_link, &[], Body::empty()).await).1
        == Some(0)
    {
        service.clock.set(service.clock.now() + UPLOAD_CHECKPOINT.as_secs().cast_signed());
        sender.send(Ok(Bytes::from("c"))).await.unwrap();
        whole.push(b'c');
    }
    drop(sender);
    assert_eq!(receiving.await.unwrap().status(), 204);
    assert_eq!(caller.upload_state(&slow_link).await, (whole.len(), hash(&whole)));
}

#[tokio::test]
async fn a_repeated_completion_is_refused_once_the_image_is_deleted() {
    let service = Service::start().await;
    let caller = service.caller();
    let (id, link) = caller.import(&[("Name", "env")]).await;
    caller.append(&link, 0, b"bytes").await;
    assert_eq!(caller.complete(&link, 5, &hash(b"bytes")).await.status(), 204);
    service.finish_job(&id).await;
    assert_eq!(caller.complete(&link, 5, &hash(b"bytes")).await.status(), 204);
    caller.ok(Action::TerminateCompShareCustomImage, &[("CompShareImageId", &id)]).await;
    assert_eq!(caller.complete(&link, 5, &hash(b"bytes")).await.status(), 404);
}

/// An in-memory server.
#[tokio::test]
async fn without_a_data_folder_uploads_use_the_system_temp_folder() {
    let environment = jingku_library::Environment::default();
    let library = Library::open_in_memory(&jingku_library::Config::default(), &environment).await;
    let context = std::sync::Arc::new(jingku_server::Context::new(library.unwrap()));
    let (_, keys) = context.library.create_account("lab").await.unwrap();
    let caller = Caller::with_keys(jingku_server::router(context.clone()), &keys);
    let disk = disk_bytes(1);
    let id = caller.upload("env", &disk).await;
    let workers = jingku_library::Workers::start(context.library.clone()).await.unwrap();
    caller.wait_while_making(&id).await;
    workers.stop().await;
    assert!(caller.disk(&id).await == disk);
}
