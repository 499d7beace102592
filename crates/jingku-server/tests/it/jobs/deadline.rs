//! Limits on the time of a job and on the data it unpacks.

use jingku_library::Config;

use crate::support::{INSTANCE, Service};

/// A file that unpacks to 20 GiB of zeros.
fn zeros() -> Vec<u8> {
    let frame = zstd::bulk::compress(&vec![0; 64 << 20], 1).unwrap();
    frame.repeat(20 * 16)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_past_its_deadline_fails_with_a_reason() {
    let config: Config = toml::from_str("[jobs]\ndeadline_minutes = 0").unwrap();
    let service = Service::with(config).await;
    let caller = service.caller();
    let id = caller.upload("env", &zeros()).await;
    service.finish_job(&id).await;
    let image = caller.image(&id).await;
    assert_eq!(image["Status"], "UnAvailable");
    let reason = image["FailedReason"].as_str().unwrap();
    assert!(reason.starts_with("Making the image took longer than it may for its size."), "{reason}");
    // The uploaded file is removed, and the name is available.
    let uploads = std::fs::read_dir(service.folder.path().join("data/uploads")).unwrap();
    assert_eq!(uploads.count(), 0);
    caller.create(INSTANCE, "env").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_unpacks_to_zeros_is_accepted() {
    let service = Service::start().await;
    let caller = service.caller();
    let id = caller.upload("env", &zeros()).await;
    service.finish_job(&id).await;
    let image = caller.image(&id).await;
    assert_eq!((&image["Status"], &image["FailedReason"]), (&"Available".into(), &"".into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_unpacks_to_too_much_data_is_refused() {
    let service = Service::start().await;
    let caller = service.caller();
    // 1 GiB is allowed for a file of any size.
    let frame = zstd::bulk::compress(&vec![b'A'; 64 << 20], 1).unwrap();
    let id = caller.upload("env", &frame.repeat(17)).await;
    service.finish_job(&id).await;
    let image = caller.image(&id).await;
    let reason = image["FailedReason"].as_str().unwrap();
    assert!(reason.contains("more than 200 times its size, zeros not counted"), "{reason}");
    assert!(!reason.contains('/') && !reason.ends_with(".."), "{reason}");
}
