use std::time::Duration;

use jingku_library::DiskFormat;
use jingku_protocol::actions::Action;
use serde_json::{Value, json};

use crate::support::{DISK_BYTES, INSTANCE, NOW, Service};

const PROGRESS: Action = Action::GetCompShareImageCreateProgress;

fn without_envelope(mut reply: Value) -> Value {
    let object = reply.as_object_mut().unwrap();
    for name in ["Action", "RetCode"] {
        object.remove(name);
    }
    reply
}

#[tokio::test]
async fn a_queued_job_reports_no_progress() {
    let service = Service::start().await;
    let caller = service.caller();
    let id = caller.create(INSTANCE, "env").await;
    let expected = json!({
        "Process": 0.0, "Progress": 0.0, "TotalDuration": "1", "RemainingDuration": "1", "Status": "Making",
        "FailedReason": "", "ProcessedBytes": 0, "TotalBytes": DISK_BYTES, "PresentBytes": 0, "Warnings": [],
    });
    assert_eq!(without_envelope(caller.progress(&id).await), expected);
}

#[tokio::test]
async fn durations_are_estimated_from_reported_progress() {
    let service = Service::start().await;
    let caller = service.caller();
    let id = caller.create(INSTANCE, "env").await;
    // A worker in another process.
    let catalog = service.catalog().await;
    let job = catalog.claim_job("elsewhere", i64::MAX, NOW, 60).await.unwrap().unwrap();
    catalog.heartbeat(&job, 1000, 4000, NOW + 10, 60).await.unwrap();
    let expected = json!({
        "Process": 25.0, "Progress": 25.0, "TotalDuration": "40", "RemainingDuration": "30", "Status": "Making",
        "FailedReason": "", "ProcessedBytes": 1000, "TotalBytes": 4000, "PresentBytes": 0, "Warnings": [],
    });
    assert_eq!(without_envelope(caller.progress(&id).await), expected);
}

#[tokio::test]
async fn an_available_image_reports_100_percent() {
    let service = Service::start().await;
    let id = service.make(INSTANCE, "env").await;
    let expected = json!({
        "Process": 100.0, "Progress": 100.0, "TotalDuration": "0", "RemainingDuration": "0", "Status": "Available",
        "FailedReason": "", "ProcessedBytes": DISK_BYTES, "TotalBytes": DISK_BYTES, "PresentBytes": 0, "Warnings": [],
    });
    let caller = service.caller();
    for _ in 0..2 {
        assert_eq!(without_envelope(caller.progress(&id).await), expected);
    }
}

#[tokio::test]
async fn a_failed_job_reports_its_reason() {
    let service = Service::start().await;
    let caller = service.caller();
    let disk = service.disk("gone.raw", DiskFormat::Raw, 2);
    service.instance("uhost-gone", &disk).await;
    let id = caller.create("uhost-gone", "env").await;
    std::fs::remove_file(disk).unwrap();
    let workers = service.start_workers().await;
    caller.wait_while_making(&id).await;
    workers.stop().await;
    let expected = json!({
        "Process": 0.0, "Progress": 0.0, "TotalDuration": "0", "RemainingDuration": "0", "Status": "Failed",
        "FailedReason": "The disk of the instance is not there. Ask the operator to put it back.",
        "ProcessedBytes": 0, "TotalBytes": DISK_BYTES, "PresentBytes": 0, "Warnings": [],
    });
    assert_eq!(without_envelope(caller.progress(&id).await), expected);
}

/// Polls without a pause, from before the job starts until after it ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn progress_never_decreases() {
    let service = Service::start().await;
    let caller = service.caller();
    let id = caller.create(INSTANCE, "env").await;
    let workers = service.start_workers().await;
    let mut last = caller.progress(&id).await;
    let poll = async {
        while last["Status"] == "Making" {
            let now = caller.progress(&id).await;
            for field in ["Process", "ProcessedBytes"] {
                assert!(now[field].as_f64() >= last[field].as_f64(), "{last} then {now}");
            }
            last = now;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), poll).await.unwrap();
    assert_eq!(last["ProcessedBytes"], DISK_BYTES);
    workers.stop().await;
}

#[tokio::test]
async fn refusals_follow_the_documented_order() {
    let service = Service::start().await;
    let caller = service.caller();
    caller.assert_refused(PROGRESS, &[("Region", "moon")], 210, "Missing params [CompShareImageId]").await;
    let unknown = [("CompShareImageId", "compshareImage-none")];
    caller.assert_place_is_checked(PROGRESS, &unknown).await;
    caller.assert_refused(PROGRESS, &unknown, 8039, "Resource not exist [compshareImage-none]").await;

    let id = caller.create(INSTANCE, "env").await;
    caller.ok(Action::TerminateCompShareCustomImage, &[("CompShareImageId", &id)]).await;
    caller
        .assert_refused(PROGRESS, &[("CompShareImageId", &id)], 8039, &format!("Resource not exist [{id}]"))
        .await;
}

#[tokio::test]
async fn strict_mode_requires_region_and_zone() {
    let service = Service::strict().await;
    service.add_images(&[("image-1", NOW)]).await;
    let place = [("Region", "cn-wlcb"), ("Zone", "cn-wlcb-01")];
    service.caller().assert_required(PROGRESS, &[("CompShareImageId", "image-1")], &place).await;
}
