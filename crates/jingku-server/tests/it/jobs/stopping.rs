//! Interrupted jobs: by deletion of the image, by shutdown and by a crash.

use std::sync::Arc;
use std::time::Duration;

use jingku_protocol::actions::Action;

use crate::support::{INSTANCE, LARGE_BYTES, NOW, Service, large_disk_bytes, wait_until};

/// A server with a queued image of instance `uhost-large`, whose disk takes a while to read.
async fn making_large() -> (Service, String) {
    making_disk(&large_disk_bytes()).await
}

async fn making_disk(bytes: &[u8]) -> (Service, String) {
    let service = Service::start().await;
    let disk = service.folder.path().join("large.raw");
    std::fs::write(&disk, bytes).unwrap();
    service.instance("uhost-large", &disk).await;
    let id = service.caller().create("uhost-large", "env").await;
    (service, id)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopping_server_releases_its_job() {
    let (service, id) = making_large().await;
    let caller = service.caller();
    let workers = service.start_workers().await;
    caller.wait_until_started(&id).await;
    workers.stop().await;
    assert_eq!(caller.image(&id).await["Status"], "Making", "the job ended before it could be interrupted");
    assert!(service.stored("manifests").is_empty());

    let next = service.reopen().await;
    drop(service);
    next.finish_job(&id).await;
    let caller = next.caller();
    assert_eq!(caller.image(&id).await["Status"], "Available");
    let reply = caller.call(Action::ExportCompShareCustomImage, &[("CompShareImageId", &id)]).await;
    assert!(reply.body == large_disk_bytes(), "the bytes differ");
    let progress = caller.progress(&id).await;
    assert_eq!((&progress["Process"], &progress["TotalBytes"]), (&100.0.into(), &LARGE_BYTES.into()));
}

/// The server stores its name in its data directory, so that a restart finds the jobs of its last run.
#[tokio::test]
async fn a_restart_resumes_the_job_of_a_crashed_run() {
    let service = Service::start().await;
    let id = service.caller().create(INSTANCE, "env").await;
    let node = std::fs::read_to_string(service.folder.path().join("data/node")).unwrap();
    let catalog = service.catalog().await;
    catalog.claim_job(node.trim(), i64::MAX, NOW, 1_000_000).await.unwrap().expect("a job is queued");
    service.finish_job(&id).await;
    assert_eq!(service.caller().image(&id).await["Status"], "Available");
}

/// A killed qemu-img conversion leaves a file as large as the disk.
#[tokio::test]
async fn a_start_removes_scratch_files_of_a_killed_run() {
    let service = Service::start().await;
    let left = service.folder.path().join("data/scratch/.jingku-convert-1");
    std::fs::write(&left, "half a disk").unwrap();
    let workers = service.start_workers().await;
    assert!(!left.exists());
    workers.stop().await;
}

#[tokio::test]
async fn a_job_of_another_server_resumes_when_its_lease_expires() {
    let service = Service::start_on_file().await;
    let caller = service.caller();
    let id = caller.create(INSTANCE, "env").await;
    let catalog = service.catalog().await;
    catalog.claim_job("another", i64::MAX, NOW, 30).await.unwrap().expect("a job is queued");
    let workers = service.start_workers().await;
    tokio::time::pause();
    // Paused time: the workers look for jobs every few seconds.
    tokio::time::sleep(Duration::from_mins(1)).await;
    assert_eq!(caller.progress(&id).await["Status"], "Making", "the lease is still valid");
    service.clock.set(NOW + 30);
    caller.wait_while_making(&id).await;
    assert_eq!(caller.image(&id).await["Status"], "Available");
    workers.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deleting_an_image_stops_its_job() {
    // Long enough that the job is still running when the deletion arrives, also on a busy machine.
    let (service, id) = making_disk(&large_disk_bytes().repeat(8)).await;
    let caller = service.caller();
    let workers = service.start_workers().await;
    caller.wait_until_started(&id).await;
    caller.ok(Action::TerminateCompShareCustomImage, &[("CompShareImageId", &id)]).await;
    let instances = caller.ok(Action::DescribeCompShareInstance, &[("UHostIds.0", "uhost-large")]).await;
    assert_eq!(instances["UHostSet"][0]["State"], "Stopped");
    // The worker can make this one.
    let next = caller.create(INSTANCE, "env").await;
    caller.wait_while_making(&next).await;
    workers.stop().await;
    let images = caller.images(&[]).await;
    assert_eq!((images.len(), &images[0]["Status"]), (1, &"Available".into()));
    assert_eq!(service.stored("manifests").len(), 1, "the deleted image was made");
}

/// Workers that are dropped without a stop end all their tasks, which share the library.
#[tokio::test]
async fn dropped_workers_stop_and_claim_no_jobs() {
    let service = Service::start().await;
    let caller = service.caller();
    let library = &service.context.library;
    let before = Arc::strong_count(library);
    let workers = service.start_workers().await;
    assert!(Arc::strong_count(library) > before, "no task has started");
    drop(workers);
    wait_until("all tasks end", async || Arc::strong_count(library) == before).await;
    let id = caller.create(INSTANCE, "env").await;
    assert_eq!(caller.image(&id).await["Status"], "Making");
}
