use jingku_catalog::{
    AccountId, AccountLimits, AgreedHash, BuiltImage, Catalog, DELETED_SECS, DeleteImage, FinishUpload,
    ImageStatus, JobEnd, Limit, NameHolder, NewUpload, OverLimit, Receive, Received, Scope, Source,
    StartUpload, Upload,
};

use crate::engines::{Engine, on_every_engine};
use crate::setting::{NOW, account, claim, instance, make};

on_every_engine!(
    an_upload_becomes_a_job_and_then_an_image,
    a_repeated_upload_is_recognized,
    uploads_are_limited,
    the_holder_of_a_name_is_found,
    uploaded_bytes_are_limited_in_total,
    only_data_bytes_count,
    a_file_of_unknown_size_grows_to_the_limit,
    a_failed_upload_frees_its_name,
    a_deleted_image_has_no_upload,
    idle_uploads_are_found,
    either_hash_is_stored,
);

const UPLOADS_MAX: i64 = 2;
/// More than all files together.
const SHARE: i64 = 1 << 40;

fn new<'a>(image_id: &'a str, name: &'a str) -> NewUpload<'a> {
    NewUpload {
        image_id,
        name,
        description: "",
        region: "cn-wlcb",
        zone: "cn-wlcb-01",
        format: None,
        size_bytes: Some(9),
        data_bytes: Some(7),
        blake3: Some("aa"),
    }
}

async fn start(catalog: &Catalog, owner: AccountId, new: NewUpload<'_>) -> StartUpload {
    catalog.start_upload(Scope::own(owner), new, SHARE, NOW).await.unwrap()
}

async fn upload(catalog: &Catalog, owner: AccountId, id: &str) -> Upload {
    catalog.upload(owner, id).await.unwrap().expect("an upload in progress")
}

fn received(bytes: i64) -> Received<'static> {
    Received { bytes, stored_bytes: bytes - 1, sparse_state: Some("state") }
}

/// Bytes received that occupy less.
async fn written(catalog: &Catalog, owner: AccountId, id: &str, bytes: i64, stored_bytes: i64) -> Upload {
    let going = upload(catalog, owner, id).await;
    let received = Received { bytes, stored_bytes, sparse_state: None };
    assert_eq!(catalog.record_received(&going, received, SHARE, NOW).await.unwrap(), Receive::Received);
    going
}

async fn finish(catalog: &Catalog, upload: &Upload, job: &str) -> FinishUpload {
    catalog.finish_upload(upload, 9, AgreedHash::Plain("aa"), job, NOW + 2).await.unwrap()
}

async fn an_upload_becomes_a_job_and_then_an_image(Engine { catalog, .. }: Engine) {
    let owner = account(&catalog, "lab").await.id;
    assert_eq!(start(&catalog, owner, new("image-a", "a")).await, StartUpload::Started);
    let image = catalog.image(Scope::own(owner), "image-a").await.unwrap().unwrap();
    assert_eq!((image.status, image.size_bytes, &*image.zone), (ImageStatus::Making, 9, "cn-wlcb-01"));
    assert!(claim(&catalog, "worker", NOW).await.is_none());
    let going = upload(&catalog, owner, "image-a").await;
    assert_eq!(
        catalog.record_received(&going, received(4), SHARE, NOW + 1).await.unwrap(),
        Receive::Received
    );
    let progress = catalog.image_progress(Scope::own(owner), "image-a").await.unwrap().unwrap();
    assert_eq!((progress.done_bytes, progress.total_bytes, progress.started_at), (4, 9, None));
    let going = upload(&catalog, owner, "image-a").await;
    assert_eq!((going.received_bytes, going.size_bytes, going.finished), (4, Some(9), false));
    let state =
        (going.stored_bytes, going.data_bytes, going.sparse_state.as_deref(), going.remaining_bytes());
    assert_eq!(state, (3, Some(7), Some("state"), Some(4)));
    let stranger = account(&catalog, "other").await.id;
    assert_eq!(catalog.upload(stranger, "image-a").await.unwrap(), None);

    assert_eq!(finish(&catalog, &going, "job").await, FinishUpload::Finished);
    assert_eq!(finish(&catalog, &going, "another").await, FinishUpload::AlreadyFinished);
    let finished = upload(&catalog, owner, "image-a").await;
    assert_eq!((finished.received_bytes, finished.finished), (9, true));
    let late = catalog.record_received(&going, received(5), SHARE, NOW + 3).await.unwrap();
    assert_eq!(late, Receive::Gone, "it has come");
    assert!(!catalog.fail_upload(&going, "late", NOW + 3).await.unwrap());
    let job = claim(&catalog, "worker", NOW + 3).await.unwrap();
    assert_eq!(job.source, Source::Upload);
    assert_eq!(
        catalog.complete_job(&job, BuiltImage::dense("m", 100), NOW + 4).await.unwrap(),
        JobEnd::Ended
    );
    assert_eq!(catalog.uploads().await.unwrap(), []);
    assert_eq!(finish(&catalog, &going, "third").await, FinishUpload::Gone);
    // The agreement is remembered for a time.
    for (account, size_bytes, hash, now, known) in [
        (owner, 9, "aa", NOW + 4, true),
        (owner, 9, "aa", NOW + 3 + DELETED_SECS, true),
        (owner, 9, "aa", NOW + 4 + DELETED_SECS, false),
        (owner, 9, "bb", NOW + 4, false),
        (owner, 8, "aa", NOW + 4, false),
        (stranger, 9, "aa", NOW + 4, false),
    ] {
        let finished = catalog.was_upload_finished(account, "image-a", size_bytes, hash, now).await.unwrap();
        assert_eq!(finished, known, "{account:?} {size_bytes} {hash} {now}");
    }
    let image = catalog.image(Scope::own(owner), "image-a").await.unwrap().unwrap();
    assert_eq!((image.status, image.size_bytes), (ImageStatus::Available, 100));
}

async fn a_repeated_upload_is_recognized(Engine { catalog, .. }: Engine) {
    let owner = account(&catalog, "lab").await.id;
    let going = StartUpload::InProgress("image-a".to_owned());
    start(&catalog, owner, new("image-a", "a")).await;
    assert_eq!(start(&catalog, owner, new("image-b", "a")).await, going);
    assert_eq!(start(&catalog, owner, NewUpload { blake3: None, ..new("image-b", "a") }).await, going);
    for other in [
        NewUpload { size_bytes: None, ..new("image-b", "a") },
        NewUpload { size_bytes: Some(8), ..new("image-b", "a") },
        NewUpload { blake3: Some("bb"), ..new("image-b", "a") },
    ] {
        assert_eq!(start(&catalog, owner, other).await, StartUpload::NameTaken);
        assert_eq!(catalog.upload_in_progress(Scope::own(owner), &other).await.unwrap(), None);
    }
    let found = catalog.upload_in_progress(Scope::own(owner), &new("", "a")).await.unwrap();
    assert_eq!(found.as_deref(), Some("image-a"));
    instance(&catalog, owner, "vm").await;
    make(&catalog, owner, "made", "vm", NOW).await;
    assert_eq!(start(&catalog, owner, new("image-b", "made")).await, StartUpload::NameTaken);
    assert_eq!(catalog.uploads().await.unwrap().len(), 1);
}

async fn uploads_are_limited(Engine { catalog, .. }: Engine) {
    let catalog = catalog.with_account_limits(AccountLimits { uploads: UPLOADS_MAX, ..AccountLimits::NONE });
    let owner = account(&catalog, "lab").await.id;
    start(&catalog, owner, new("image-a", "a")).await;
    start(&catalog, owner, new("image-b", "b")).await;
    let over = OverLimit { limit: Limit::Uploads, used: 2, more: 1, max: UPLOADS_MAX };
    assert_eq!(start(&catalog, owner, new("image-c", "c")).await, StartUpload::OverLimit(over));
    let other = account(&catalog, "other").await.id;
    assert_eq!(start(&catalog, other, new("image-d", "c")).await, StartUpload::Started);
    // A finished upload does not count.
    finish(&catalog, &upload(&catalog, owner, "image-a").await, "job").await;
    assert_eq!(start(&catalog, owner, new("image-c", "c")).await, StartUpload::Started);
}

/// Finished uploads that wait for their job count.
async fn uploaded_bytes_are_limited_in_total(Engine { catalog, .. }: Engine) {
    let catalog = catalog.with_account_limits(AccountLimits { upload_bytes: 20, ..AccountLimits::NONE });
    let owner = account(&catalog, "lab").await.id;
    start(&catalog, owner, NewUpload { data_bytes: None, ..new("image-a", "a") }).await;
    finish(&catalog, &written(&catalog, owner, "image-a", 9, 8).await, "job").await;
    start(&catalog, owner, new("image-b", "b")).await;
    let over = OverLimit { limit: Limit::UploadBytes, used: 15, more: 7, max: 20 };
    assert_eq!(start(&catalog, owner, new("image-c", "c")).await, StartUpload::OverLimit(over));
    // The share of free space is a limit too.
    let other = account(&catalog, "other").await.id;
    let within =
        async |id, share| catalog.start_upload(Scope::own(other), new(id, id), share, NOW).await.unwrap();
    assert_eq!(within("image-d", 7).await, StartUpload::Started);
    assert_eq!(within("image-e", 13).await, StartUpload::OverShare);
    let job = claim(&catalog, "worker", NOW).await.unwrap();
    catalog.fail_job(&job, "why", NOW).await.unwrap();
    assert_eq!(start(&catalog, owner, new("image-c", "c")).await, StartUpload::Started);
}

/// Holes do not count: a file may be longer than the limit.
async fn only_data_bytes_count(Engine { catalog, .. }: Engine) {
    let catalog = catalog.with_account_limits(AccountLimits { upload_bytes: 20, ..AccountLimits::NONE });
    let owner = account(&catalog, "lab").await.id;
    let sparse = |id, data_bytes| NewUpload { size_bytes: Some(900), data_bytes, ..new(id, id) };
    assert_eq!(start(&catalog, owner, sparse("image-a", Some(8))).await, StartUpload::Started);
    // Without an announced data size, the file size counts.
    let over = OverLimit { limit: Limit::UploadBytes, used: 8, more: 900, max: 20 };
    assert_eq!(start(&catalog, owner, sparse("image-b", None)).await, StartUpload::OverLimit(over));
    assert_eq!(start(&catalog, owner, sparse("image-b", Some(0))).await, StartUpload::Started);
    // More data than announced is accepted up to the limit and the share.
    let going = upload(&catalog, owner, "image-b").await;
    let receive = async |stored_bytes, share| {
        let received = Received { bytes: 900, stored_bytes, sparse_state: None };
        catalog.record_received(&going, received, share, NOW).await.unwrap()
    };
    assert_eq!(receive(12, SHARE).await, Receive::Received);
    let over = OverLimit { limit: Limit::UploadBytes, used: 20, more: 1, max: 20 };
    assert_eq!(receive(13, SHARE).await, Receive::OverLimit(over));
    assert_eq!(receive(12, 19).await, Receive::OverShare);
    // A finished upload counts with its stored bytes.
    finish(&catalog, &written(&catalog, owner, "image-a", 900, 3).await, "job").await;
    assert_eq!(start(&catalog, owner, sparse("image-c", Some(5))).await, StartUpload::Started);
}

async fn a_file_of_unknown_size_grows_to_the_limit(Engine { catalog, .. }: Engine) {
    let catalog = catalog.with_account_limits(AccountLimits { upload_bytes: 20, ..AccountLimits::NONE });
    let owner = account(&catalog, "lab").await.id;
    start(&catalog, owner, new("image-a", "a")).await;
    start(&catalog, owner, NewUpload { size_bytes: None, data_bytes: None, ..new("image-b", "b") }).await;
    let going = upload(&catalog, owner, "image-b").await;
    let receive = async |stored_bytes, share| {
        let received = Received { bytes: 2 * stored_bytes, stored_bytes, sparse_state: None };
        catalog.record_received(&going, received, share, NOW).await.unwrap()
    };
    assert_eq!(receive(13, SHARE).await, Receive::Received);
    let over = OverLimit { limit: Limit::UploadBytes, used: 20, more: 1, max: 20 };
    assert_eq!(receive(14, SHARE).await, Receive::OverLimit(over));
    assert_eq!(receive(13, 19).await, Receive::OverShare);
    assert_eq!(upload(&catalog, owner, "image-b").await.received_bytes, 26);
}

async fn a_failed_upload_frees_its_name(Engine { catalog, .. }: Engine) {
    let owner = account(&catalog, "lab").await.id;
    start(&catalog, owner, new("image-a", "a")).await;
    let going = upload(&catalog, owner, "image-a").await;
    assert!(catalog.fail_upload(&going, "why", NOW + 1).await.unwrap());
    assert!(!catalog.fail_upload(&going, "again", NOW + 1).await.unwrap());
    let image = catalog.image(Scope::own(owner), "image-a").await.unwrap().unwrap();
    assert_eq!((image.status, &*image.failed_reason), (ImageStatus::UnAvailable, "why"));
    assert_eq!(catalog.upload(owner, "image-a").await.unwrap(), None);
    assert_eq!(start(&catalog, owner, new("image-b", "a")).await, StartUpload::Started);
    // So does a failed job.
    finish(&catalog, &upload(&catalog, owner, "image-b").await, "job").await;
    let job = claim(&catalog, "worker", NOW + 3).await.unwrap();
    catalog.fail_job(&job, "why", NOW + 4).await.unwrap();
    assert_eq!(catalog.uploads().await.unwrap(), []);
}

async fn a_deleted_image_has_no_upload(Engine { catalog, .. }: Engine) {
    let owner = account(&catalog, "lab").await.id;
    let scope = Scope::own(owner);
    start(&catalog, owner, new("image-a", "a")).await;
    let going = upload(&catalog, owner, "image-a").await;
    assert_eq!(catalog.delete_image(scope, "image-a", NOW + 1).await.unwrap(), DeleteImage::Deleted);
    assert_eq!(catalog.record_received(&going, received(5), SHARE, NOW + 2).await.unwrap(), Receive::Gone);
    assert_eq!(finish(&catalog, &going, "job").await, FinishUpload::Gone);
    assert_eq!(catalog.uploads().await.unwrap(), []);
    assert_eq!(start(&catalog, owner, new("image-b", "a")).await, StartUpload::Started);
}

async fn idle_uploads_are_found(Engine { catalog, .. }: Engine) {
    let owner = account(&catalog, "lab").await.id;
    start(&catalog, owner, new("image-a", "a")).await;
    start(&catalog, owner, new("image-b", "b")).await;
    let going = upload(&catalog, owner, "image-b").await;
    catalog.record_received(&going, received(1), SHARE, NOW + 10).await.unwrap();
    let silent = async |heard_before: i64, started_before: i64| {
        let found = catalog.idle_uploads(Some(heard_before), started_before).await.unwrap();
        found.into_iter().map(|upload| upload.image_id).collect::<Vec<_>>()
    };
    assert_eq!(silent(NOW, NOW).await, [""; 0]);
    assert_eq!(silent(NOW + 1, NOW).await, ["image-a"]);
    // An upload with bytes gets more time.
    assert_eq!(silent(NOW, NOW + 11).await, ["image-a"]);
    assert_eq!(silent(NOW + 11, NOW).await, ["image-a", "image-b"]);
    // Without a reliable time, an upload with bytes is not idle.
    let startable = catalog.idle_uploads(None, NOW + 11).await.unwrap();
    assert_eq!(startable.iter().map(|upload| &*upload.image_id).collect::<Vec<_>>(), ["image-a"]);
    // Contact counts only before the first byte.
    catalog.record_contact("image-a", NOW + 5).await.unwrap();
    catalog.record_contact("image-b", NOW + 20).await.unwrap();
    assert_eq!(silent(NOW, NOW + 5).await, [""; 0]);
    assert_eq!(silent(NOW, NOW + 6).await, ["image-a"]);
    assert_eq!(silent(NOW + 11, NOW).await, ["image-a", "image-b"]);
    finish(&catalog, &upload(&catalog, owner, "image-a").await, "job").await;
    assert_eq!(silent(NOW + 11, NOW + 11).await, ["image-b"]);
}

async fn either_hash_is_stored(Engine { catalog, .. }: Engine) {
    let owner = account(&catalog, "lab").await.id;
    for (id, agreed, kept) in [
        ("image-a", AgreedHash::Plain("bb"), (Some("bb"), None)),
        ("image-b", AgreedHash::Sparse("cc"), (None, Some("cc"))),
    ] {
        let new = NewUpload { size_bytes: None, data_bytes: None, blake3: None, ..new(id, id) };
        start(&catalog, owner, new).await;
        let going = upload(&catalog, owner, id).await;
        assert_eq!(going.remaining_bytes(), None);
        let job = id;
        let finished = catalog.finish_upload(&going, 9, agreed, job, NOW).await.unwrap();
        assert_eq!(finished, FinishUpload::Finished);
        let finished = upload(&catalog, owner, id).await;
        assert_eq!((finished.blake3.as_deref(), finished.sparse_hash.as_deref()), kept);
    }
}

async fn the_holder_of_a_name_is_found(Engine { catalog, .. }: Engine) {
    let owner = account(&catalog, "lab").await.id;
    let scope = Scope::own(owner);
    assert_eq!(catalog.name_holder(scope, "a").await.unwrap(), None);
    assert_eq!(start(&catalog, owner, new("image-a", "a")).await, StartUpload::Started);
    let holder = |is_upload| Some(NameHolder { image_id: "image-a".to_owned(), is_upload });
    assert_eq!(catalog.name_holder(scope, "a").await.unwrap(), holder(true));
    assert_eq!(
        finish(&catalog, &upload(&catalog, owner, "image-a").await, "job").await,
        FinishUpload::Finished
    );
    assert_eq!(catalog.name_holder(scope, "a").await.unwrap(), holder(false));
}
