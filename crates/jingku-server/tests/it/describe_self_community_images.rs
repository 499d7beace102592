use jingku_protocol::actions::Action;
use serde_json::json;

use crate::support::{NOW, Service};

const LIST: Action = Action::DescribeSelfCommunityImages;

#[tokio::test]
async fn only_own_groups_are_listed_in_every_state() {
    let service = Service::start().await;
    service.add_images(&[("image-1", NOW), ("image-2", NOW), ("image-3", NOW), ("image-4", NOW)]).await;
    let caller = service.caller();
    for (number, id) in ["image-1", "image-2", "image-3"].into_iter().enumerate() {
        service.clock.set(NOW + i64::try_from(number).unwrap());
        caller.publish(id, &[]).await;
    }
    service.context.library.approve_image("image-1").await.unwrap();
    service.context.library.refuse_image("image-2", "No.").await.unwrap();
    let mut states: Vec<_> = caller
        .groups(LIST, &[])
        .await
        .into_iter()
        .map(|group| {
            (group["ImageName"].clone(), group["Status"].clone(), group["Data"][0]["Status"].clone())
        })
        .collect();
    states.sort_by_key(|(name, ..)| name.to_string());
    let expected = [
        (json!("image-1"), json!("Available"), json!("Available")),
        (json!("image-2"), json!("UnAvailable"), json!("Offline")),
        (json!("image-3"), json!("UnAvailable"), json!("Reviewing")),
    ];
    assert_eq!(states, expected);
    let asked = caller.groups(LIST, &[("CompShareImageId", "image-3")]).await;
    assert_eq!(asked[0]["Data"][0]["CompShareImageId"], "image-3");

    let (_, stranger) = service.stranger().await;
    assert_eq!(stranger.group_names(LIST, &[]).await, Vec::<String>::new());
    let gone = "Resource not exist [image-1]";
    stranger.assert_refused(LIST, &[("CompShareImageId", "image-1")], 8039, gone).await;
    // An image that was never submitted is in no group.
    let none = "Resource not exist [image-4]";
    caller.assert_refused(LIST, &[("CompShareImageId", "image-4")], 8039, none).await;
    caller.assert_refused(LIST, &[("Limit", "101")], 230, "Params [Limit] not available").await;
    caller.assert_place_is_checked(LIST, &[]).await;
}

#[tokio::test]
async fn strict_mode_requires_region_and_zone() {
    let service = Service::strict().await;
    service.caller().assert_required(LIST, &[], &[("Region", "cn-wlcb"), ("Zone", "cn-wlcb-01")]).await;
}
