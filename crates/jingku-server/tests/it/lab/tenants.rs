//! What the making of an image tells of other accounts' images.

use jingku_protocol::actions::Action;
use serde_json::{Value, json};

use super::LabServer;
use crate::support::{Caller, write_large_disk};

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

/// A server whose accounts have instances with equal disks, and what each calls with.
async fn start() -> (LabServer, Caller) {
    let folder = tempfile::tempdir().unwrap();
    write_large_disk(&folder.path().join("same.raw"));
    let file = folder.path().join("fixtures.toml");
    std::fs::write(&file, FIXTURES).unwrap();
    let (server, mut others) = LabServer::filled_by_several(&file).await;
    // The disk is read later.
    std::mem::forget(folder);
    (server, others.remove(0))
}

/// All that is answered about an image of a disk which is held at 60 percent.
async fn held(server: &LabServer, caller: &Caller, instance: &str) -> (String, Value) {
    server.lab("hold", json!({"percent": 60})).await;
    let id = caller.create(instance, instance).await;
    let mut progress = Value::Null;
    for _ in 0..3000 {
        progress = caller.progress(&id).await;
        if progress["Progress"] == 60.0 {
            return (id, progress);
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("not held: {progress}");
}

async fn let_go(server: &LabServer, caller: &Caller, id: &str) {
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
    let (mine, after) = held(&server, &second, "uhost-mine").await;
    assert_eq!(after, new);
    assert_eq!(after["PresentBytes"], 0);
    let_go(&server, &second, &mine).await;

    // What the account has itself it is told.
    let (again, own) = held(&server, &second, "uhost-again").await;
    assert!(own["PresentBytes"].as_u64().unwrap() > 0, "{own}");
    assert!(own["PresentBytes"].as_u64() <= own["ProcessedBytes"].as_u64(), "{own}");
    let_go(&server, &second, &again).await;

    // Once it has deleted that, no longer.
    for id in [&mine, &again] {
        second.ok(Action::TerminateCompShareCustomImage, &[("CompShareImageId", id)]).await;
    }
    let (_, deleted) = held(&server, &second, "uhost-mine").await;
    assert_eq!(deleted, new);
    workers.stop().await;
}
