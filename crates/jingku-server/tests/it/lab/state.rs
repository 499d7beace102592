//! Reset, snapshots and the clock, also while images are being made.

use std::time::Duration;

use jingku_protocol::actions::Action;
use serde_json::json;

use super::LabServer;
use crate::support::NOW;

#[tokio::test]
async fn a_reset_restores_the_fixtures() {
    let server = LabServer::start().await;
    let start = (server.names().await, server.get("state").await);
    server
        .caller
        .ok(Action::TerminateCompShareCustomImage, &[("CompShareImageId", "compshareImage-1fixture0001")])
        .await;
    server.lab("snapshot", json!({"name": "mine"})).await;
    server.lab("clock", json!({"set": 5})).await;
    server.lab("hold", json!({"percent": 5})).await;
    server.lab("fail", json!({"action": "*", "ret_code": 5, "times": 5})).await;
    server.lab("reset", json!({})).await;
    assert!(server.get("trace").await["entries"].as_array().unwrap().is_empty());
    let mut state = server.get("state").await;
    state["trace"] = start.1["trace"].clone();
    assert_eq!((server.names().await, state), start);
}

#[tokio::test]
async fn a_page_cached_before_a_return_is_not_served_after_it() {
    let server = LabServer::start().await;
    server.lab("snapshot", json!({})).await;
    for round in 0..5 {
        let name = format!("round{round}");
        // Each round has the same number of changes as the one before, but another image.
        let id = server.caller.create("uhost-good", &name).await;
        assert_eq!(server.names().await[0].0, name, "round {round}");
        server.lab("return", json!({})).await;
        assert_eq!(server.names().await.len(), 2);
        let gone =
            server.caller.call(Action::GetCompShareImageCreateProgress, &[("CompShareImageId", &id)]).await;
        assert_eq!(gone.json["RetCode"], 8039);
    }
}

#[tokio::test]
async fn a_return_during_making_leaves_no_worker_blocked() {
    let server = LabServer::start().await;
    let workers = server.workers().await;
    server.lab("snapshot", json!({"name": "before"})).await;
    server.lab("hold", json!({"percent": 50})).await;
    let id = server.caller.create("uhost-good", "held").await;
    server.wait_for(&id, "Making", 50.0).await;
    server.lab("snapshot", json!({"name": "held"})).await;
    for round in 0..8 {
        // Not evidence: vary whether the job is queued, running or held.
        tokio::time::sleep(Duration::from_millis(7 * round % 20)).await;
        let returned = server.lab("return", json!({"name": "before"}));
        tokio::time::timeout(Duration::from_secs(10), returned).await.expect("no deadlock");
        assert_eq!(server.names().await.len(), 2);
        server.lab("return", json!({"name": "held"})).await;
        // The job is claimed again each time: returns do not use up its attempts.
        server.wait_for(&id, "Making", 50.0).await;
    }
    server.lab("release", json!({})).await;
    server.wait_for(&id, "Available", 100.0).await;
    server.lab("reset", json!({})).await;
    let again = server.caller.create("uhost-good", "held").await;
    server.wait_for(&again, "Available", 100.0).await;
    workers.stop().await;
}

#[tokio::test]
async fn concurrent_returns_and_calls_all_finish() {
    let server = LabServer::start().await;
    let workers = server.workers().await;
    server.lab("snapshot", json!({})).await;
    let turns = async {
        for _ in 0..20 {
            tokio::join!(server.lab("return", json!({})), server.lab("reset", json!({})), async {
                let _ = server
                    .caller
                    .call(Action::CreateCompShareCustomImage, &[("UHostId", "uhost-good"), ("Name", "race")])
                    .await;
            });
            server.lab("snapshot", json!({})).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), turns).await.expect("no deadlock");
    server.lab("reset", json!({})).await;
    assert_eq!(server.names().await.len(), 2);
    workers.stop().await;
}

#[tokio::test]
async fn snapshots_are_limited_in_number_and_errors_list_their_names() {
    let server = LabServer::start().await;
    for number in 0..16 {
        server.lab("snapshot", json!({"name": format!("s{number}")})).await;
    }
    let (status, value) = server.post("snapshot", &json!({"name": "one more"})).await;
    assert_eq!(status, 400, "{value}");
    server.lab("snapshot", json!({"name": "s3"})).await;
    let (status, value) = server.post("return", &json!({"name": "one more"})).await;
    assert!(status == 404 && value["error"].as_str().unwrap().contains("s3"), "{value}");
}

#[tokio::test]
async fn images_use_the_time_of_the_lab_clock() {
    let server = LabServer::start().await;
    let workers = server.workers().await;
    assert_eq!(
        server.lab("clock", json!({"advance": 100})).await,
        json!({"now": NOW + 100, "stands": false})
    );
    assert_eq!(server.lab("clock", json!({"set": 1_900_000_000})).await["stands"], true);
    server.lab("clock", json!({"advance": -5})).await;
    let id = server.caller.create("uhost-good", "future").await;
    server.wait_for(&id, "Available", 100.0).await;
    let page = server.caller.ok(Action::DescribeCompShareCustomImages, &[("CompShareImageId", &id)]).await;
    assert_eq!(page["ImageSet"][0]["CreateTime"], 1_899_999_995);
    // Before the start of any lease: no job waits for one to expire.
    server.lab("clock", json!({"set": 1000})).await;
    let id = server.caller.create("uhost-good", "past").await;
    server.wait_for(&id, "Available", 100.0).await;
    assert_eq!(server.lab("clock", json!({"free": true})).await["now"], NOW);
    workers.stop().await;
}
