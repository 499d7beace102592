use jingku_library::{Config, TrashSettings};
use jingku_protocol::actions::Action;
use serde_json::json;

use crate::support::{INSTANCE, NOW, Service};

const TRASH: Action = Action::DescribeCompShareTrashedImages;
const DAY: i64 = 24 * 60 * 60;

impl Service {
    /// Adds images with these ids and deletes them, a minute after each other.
    pub(crate) async fn add_trashed(&self, ids: &[&str]) {
        for (id, minute) in ids.iter().zip(1..) {
            self.add_images(&[(id, NOW)]).await;
            self.clock.set(NOW + minute * 60);
            self.caller().ok(Action::TerminateCompShareCustomImage, &[("CompShareImageId", id)]).await;
        }
    }
}

#[tokio::test]
async fn deleted_images_are_listed_last_deleted_first() {
    let service = Service::with(Config { trash: TrashSettings { keep_days: 3 }, ..Config::default() }).await;
    let (caller, (_, stranger)) = (service.caller(), service.stranger().await);
    let empty = json!({
        "Action": "DescribeCompShareTrashedImagesResponse", "RetCode": 0, "TotalCount": 0, "ImageSet": [],
        "NextToken": "",
    });
    assert_eq!(caller.ok(TRASH, &[]).await, empty);
    service.add_trashed(&["image-1", "image-2", "image-3"]).await;
    service.add_images(&[("live", NOW)]).await;
    let reply = caller.ok(TRASH, &[]).await;
    assert_eq!(reply["TotalCount"], 3);
    let deleted = NOW + 3 * 60;
    let row = json!({
        "CompShareImageId": "image-3", "Name": "image-3", "Status": "Available", "Restorable": true, "Size": 1,
        "Zone": "cn-wlcb-01", "CreateTime": NOW, "DeleteTime": deleted,
        "ExpireTime": deleted + 3 * DAY,
    });
    assert_eq!(reply["ImageSet"][0], row, "{reply}");
    assert_eq!(caller.ids(TRASH, &[]).await, ["image-3", "image-2", "image-1"]);
    assert!(caller.ids(TRASH, &[("Zone", "cn-sh2-02")]).await.is_empty());
    assert_eq!(caller.ids(TRASH, &[("Zone", "cn-wlcb-01")]).await.len(), 3);
    let named = [("CompShareImageIds.0", "image-1"), ("CompShareImageIds.1", "live")];
    assert_eq!(caller.ids(TRASH, &named).await, ["image-1"]);
    assert!(stranger.ids(TRASH, &named).await.is_empty());
    assert_eq!(stranger.ok(TRASH, &[]).await, empty);
}

#[tokio::test]
async fn pages_follow_each_other_while_the_trash_changes() {
    let service = Service::start().await;
    let (caller, (_, stranger)) = (service.caller(), service.stranger().await);
    service.add_trashed(&["image-1", "image-2", "image-3"]).await;
    let first = caller.ok(TRASH, &[("Limit", "1")]).await;
    assert_eq!((&first["TotalCount"], first["ImageSet"].as_array().unwrap().len()), (&json!(3), 1));
    let token = ("NextToken", first["NextToken"].as_str().unwrap());
    let restore = Action::RestoreCompShareCustomImage;
    caller.ok(restore, &[("CompShareImageIds.0", "image-3")]).await;
    assert_eq!(caller.ids(TRASH, &[token]).await, ["image-2", "image-1"]);
    assert_eq!(caller.ids(TRASH, &[("Offset", "1")]).await, ["image-1"]);
    // A token of this list is none of another, and a foreign one shows nothing.
    assert!(stranger.ids(TRASH, &[token]).await.is_empty());
    let list = Action::DescribeCompShareCustomImages;
    caller.assert_refused(list, &[token], 230, "Params [NextToken] not available").await;
    caller.assert_refused(TRASH, &[("Limit", "101")], 230, "Params [Limit] not available").await;
    caller.assert_place_is_checked(TRASH, &[]).await;
}

#[tokio::test]
async fn an_image_deleted_while_being_made_is_not_restorable() {
    let service = Service::start().await;
    let caller = service.caller();
    let id = caller.create(INSTANCE, "env").await;
    caller.ok(Action::TerminateCompShareCustomImage, &[("CompShareImageId", &id)]).await;
    let image = caller.ok(TRASH, &[]).await["ImageSet"][0].clone();
    assert_eq!((&image["Status"], &image["Restorable"]), (&json!("Making"), &json!(false)));
}
