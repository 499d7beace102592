//! Many writers of two processes race for each limit. None passes it by one byte, and none is left out.

use std::future::Future;

use jingku_catalog::{
    AccountId, BuiltImage, Catalog, CopyImage, CreateImage, Job, JobEnd, Limit, NewCopy, NewUpload, Receive,
    Received, Scope, StartTransfer, StartUpload,
};

use crate::engines::{Engine, on_every_engine};
use crate::races::at_once;
use crate::setting::{NOW, claim, create, instance, lab, make};
use crate::unique_bytes::{SHARED, complete, unique_bytes};

on_every_engine!(
    images_are_exact,
    a_full_trash_admits_no_image,
    stored_bytes_are_exact,
    unique_bytes_are_exact,
    uploads_are_exact,
    announced_upload_bytes_are_exact,
    received_upload_bytes_are_exact,
    jobs_are_exact,
    transfers_are_exact,
    transfers_end,
);

const WRITERS: usize = 64;
/// How many of them fit.
const FIT: i64 = 10;
/// What a writer of bytes adds.
const STEP: i64 = 7;
/// More than all files together.
const SHARE: i64 = 1 << 40;

/// Sets the limit so that `FIT` writers fit and a fraction of one remains, and lets all write. `call` returns whether it
/// was accepted.
async fn race<F>(
    engine: &Engine,
    owner: AccountId,
    limit: Limit,
    step: i64,
    call: impl Fn(Catalog, usize) -> F,
) where
    F: Future<Output = bool> + Send + 'static,
{
    let used = async || {
        let states = engine.catalog.account_limits(owner).await.unwrap();
        states.iter().find(|state| state.limit == limit).unwrap().used
    };
    let before = used().await;
    let max = before + FIT * step + step - 1;
    engine.catalog.set_account_limits(owner, &[(limit, Some(max))]).await.unwrap();
    let accepted = at_once(engine, WRITERS, call).await.into_iter().filter(|accepted| *accepted).count();
    assert_eq!((i64::try_from(accepted).unwrap(), used().await), (FIT, before + FIT * step));
}

async fn copy(catalog: &Catalog, owner: AccountId, number: usize) -> bool {
    let id = format!("copy-{number}");
    let name = |_: &str, tries: u32| (tries == 0).then(|| id.clone());
    let (description, place, request) = (None, None, None);
    let copy = NewCopy { id: &id, owner, name: &name, description, place, platform_type: "", request };
    match catalog.copy_image(Scope::own(owner), "image-a", copy, NOW).await.unwrap() {
        CopyImage::Copied(_) => true,
        CopyImage::OverLimit(_) => false,
        other => panic!("{other:?}"),
    }
}

async fn start(catalog: &Catalog, owner: AccountId, number: usize, data_bytes: Option<i64>) -> bool {
    let id = format!("upload-{number}");
    let new = NewUpload {
        image_id: &id,
        name: &id,
        description: "",
        region: "cn-wlcb",
        zone: "cn-wlcb-01",
        format: None,
        size_bytes: data_bytes,
        data_bytes,
        blake3: None,
    };
    match catalog.start_upload(Scope::own(owner), new, SHARE, NOW).await.unwrap() {
        StartUpload::Started => true,
        StartUpload::OverLimit(_) => false,
        other => panic!("{other:?}"),
    }
}

async fn images_are_exact(engine: Engine) {
    let owner = lab(&engine.catalog).await;
    make(&engine.catalog, owner, "a", "vm", NOW).await;
    let call = move |catalog: Catalog, number| async move { copy(&catalog, owner, number).await };
    race(&engine, owner, Limit::Images, 1, call).await;
}

/// Deleting is never refused: at the limit, there is no new image that could be deleted.
async fn a_full_trash_admits_no_image(engine: Engine) {
    let catalog = &engine.catalog;
    let owner = lab(catalog).await;
    make(catalog, owner, "a", "vm", NOW).await;
    assert!(copy(catalog, owner, 100).await && copy(catalog, owner, 101).await);
    catalog.delete_image(Scope::own(owner), "copy-100", NOW).await.unwrap();
    catalog.set_account_limits(owner, &[(Limit::Trashed, Some(2))]).await.unwrap();
    let outcomes = at_once(&engine, WRITERS, move |catalog, number| async move {
        if number == 0 {
            catalog.delete_image(Scope::own(owner), "copy-101", NOW).await.unwrap();
        }
        let is_full = catalog.account_limits(owner).await.unwrap()[1].used == 2;
        (is_full, copy(&catalog, owner, number).await)
    });
    assert!(outcomes.await.iter().all(|(is_full, copied)| !(*is_full && *copied)));
    assert!(!copy(catalog, owner, 102).await);
}

/// A job for each writer.
async fn jobs(catalog: &Catalog, owner: AccountId) -> Vec<Job> {
    let mut jobs = Vec::new();
    for number in 0..WRITERS {
        let vm = format!("vm-{number}");
        instance(catalog, owner, &vm).await;
        create(catalog, owner, &format!("new-{number}"), &vm).await;
        jobs.push(claim(catalog, &format!("worker-{number}"), NOW).await.unwrap());
    }
    jobs
}

async fn stored_bytes_are_exact(engine: Engine) {
    let owner = lab(&engine.catalog).await;
    make(&engine.catalog, owner, "a", "vm", NOW).await;
    let jobs = jobs(&engine.catalog, owner).await;
    let call = move |catalog: Catalog, number: usize| {
        let job = jobs[number].clone();
        async move {
            let manifest = format!("manifest-{number}");
            let built = BuiltImage::dense(&manifest, STEP);
            match catalog.complete_job(&job, built, NOW).await.unwrap() {
                JobEnd::Ended => true,
                JobEnd::OverLimit(_) => false,
                other => panic!("{other:?}"),
            }
        }
    };
    race(&engine, owner, Limit::StoredBytes, STEP, call).await;
}

/// Each image shares all but `STEP` bytes with the others.
async fn unique_bytes_are_exact(engine: Engine) {
    let owner = lab(&engine.catalog).await;
    let jobs = jobs(&engine.catalog, owner).await;
    let max = SHARED + FIT * STEP + STEP - 1;
    engine.catalog.set_account_limits(owner, &[(Limit::UniqueBytes, Some(max))]).await.unwrap();
    let call = move |catalog: Catalog, number: usize| {
        let job = jobs[number].clone();
        async move {
            match complete(&catalog, &job, &format!("{number} {STEP}")).await {
                JobEnd::Ended => true,
                JobEnd::OverLimit(_) => false,
                other => panic!("{other:?}"),
            }
        }
    };
    let accepted = at_once(&engine, WRITERS, call).await.into_iter().filter(|accepted| *accepted).count();
    let used = unique_bytes(&engine.catalog, owner).await;
    assert_eq!((i64::try_from(accepted).unwrap(), used), (FIT, SHARED + FIT * STEP));
}

async fn uploads_are_exact(engine: Engine) {
    let owner = lab(&engine.catalog).await;
    let call =
        move |catalog: Catalog, number| async move { start(&catalog, owner, number, Some(STEP)).await };
    race(&engine, owner, Limit::Uploads, 1, call).await;
}

async fn announced_upload_bytes_are_exact(engine: Engine) {
    let owner = lab(&engine.catalog).await;
    let call =
        move |catalog: Catalog, number| async move { start(&catalog, owner, number, Some(STEP)).await };
    race(&engine, owner, Limit::UploadBytes, STEP, call).await;
}

/// Files of unknown size, which grow.
async fn received_upload_bytes_are_exact(engine: Engine) {
    let owner = lab(&engine.catalog).await;
    for number in 0..WRITERS {
        assert!(start(&engine.catalog, owner, number, None).await);
    }
    let call = move |catalog: Catalog, number| async move {
        let upload = catalog.upload(owner, &format!("upload-{number}")).await.unwrap().unwrap();
        let received = Received { bytes: STEP, stored_bytes: STEP, sparse_state: None };
        match catalog.record_received(&upload, received, SHARE, NOW).await.unwrap() {
            Receive::Received => true,
            Receive::OverLimit(_) => false,
            other => panic!("{other:?}"),
        }
    };
    race(&engine, owner, Limit::UploadBytes, STEP, call).await;
}

async fn jobs_are_exact(engine: Engine) {
    let owner = lab(&engine.catalog).await;
    for number in 0..WRITERS {
        instance(&engine.catalog, owner, &format!("vm-{number}")).await;
    }
    let call = move |catalog: Catalog, number: usize| async move {
        match create(&catalog, owner, &format!("new-{number}"), &format!("vm-{number}")).await {
            CreateImage::Created => true,
            CreateImage::OverLimit(_) => false,
            other => panic!("{other:?}"),
        }
    };
    race(&engine, owner, Limit::Jobs, 1, call).await;
}

async fn transfer(catalog: &Catalog, owner: AccountId, id: &str, now: i64) -> bool {
    match catalog.start_transfer(owner, id, now, now + 100).await.unwrap() {
        StartTransfer::Started => true,
        StartTransfer::OverLimit(_) => false,
        StartTransfer::Unlimited => panic!("the account has a limit"),
    }
}

async fn transfers_are_exact(engine: Engine) {
    let owner = lab(&engine.catalog).await;
    let call = move |catalog: Catalog, number| async move {
        transfer(&catalog, owner, &format!("transfer-{number}"), NOW).await
    };
    race(&engine, owner, Limit::Transfers, 1, call).await;
}

async fn transfers_end(engine: Engine) {
    let (catalog, other) = (&engine.catalog, engine.other_process().await.with_host("other"));
    let owner = lab(catalog).await;
    assert_eq!(catalog.start_transfer(owner, "a", NOW, NOW).await.unwrap(), StartTransfer::Unlimited);
    catalog.set_account_limits(owner, &[(Limit::Transfers, Some(1))]).await.unwrap();
    for _ in 0..2 {
        assert!(transfer(&other, owner, "a", NOW).await && !transfer(catalog, owner, "b", NOW).await);
        catalog.end_transfer("a").await.unwrap();
    }
    // After a kill of its server: when that starts again, or when it expires.
    assert!(transfer(&other, owner, "a", NOW).await);
    catalog.clone().with_host("third").end_transfers_of_host().await.unwrap();
    assert!(!transfer(catalog, owner, "b", NOW).await);
    other.end_transfers_of_host().await.unwrap();
    assert!(transfer(&other, owner, "a", NOW).await && !transfer(catalog, owner, "b", NOW + 99).await);
    assert!(transfer(catalog, owner, "b", NOW + 100).await);
    catalog.end_transfers_of_host().await.unwrap();
    assert!(transfer(catalog, owner, "c", NOW).await);
}
