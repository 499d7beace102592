//! Images that are held, that fail as declared, and that the fixtures leave in the status Making without a job.

use std::time::Duration;

use jingku_protocol::actions::Action;
use serde_json::json;

use super::LabServer;

const FIXTURE_IN_MAKING: &str = "compshareImage-1fixture0002";

#[tokio::test]
async fn an_image_is_held_until_release_and_then_completes() {
    let server = LabServer::start().await;
    let workers = server.workers().await;
    server.lab("hold", json!({"percent": 30})).await;
    let id = server.caller.create("uhost-good", "held").await;
    server.wait_for(&id, "Making", 30.0).await;
    // A held job has no event to wait for: it sleeps and checks the hold every 20 ms. Let it check three times.
    tokio::time::sleep(Duration::from_millis(60)).await;
    assert_eq!(server.progress(&id).await["Progress"], 30.0, "a held job continued");
    // Hold it later, then release it.
    server.lab("hold", json!({"percent": 100})).await;
    server.wait_for(&id, "Making", 99.9).await;
    server.lab("release", json!({})).await;
    server.wait_for(&id, "Available", 100.0).await;
    let answer = server.caller.call(Action::ExportCompShareCustomImage, &[("CompShareImageId", &id)]).await;
    assert_eq!(answer.body.len(), 100 << 20);
    assert!(answer.body[..4096].iter().any(|byte| *byte != 0), "the disk is empty");
    workers.stop().await;
}

#[tokio::test]
async fn a_fixture_image_in_making_follows_hold_and_release() {
    let server = LabServer::start().await;
    let workers = server.workers().await;
    assert_eq!(server.progress(FIXTURE_IN_MAKING).await["Progress"], 40.0);
    server.lab("hold", json!({"percent": 70})).await;
    assert_eq!(server.progress(FIXTURE_IN_MAKING).await["Progress"], 70.0);
    server.lab("release", json!({})).await;
    server.wait_for(FIXTURE_IN_MAKING, "Available", 100.0).await;
    assert!(server.names().await.contains(&("standing".to_owned(), "Available".to_owned())));
    server.lab("reset", json!({})).await;
    assert_eq!(server.progress(FIXTURE_IN_MAKING).await["Progress"], 40.0);
    workers.stop().await;
}

#[tokio::test]
async fn an_instance_declared_to_fail_fails_at_its_percentage_with_its_reason() {
    let server = LabServer::start().await;
    let workers = server.workers().await;
    for name in ["once", "again"] {
        let id = server.caller.create("uhost-bad", name).await;
        server.wait_for(&id, "Failed", 60.0).await;
        assert_eq!(server.progress(&id).await["FailedReason"], "The disk is full of sand.");
    }
    workers.stop().await;
}

#[tokio::test]
async fn deleting_a_held_image_frees_its_worker() {
    let server = LabServer::start().await;
    let workers = server.workers().await;
    server.lab("hold", json!({"percent": 50})).await;
    let held = server.caller.create("uhost-good", "held").await;
    server.wait_for(&held, "Making", 50.0).await;
    server.caller.ok(Action::TerminateCompShareCustomImage, &[("CompShareImageId", &held)]).await;
    let next = server.caller.create("uhost-other", "next").await;
    server.wait_for(&next, "Making", 50.0).await;
    server.lab("release", json!({})).await;
    server.wait_for(&next, "Available", 100.0).await;
    workers.stop().await;
}

#[tokio::test]
async fn a_server_stops_while_an_image_is_held() {
    let server = LabServer::start().await;
    let workers = server.workers().await;
    server.lab("hold", json!({"percent": 0})).await;
    let held = server.caller.create("uhost-good", "held").await;
    server.wait_for(&held, "Making", 0.0).await;
    server.wait_until_read(&held).await;
    tokio::time::timeout(Duration::from_secs(10), workers.stop()).await.unwrap();
    // Without a stop, the runtime of this test must end although a job is held.
    std::mem::forget(server.workers().await);
    server.wait_until_read(&held).await;
}
