use jingku_protocol::actions::Action;
use serde_json::json;

use crate::support::{NOW, Service};

const DETAIL: Action = Action::DescribeCompShareCustomImageSyncDetail;

/// A server with an image and a copy of it in another zone.
async fn copied() -> (Service, String) {
    let service = Service::start().await;
    service.add_images(&[("image-1", NOW)]).await;
    let params = [("SourceCompShareImageId", "image-1"), ("TargetZoneIds.0", "8200")];
    let reply = service.caller().ok(Action::SyncCompShareCustomImage, &params).await;
    let copy = reply["Results"][0]["CompShareImageId"].as_str().unwrap().to_owned();
    (service, copy)
}

#[tokio::test]
async fn a_copy_is_available_at_once() {
    let (service, copy) = copied().await;
    let caller = service.caller();
    let expected = json!({
        "Action": "DescribeCompShareCustomImageSyncDetailResponse", "RetCode": 0, "Progress": "100",
        "Status": "Available", "SourceCompShareImageId": "image-1",
    });
    let params = [("CompShareImageId", &*copy)];
    assert_eq!(caller.ok(DETAIL, &params).await, expected);
    // The copy still names its source after the source is deleted.
    caller.ok(Action::TerminateCompShareCustomImage, &[("CompShareImageId", "image-1")]).await;
    assert_eq!(caller.ok(DETAIL, &params).await, expected);
}

#[tokio::test]
async fn refusals_follow_the_documented_order() {
    let (service, copy) = copied().await;
    let (caller, (theirs, receiver)) = (service.caller(), service.stranger().await);
    caller.assert_refused(DETAIL, &[("Region", "moon")], 210, "Missing params [CompShareImageId]").await;
    caller.assert_place_is_checked(DETAIL, &[("CompShareImageId", "image-none")]).await;
    // Images that are not copies, do not exist or are shared by another account have no sync detail.
    for id in ["image-1", "image-none"] {
        let message = format!("Resource not exist [{id}]");
        caller.assert_refused(DETAIL, &[("CompShareImageId", id)], 8039, &message).await;
    }
    caller.share(&copy, &[theirs]).await;
    let message = format!("Resource not exist [{copy}]");
    receiver.assert_refused(DETAIL, &[("CompShareImageId", &copy)], 8039, &message).await;
}

#[tokio::test]
async fn strict_mode_requires_no_place() {
    let service = Service::strict().await;
    let params = [("CompShareImageId", "image-none")];
    assert_eq!(service.caller().refusal(DETAIL, &params).await.0, 8039);
}
