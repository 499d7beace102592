use jingku_protocol::actions::Action;

use crate::support::{NOW, Service};

const LIST: Action = Action::DescribeUserCommunityImages;
const FIRST: (&str, &str) = ("TargetTopOrganizationId", "1");

#[tokio::test]
async fn only_public_groups_of_the_user_are_listed() {
    let service = Service::start().await;
    service.add_images(&[("image-1", NOW), ("image-2", NOW)]).await;
    let (account, stranger) = service.stranger().await;
    let caller = service.caller();
    let group = caller.publish("image-1", &[]).await;
    caller.publish("image-2", &[]).await;
    assert_eq!(stranger.group_names(LIST, &[FIRST]).await, Vec::<String>::new());
    service.context.library.approve_image("image-1").await.unwrap();
    assert_eq!(stranger.group_names(LIST, &[FIRST]).await, ["image-1"]);
    // The account itself sees no more in this list than others do.
    assert_eq!(caller.group_names(LIST, &[FIRST]).await, ["image-1"]);
    assert_eq!(stranger.group_names(LIST, &[FIRST, ("GroupId", &group)]).await, ["image-1"]);
    for other in [account.to_string(), "0".to_owned(), "99".to_owned(), "-1".to_owned()] {
        assert_eq!(
            stranger.group_names(LIST, &[("TargetTopOrganizationId", &other)]).await,
            Vec::<String>::new(),
            "{other}"
        );
    }
}

#[tokio::test]
async fn refusals() {
    let service = Service::start().await;
    let caller = service.caller();
    caller.assert_refused(LIST, &[], 210, "Missing params [TargetTopOrganizationId]").await;
    let bad = "Params [TargetTopOrganizationId] not available";
    caller.assert_refused(LIST, &[("TargetTopOrganizationId", "x")], 230, bad).await;
    caller.assert_refused(LIST, &[FIRST, ("Limit", "101")], 230, "Params [Limit] not available").await;
    caller.assert_refused(LIST, &[FIRST, ("CompShareImageId", "x")], 8039, "Resource not exist [x]").await;
    caller.assert_place_is_checked(LIST, &[FIRST]).await;
}

#[tokio::test]
async fn strict_mode_requires_region_and_zone() {
    let service = Service::strict().await;
    service.caller().assert_required(LIST, &[FIRST], &[("Region", "cn-wlcb"), ("Zone", "cn-wlcb-01")]).await;
}
