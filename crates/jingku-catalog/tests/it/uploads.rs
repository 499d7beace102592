use jingku_catalog::{
    AccountId, AgreedHash, Catalog, DeleteImage, FinishUpload, ImageStatus, JobEnd, NewJob, NewUpload,
    Received, Scope, StartUpload, UPLOAD_SOURCE, Upload,
};

use crate::engines::{Engine, on_every_engine};
use crate::setting::{NOW, account, claim, instance, make};

on_every_engine!(
    an_upload_becomes_a_job_and_then_an_image,
    the_same_upload_is_one,
    an_account_has_so_many,
    a_failed_upload_frees_its_name,
    a_deleted_image_has_no_upload,
    silence_is_found,
    either_hash_is_kept,
);

const UPLOADS_MAX: i64 = 2;

fn new<'a>(image_id: &'a str, name: &'a str) -> NewUpload<'a> {
    NewUpload {
        image_id,
        name,
        description: "",
        region: "cn-wlcb",
        zone: "cn-wlcb-01",
        size_bytes: Some(9),
        data_bytes: Some(7),
        blake3: Some("aa"),
    }
}

async fn start(catalog: &Catalog, owner: AccountId, new: NewUpload<'_>) -> StartUpload {
    catalog.start_upload(Scope::own(owner), new, UPLOADS_MAX, NOW).await.unwrap()
}

async fn upload(catalog: &Catalog, owner: AccountId, id: &str) -> Upload {
    catalog.upload(owner, id).await.unwrap().expect("it goes on")
}

fn received(bytes: i64) -> Received<'static> {
    Received { bytes, stored_bytes: bytes - 1, sparse_state: Some("state") }
}

async fn finish(catalog: &Catalog, upload: &Upload, job: &str) -> FinishUpload {
    catalog.finish_upload(upload, 9, AgreedHash::Plain("aa"), NewJob { id: job }, NOW + 2).await.unwrap()
}

async fn an_upload_becomes_a_job_and_then_an_image(Engine { catalog, .. }: Engine) {
    let owner = account(&catalog, "lab").await.id;
    assert_eq!(start(&catalog, owner, new("image-a", "a")).await, StartUpload::Started);
    let image = catalog.image(Scope::own(owner), "image-a").await.unwrap().unwrap();
    assert_eq!((image.status, image.size_bytes, &*image.zone), (ImageStatus::Making, 9, "cn-wlcb-01"));
    assert!(claim(&catalog, "worker", NOW).await.is_none());
    assert!(catalog.receive("image-a", received(4), NOW + 1).await.unwrap());
    let progress = catalog.image_progress(Scope::own(owner), "image-a").await.unwrap().unwrap();
    assert_eq!((progress.done_bytes, progress.total_bytes, progress.started_at), (4, 9, None));
    let going = upload(&catalog, owner, "image-a").await;
    assert_eq!((going.received_bytes, going.size_bytes, going.finished), (4, Some(9), false));
    let state = (going.stored_bytes, going.data_bytes, going.sparse_state.as_deref(), going.owed_bytes());
    assert_eq!(state, (3, Some(7), Some("state"), Some(4)));
    let stranger = account(&catalog, "other").await.id;
    assert_eq!(catalog.upload(stranger, "image-a").await.unwrap(), None);

    assert_eq!(finish(&catalog, &going, "job").await, FinishUpload::Finished);
    assert_eq!(finish(&catalog, &going, "another").await, FinishUpload::Before);
    let finished = upload(&catalog, owner, "image-a").await;
    assert_eq!((finished.received_bytes, finished.finished), (9, true));
    assert!(!catalog.receive("image-a", received(5), NOW + 3).await.unwrap(), "it has come");
    assert!(!catalog.fail_upload(&going, "late", NOW + 3).await.unwrap());
    let job = claim(&catalog, "worker", NOW + 3).await.unwrap();
    assert_eq!(job.instance_id, format!("{UPLOAD_SOURCE}image-a"));
    assert_eq!(catalog.complete_job(&job.lease, "m", 100, NOW + 4).await.unwrap(), JobEnd::Ended);
    assert_eq!(catalog.uploads().await.unwrap(), []);
    assert_eq!(finish(&catalog, &going, "third").await, FinishUpload::Gone);
    let image = catalog.image(Scope::own(owner), "image-a").await.unwrap().unwrap();
    assert_eq!((image.status, image.size_bytes), (ImageStatus::Available, 100));
}

async fn the_same_upload_is_one(Engine { catalog, .. }: Engine) {
    let owner = account(&catalog, "lab").await.id;
    let going = StartUpload::Going("image-a".to_owned());
    start(&catalog, owner, new("image-a", "a")).await;
    assert_eq!(start(&catalog, owner, new("image-b", "a")).await, going);
    assert_eq!(start(&catalog, owner, NewUpload { blake3: None, ..new("image-b", "a") }).await, going);
    for other in [
        NewUpload { size_bytes: None, ..new("image-b", "a") },
        NewUpload { size_bytes: Some(8), ..new("image-b", "a") },
        NewUpload { blake3: Some("bb"), ..new("image-b", "a") },
    ] {
        assert_eq!(start(&catalog, owner, other).await, StartUpload::NameTaken);
        assert_eq!(catalog.going_upload(Scope::own(owner), &other).await.unwrap(), None);
    }
    let found = catalog.going_upload(Scope::own(owner), &new("", "a")).await.unwrap();
    assert_eq!(found.as_deref(), Some("image-a"));
    instance(&catalog, owner, "vm").await;
    make(&catalog, owner, "made", "vm", NOW).await;
    assert_eq!(start(&catalog, owner, new("image-b", "made")).await, StartUpload::NameTaken);
    assert_eq!(catalog.uploads().await.unwrap().len(), 1);
}

async fn an_account_has_so_many(Engine { catalog, .. }: Engine) {
    let owner = account(&catalog, "lab").await.id;
    start(&catalog, owner, new("image-a", "a")).await;
    start(&catalog, owner, new("image-b", "b")).await;
    assert_eq!(start(&catalog, owner, new("image-c", "c")).await, StartUpload::TooMany);
    let other = account(&catalog, "other").await.id;
    assert_eq!(start(&catalog, other, new("image-d", "c")).await, StartUpload::Started);
    // One whose file has come is none.
    finish(&catalog, &upload(&catalog, owner, "image-a").await, "job").await;
    assert_eq!(start(&catalog, owner, new("image-c", "c")).await, StartUpload::Started);
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
    // So does a job that fails.
    finish(&catalog, &upload(&catalog, owner, "image-b").await, "job").await;
    let job = claim(&catalog, "worker", NOW + 3).await.unwrap();
    catalog.fail_job(&job.lease, "why", NOW + 4).await.unwrap();
    assert_eq!(catalog.uploads().await.unwrap(), []);
}

async fn a_deleted_image_has_no_upload(Engine { catalog, .. }: Engine) {
    let owner = account(&catalog, "lab").await.id;
    let scope = Scope::own(owner);
    start(&catalog, owner, new("image-a", "a")).await;
    let going = upload(&catalog, owner, "image-a").await;
    assert_eq!(catalog.delete_image(scope, "image-a", NOW + 1).await.unwrap(), DeleteImage::Deleted);
    assert!(!catalog.receive("image-a", received(5), NOW + 2).await.unwrap());
    assert_eq!(finish(&catalog, &going, "job").await, FinishUpload::Gone);
    assert_eq!(catalog.uploads().await.unwrap(), []);
    assert_eq!(start(&catalog, owner, new("image-b", "a")).await, StartUpload::Started);
}

async fn silence_is_found(Engine { catalog, .. }: Engine) {
    let owner = account(&catalog, "lab").await.id;
    start(&catalog, owner, new("image-a", "a")).await;
    start(&catalog, owner, new("image-b", "b")).await;
    catalog.receive("image-b", received(1), NOW + 10).await.unwrap();
    let silent = async |heard_before: i64, started_before: i64| {
        let found = catalog.silent_uploads(heard_before, started_before).await.unwrap();
        found.into_iter().map(|upload| upload.image_id).collect::<Vec<_>>()
    };
    assert_eq!(silent(NOW, NOW).await, [""; 0]);
    assert_eq!(silent(NOW + 1, NOW).await, ["image-a"]);
    // One of which something has come is given more time.
    assert_eq!(silent(NOW, NOW + 11).await, ["image-a"]);
    assert_eq!(silent(NOW + 11, NOW).await, ["image-a", "image-b"]);
    // A sign of life counts for the first bytes alone.
    catalog.hear("image-a", NOW + 5).await.unwrap();
    catalog.hear("image-b", NOW + 20).await.unwrap();
    assert_eq!(silent(NOW, NOW + 5).await, [""; 0]);
    assert_eq!(silent(NOW, NOW + 6).await, ["image-a"]);
    assert_eq!(silent(NOW + 11, NOW).await, ["image-a", "image-b"]);
    finish(&catalog, &upload(&catalog, owner, "image-a").await, "job").await;
    assert_eq!(silent(NOW + 11, NOW + 11).await, ["image-b"]);
}

async fn either_hash_is_kept(Engine { catalog, .. }: Engine) {
    let owner = account(&catalog, "lab").await.id;
    for (id, agreed, kept) in [
        ("image-a", AgreedHash::Plain("bb"), (Some("bb"), None)),
        ("image-b", AgreedHash::Sparse("cc"), (None, Some("cc"))),
    ] {
        let new = NewUpload { size_bytes: None, data_bytes: None, blake3: None, ..new(id, id) };
        start(&catalog, owner, new).await;
        let going = upload(&catalog, owner, id).await;
        assert_eq!(going.owed_bytes(), None);
        let job = NewJob { id };
        let finished = catalog.finish_upload(&going, 9, agreed, job, NOW).await.unwrap();
        assert_eq!(finished, FinishUpload::Finished);
        let finished = upload(&catalog, owner, id).await;
        assert_eq!((finished.blake3.as_deref(), finished.sparse_hash.as_deref()), kept);
    }
}
