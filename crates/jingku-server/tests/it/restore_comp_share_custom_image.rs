use jingku_library::{Config, LimitSettings};
use jingku_protocol::actions::Action;
use serde_json::json;

use crate::support::{INSTANCE, NOW, Service};

const RESTORE: Action = Action::RestoreCompShareCustomImage;
const TRASH: Action = Action::DescribeCompShareTrashedImages;
const LIST: Action = Action::DescribeCompShareCustomImages;
const ID: &str = "CompShareImageIds.0";

#[tokio::test]
async fn images_are_restored_with_their_content() {
    let service = Service::start().await;
    let caller = service.caller();
    let id = service.make(INSTANCE, "env").await;
    let before = caller.image(&id).await;
    caller.ok(Action::TerminateCompShareCustomImage, &[("CompShareImageId", &id)]).await;
    service.add_trashed(&["image-1"]).await;
    let restore = [(ID, &*id), ("CompShareImageIds.1", "image-1"), ("CompShareImageIds.2", "image-1")];
    // Repeated, as after a lost response.
    for _twice in 0..2 {
        let reply = caller.ok(RESTORE, &restore).await;
        assert_eq!(reply, json!({ "Action": "RestoreCompShareCustomImageResponse", "RetCode": 0 }));
        assert!(caller.ids(TRASH, &[]).await.is_empty());
        assert_eq!(caller.ids(LIST, &[]).await.len(), 2);
    }
    let mut after = caller.image(&id).await;
    after["UpdateTime"] = before["UpdateTime"].clone();
    assert_eq!(after, before);
    caller.ok(Action::GetCompShareCustomImageUrl, &[("CompShareImageId", &id)]).await;
}

#[tokio::test]
async fn all_images_are_restored_or_none() {
    let service = Service::start().await;
    let caller = service.caller();
    service.add_trashed(&["image-1", "image-2"]).await;
    let gone = "Resource not exist [image-none]";
    let params = [(ID, "image-1"), ("CompShareImageIds.1", "image-none")];
    caller.assert_refused(RESTORE, &params, 8039, gone).await;
    service.add_images(&[("live", NOW)]).await;
    caller.ok(Action::UpdateCompShareImage, &[("CompShareImageId", "live"), ("Name", "image-2")]).await;
    let params = [(ID, "image-1"), ("CompShareImageIds.1", "image-2")];
    let taken = "Params [Name] not available";
    caller.assert_refused(RESTORE, &params, 230, taken).await;
    let reply = caller.call(RESTORE, &params).await.json;
    assert_eq!((&reply["Reason"], &reply["Holder"]), (&json!("NameTaken"), &json!("live")), "{reply}");
    assert_eq!(caller.ids(TRASH, &[]).await, ["image-2", "image-1"]);

    let renamed = [(ID, "image-2"), ("Name", "another")];
    for _twice in 0..2 {
        caller.ok(RESTORE, &renamed).await;
    }
    assert_eq!(caller.image("image-2").await["Name"], "another");
    // It is restored already, under another name than this.
    let other = [(ID, "image-2"), ("Name", "third")];
    caller.assert_refused(RESTORE, &other, 8039, "Resource not exist [image-2]").await;
}

#[tokio::test]
async fn the_limit_of_images_applies() {
    let limits = LimitSettings { images: 2, ..LimitSettings::default() };
    let service = Service::with(Config { limits, ..Config::default() }).await;
    let caller = service.caller();
    service.add_trashed(&["image-1", "image-2"]).await;
    service.add_images(&[("live", NOW)]).await;
    let full = "The account has 2 images and asks for 1 more, but may have 2; delete some, or ask the operator for more";
    let both = [(ID, "image-1"), ("CompShareImageIds.1", "image-2")];
    caller.assert_refused(RESTORE, &both, 8095, full).await;
    caller.ok(RESTORE, &both[..1]).await;
    caller.assert_refused(RESTORE, &[(ID, "image-2")], 8095, full).await;
}

#[tokio::test]
async fn the_trash_of_another_account_looks_empty() {
    let service = Service::start().await;
    let (caller, (_, stranger)) = (service.caller(), service.stranger().await);
    service.add_trashed(&["image-1"]).await;
    for id in ["image-1", "image-none"] {
        let gone = format!("Resource not exist [{id}]");
        stranger.assert_refused(RESTORE, &[(ID, id)], 8039, &gone).await;
    }
    assert_eq!(caller.ids(TRASH, &[]).await, ["image-1"]);
}

#[tokio::test]
async fn refusals_follow_the_documented_order() {
    let service = Service::start().await;
    let caller = service.caller();
    caller.assert_refused(RESTORE, &[("Region", "moon")], 210, "Missing params [CompShareImageIds]").await;
    caller.assert_place_is_checked(RESTORE, &[(ID, "image-none")]).await;
    let several = [(ID, "image-1"), ("CompShareImageIds.1", "image-2"), ("Name", "one")];
    caller.assert_refused(RESTORE, &several, 230, "Params [Name] not available").await;
    let bad = [(ID, "image-1"), ("Name", "no name")];
    caller.assert_refused(RESTORE, &bad, 230, "Params [Name] not available").await;
    let names: Vec<_> = (0..101).map(|number| format!("CompShareImageIds.{number}")).collect();
    let ids: Vec<_> = (0..101).map(|number| format!("image-{number}")).collect();
    let many: Vec<_> = names.iter().zip(&ids).map(|(name, id)| (&**name, &**id)).collect();
    caller.assert_refused(RESTORE, &many, 230, "Params [CompShareImageIds] not available").await;
    let id = caller.create(INSTANCE, "env").await;
    caller.ok(Action::TerminateCompShareCustomImage, &[("CompShareImageId", &id)]).await;
    let never_made = format!("Image [{id}] is not available");
    caller.assert_refused(RESTORE, &[(ID, &id)], 8017, &never_made).await;
}
