//! A making that cannot go on ends, says why, and leaves nothing behind that stands in the way.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;

use jingku_library::DiskFormat;

use crate::support::{LARGE_BYTES, Service, write_large_disk};

/// Checks how the making of `env` from `uhost-bad` ended, and that name and instance are free again.
async fn assert_failed(service: &Service, id: &str, reason: &str) {
    let caller = service.caller();
    let image = caller.image(id).await;
    assert_eq!((&image["Status"], &image["FailedReason"]), (&"UnAvailable".into(), &reason.into()));
    let progress = caller.progress(id).await;
    assert_eq!((&progress["Status"], &progress["FailedReason"]), (&"Failed".into(), &reason.into()));
    assert!(!reason.contains('/'), "nothing of the host is told");
    assert!(service.stored("manifests").is_empty());

    let good = service.disk("good.raw", DiskFormat::Raw, 9);
    service.context.remove_instance("uhost-bad").await.expect("the instance is free");
    service.instance("uhost-bad", &good).await;
    let again = service.make("uhost-bad", "env").await;
    assert_eq!(caller.image(&again).await["Status"], "Available");
}

#[tokio::test]
async fn a_disk_that_was_deleted() {
    let service = Service::start().await;
    let disk = service.disk("bad.raw", DiskFormat::Raw, 2);
    service.instance("uhost-bad", &disk).await;
    let id = service.caller().create("uhost-bad", "env").await;
    fs::remove_file(disk).unwrap();
    service.work_off(&id).await;
    assert_failed(&service, &id, "The disk of the instance is not there. Ask the operator to put it back.")
        .await;
}

#[tokio::test]
async fn a_disk_that_is_another_now() {
    let service = Service::start().await;
    let disk = service.disk("bad.raw", DiskFormat::Raw, 2);
    service.instance("uhost-bad", &disk).await;
    let id = service.caller().create("uhost-bad", "env").await;
    File::options().write(true).open(disk).unwrap().set_len(512).unwrap();
    service.work_off(&id).await;
    let reason =
        "The disk of the instance is not the one that was declared. Ask the operator to declare it again.";
    assert_failed(&service, &id, reason).await;
}

#[tokio::test]
async fn a_qcow2_that_is_damaged() {
    let service = Service::start().await;
    let disk = service.disk("bad.qcow2", DiskFormat::Qcow2, 2);
    service.instance("uhost-bad", &disk).await;
    let id = service.caller().create("uhost-bad", "env").await;
    // The offset of the table that leads to all others.
    let file = File::options().write(true).open(disk).unwrap();
    file.write_all_at(&(1_u64 << 40).to_be_bytes(), 40).unwrap();
    service.work_off(&id).await;
    let reason = "The disk of the instance is damaged. Ask the operator to repair it.";
    assert_failed(&service, &id, reason).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_changes_while_it_is_read() {
    let service = Service::start().await;
    let disk = service.folder.path().join("bad.raw");
    write_large_disk(&disk);
    service.instance("uhost-bad", &disk).await;
    let caller = service.caller();
    let id = caller.create("uhost-bad", "env").await;
    let workers = service.start_workers().await;
    caller.wait_until_begun(&id).await;
    File::options().write(true).open(disk).unwrap().write_all_at(b"!", LARGE_BYTES - 1).unwrap();
    caller.wait_while_making(&id).await;
    workers.stop().await;
    assert_eq!(caller.progress(&id).await["ProcessedBytes"], LARGE_BYTES, "how far it came is kept");
    let reason = "The disk changed while it was read. Stop the instance, then make the image again.";
    assert_failed(&service, &id, reason).await;
}

#[tokio::test]
async fn a_store_that_cannot_be_written() {
    let service = Service::start().await;
    service.instance("uhost-bad", &service.disk("bad.raw", DiskFormat::Raw, 2)).await;
    let id = service.caller().create("uhost-bad", "env").await;
    // A file where the folder should be.
    let chunks = service.folder.path().join("data/store/chunks");
    let away = service.folder.path().join("away");
    fs::rename(&chunks, &away).unwrap();
    fs::write(&chunks, "").unwrap();
    service.work_off(&id).await;
    fs::remove_file(&chunks).unwrap();
    fs::rename(away, chunks).unwrap();
    let reason = "The image could not be stored. Ask the operator to look at the server's log, then make the image \
                  again.";
    assert_failed(&service, &id, reason).await;
}
