//! A job that fails reports the reason and frees its instance and its name.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;

use jingku_library::DiskFormat;

use crate::support::{LARGE_BYTES, Service, write_large_disk};

/// Checks that the job of image `env` from `uhost-bad` failed with this reason, and that instance and name are free.
async fn assert_failed(service: &Service, id: &str, reason: &str) {
    let caller = service.caller();
    let image = caller.image(id).await;
    assert_eq!((&image["Status"], &image["FailedReason"]), (&"UnAvailable".into(), &reason.into()));
    let progress = caller.progress(id).await;
    assert_eq!((&progress["Status"], &progress["FailedReason"]), (&"Failed".into(), &reason.into()));
    assert!(!reason.contains('/'), "the reason reveals a path of the host");
    assert!(service.stored("manifests").is_empty());

    let good = service.disk("good.raw", DiskFormat::Raw, 9);
    service.context.library.remove_instance("uhost-bad").await.expect("the instance is free");
    service.instance("uhost-bad", &good).await;
    let again = service.make("uhost-bad", "env").await;
    assert_eq!(caller.image(&again).await["Status"], "Available");
}

#[tokio::test]
async fn making_fails_when_the_disk_is_deleted() {
    let service = Service::start().await;
    let disk = service.disk("bad.raw", DiskFormat::Raw, 2);
    service.instance("uhost-bad", &disk).await;
    let id = service.caller().create("uhost-bad", "env").await;
    fs::remove_file(disk).unwrap();
    service.finish_job(&id).await;
    assert_failed(&service, &id, "The disk of the instance is not there. Ask the operator to put it back.")
        .await;
}

#[tokio::test]
async fn making_fails_when_the_disk_is_replaced() {
    let service = Service::start().await;
    let disk = service.disk("bad.raw", DiskFormat::Raw, 2);
    service.instance("uhost-bad", &disk).await;
    let id = service.caller().create("uhost-bad", "env").await;
    File::options().write(true).open(disk).unwrap().set_len(512).unwrap();
    service.finish_job(&id).await;
    let reason =
        "The disk of the instance is not the one that was declared. Ask the operator to declare it again.";
    assert_failed(&service, &id, reason).await;
}

#[tokio::test]
async fn making_fails_when_the_qcow2_file_is_damaged() {
    let service = Service::start().await;
    let disk = service.disk("bad.qcow2", DiskFormat::Qcow2, 2);
    service.instance("uhost-bad", &disk).await;
    let id = service.caller().create("uhost-bad", "env").await;
    // The offset of the L1 table.
    let file = File::options().write(true).open(disk).unwrap();
    file.write_all_at(&(1_u64 << 40).to_be_bytes(), 40).unwrap();
    service.finish_job(&id).await;
    let reason = "The disk of the instance is damaged. Ask the operator to repair it.";
    assert_failed(&service, &id, reason).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn making_fails_when_the_disk_changes_during_the_read() {
    let service = Service::start().await;
    let disk = service.folder.path().join("bad.raw");
    write_large_disk(&disk);
    service.instance("uhost-bad", &disk).await;
    let caller = service.caller();
    let id = caller.create("uhost-bad", "env").await;
    let workers = service.start_workers().await;
    caller.wait_until_started(&id).await;
    File::options().write(true).open(disk).unwrap().write_all_at(b"!", LARGE_BYTES - 1).unwrap();
    caller.wait_while_making(&id).await;
    workers.stop().await;
    assert_eq!(caller.progress(&id).await["ProcessedBytes"], LARGE_BYTES, "the last progress is kept");
    let reason = "The disk changed while it was read. Stop the instance, then make the image again.";
    assert_failed(&service, &id, reason).await;
}

#[tokio::test]
async fn making_fails_when_the_store_is_not_writable() {
    let service = Service::start().await;
    service.instance("uhost-bad", &service.disk("bad.raw", DiskFormat::Raw, 2)).await;
    let id = service.caller().create("uhost-bad", "env").await;
    // Replace the folder with a file.
    let chunks = service.folder.path().join("data/store/chunks");
    let away = service.folder.path().join("away");
    fs::rename(&chunks, &away).unwrap();
    fs::write(&chunks, "").unwrap();
    service.finish_job(&id).await;
    fs::remove_file(&chunks).unwrap();
    fs::rename(away, chunks).unwrap();
    let reason = "The image could not be stored. Ask the operator to look at the server's log, then make the image \
                  again.";
    assert_failed(&service, &id, reason).await;
}
