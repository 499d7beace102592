//! The progress of an image does not reveal images of other accounts.

use jingku_protocol::actions::Action;
use serde_json::{Value, json};

use super::LabServer;
use crate::support::{Caller, wait_until, write_large_disk};

const FIXTURES: &str = r#"
[[accounts]]
name = "first"

[[accounts]]
name = "second"

[[instances]]
id = "uhost-theirs"
account = "first"
disk = "same.raw"

[[instances]]
id = "uhost-mine"
account = "second"
disk = "same.raw"

[[instances]]
id = "uhost-again"
account = "second"
disk = "same.raw"
"#;

/// A server with two accounts that have instances with equal disks, and the caller of the second one.
async fn start() -> (LabServer, Caller) {
    let folder = tempfile::tempdir().unwrap();
    write_large_disk(&folder.path().join("same.raw"));
    let file = folder.path().join("fixtures.toml");
    std::fs::write(&file, FIXTURES).unwrap();
    let (server, mut others) = LabServer::with_callers(&file).await;
    // Keep the disk, which the jobs read later.
    std::mem::forget(folder);
    (server, others.remove(0))
}

/// Creates an image and holds it at 60 percent; returns its id and its progress.
async fn held(server: &LabServer, caller: &Caller, instance: &str) -> (String, Value) {
    server.lab("hold", json!({"percent": 60})).await;
    let id = caller.create(instance, instance).await;
    wait_until("the job is held", async || caller.progress(&id).await["Progress"] == 60.0).await;
    let progress = caller.progress(&id).await;
    (id, progress)
}

async fn release(server: &LabServer, caller: &Caller, id: &str) {
    server.lab("release", json!({})).await;
    caller.wait_while_making(id).await;
    assert_eq!(caller.progress(id).await["Status"], "Available");
}

#[tokio::test]
async fn progress_does_not_reveal_data_of_other_accounts() {
    let (server, second) = start().await;
    let workers = server.workers().await;
    let (_, new) = held(&server, &second, "uhost-mine").await;
    workers.stop().await;

    let (server, second) = start().await;
    let workers = server.workers().await;
    let theirs = server.caller.create("uhost-theirs", "theirs").await;
    server.caller.wait_while_making(&theirs).await;
    let (mine, stored_by_other) = held(&server, &second, "uhost-mine").await;
    assert_eq!(stored_by_other, new);
    assert_eq!(stored_by_other["PresentBytes"], 0);
    release(&server, &second, &mine).await;

    // Progress counts data in images of the same account.
    let (again, own) = held(&server, &second, "uhost-again").await;
    assert!(own["PresentBytes"].as_u64().unwrap() > 0, "{own}");
    assert!(own["PresentBytes"].as_u64() <= own["ProcessedBytes"].as_u64(), "{own}");
    release(&server, &second, &again).await;

    // After the account has deleted them, it does not.
    for id in [&mine, &again] {
        second.ok(Action::TerminateCompShareCustomImage, &[("CompShareImageId", id)]).await;
    }
    let (_, deleted) = held(&server, &second, "uhost-mine").await;
    assert_eq!(deleted, new);
    workers.stop().await;
}
