use jingku_protocol::actions::Action;
use serde_json::json;

use crate::support::{INSTANCE, NOW, Service};

const TERMINATE: Action = Action::TerminateCompShareCustomImage;

#[tokio::test]
async fn a_deleted_image_is_gone_and_its_name_is_free() {
    let service = Service::start().await;
    let caller = service.caller();
    service.add_images(&[("image-1", NOW), ("image-2", NOW)]).await;
    let params = [("CompShareImageId", "image-1")];
    let reply = caller.ok(TERMINATE, &params).await;
    assert_eq!(reply, json!({"Action": "TerminateCompShareCustomImageResponse", "RetCode": 0}));

    let list = caller.ok(Action::DescribeCompShareCustomImages, &[]).await;
    assert_eq!((&list["TotalCount"], &list["ImageSet"][0]["Name"]), (&json!(1), &json!("image-2")));
    assert!(caller.images(&params).await.is_empty());
    for action in [
        Action::GetCompShareImageCreateProgress,
        Action::UpdateCompShareImage,
        Action::ExportCompShareCustomImage,
    ] {
        caller.assert_refused(action, &params, 8039, "Resource not exist [image-1]").await;
    }
    caller.create(INSTANCE, "image-1").await;
}

/// For clients that lost the response.
#[tokio::test]
async fn deleting_again_succeeds_for_ten_minutes_for_the_owner_only() {
    let service = Service::start().await;
    let (caller, (_, stranger)) = (service.caller(), service.stranger().await);
    service.add_images(&[("image-1", NOW), ("image-2", NOW)]).await;
    let params = [("CompShareImageId", "image-1")];
    let gone = "Resource not exist [image-1]";
    stranger.assert_refused(TERMINATE, &params, 8039, gone).await;
    caller.ok(TERMINATE, &params).await;
    let before = caller.everything().await;
    // Also after a server restart, and after the trash is emptied.
    let again = service.reopen().await;
    for minutes in [0, 5, 9] {
        service.clock.set(NOW + minutes * 60);
        again.clock.set(NOW + minutes * 60);
        for caller in [&caller, &again.caller()] {
            let reply = caller.ok(TERMINATE, &params).await;
            assert_eq!(reply, json!({"Action": "TerminateCompShareCustomImageResponse", "RetCode": 0}));
        }
        stranger.assert_refused(TERMINATE, &params, 8039, gone).await;
        service.context.library.empty_trash(jingku_library::EmptyTrash::default()).await.unwrap();
    }
    assert_eq!(caller.everything().await, before);
    service.clock.set(NOW + 10 * 60);
    caller.assert_refused(TERMINATE, &params, 8039, gone).await;
}

#[tokio::test]
async fn an_image_being_made_can_be_deleted() {
    let service = Service::start().await;
    let caller = service.caller();
    let first = caller.create(INSTANCE, "env").await;
    caller.ok(TERMINATE, &[("CompShareImageId", &first)]).await;
    let second = service.make(INSTANCE, "env").await;
    let images = caller.images(&[]).await;
    assert_eq!(images.len(), 1);
    assert_eq!((&images[0]["CompShareImageId"], &images[0]["Status"]), (&json!(second), &json!("Available")));
}

#[tokio::test]
async fn refusals_follow_the_documented_order() {
    let service = Service::start().await;
    let caller = service.caller();
    service.add_images(&[("image-1", NOW)]).await;
    caller.assert_refused(TERMINATE, &[("Region", "moon")], 210, "Missing params [CompShareImageId]").await;
    caller.assert_place_is_checked(TERMINATE, &[("CompShareImageId", "image-none")]).await;
    let unknown = [("CompShareImageId", "image-none")];
    caller.assert_refused(TERMINATE, &unknown, 8039, "Resource not exist [image-none]").await;
}

#[tokio::test]
async fn strict_mode_requires_region_and_zone() {
    let service = Service::strict().await;
    service.add_images(&[("image-1", NOW)]).await;
    let place = [("Region", "cn-wlcb"), ("Zone", "cn-wlcb-01")];
    service.caller().assert_required(TERMINATE, &[("CompShareImageId", "image-1")], &place).await;
}

#[tokio::test]
async fn a_public_or_submitted_image_must_be_withdrawn_before_deletion() {
    let service = Service::start().await;
    service.add_images(&[("image-1", 1)]).await;
    let caller = service.caller();
    let id = [("CompShareImageId", "image-1")];
    let terminate = Action::TerminateCompShareCustomImage;
    let group = caller.publish("image-1", &[]).await;
    let out = "Params [CompShareImageId] not available";
    caller.assert_refused(terminate, &id, 230, out).await;
    service.context.library.approve_image("image-1").await.unwrap();
    caller.assert_refused(terminate, &id, 230, out).await;
    caller.ok(Action::UpdateCompShareImage, &[id[0], ("Visibility", "0")]).await;
    caller.ok(terminate, &id).await;
    let own = Action::DescribeSelfCommunityImages;
    assert_eq!(caller.group_names(own, &[("GroupId", &group)]).await, Vec::<String>::new());
}
