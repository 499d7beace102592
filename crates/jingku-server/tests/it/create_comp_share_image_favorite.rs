use jingku_protocol::actions::Action;
use serde_json::json;

use crate::support::{NOW, Service};

const FAVOR: Action = Action::CreateCompShareImageFavorite;
const LIST: Action = Action::DescribeCommunityImages;

#[tokio::test]
async fn a_group_counts_one_favorite_per_account() {
    let service = Service::start().await;
    service.add_images(&[("image-1", NOW)]).await;
    let (caller, (_, stranger)) = (service.caller(), service.stranger().await);
    let group = caller.publish("image-1", &[]).await;
    let params = [("GroupId", &*group)];
    // A group in review cannot be marked, not even by its owner.
    let missing = format!("Resource not exist [{group}]");
    for caller in [&caller, &stranger] {
        caller.assert_refused(FAVOR, &params, 8039, &missing).await;
    }
    service.context.library.approve_image("image-1").await.unwrap();
    caller.image("image-1").await;
    for _ in 0..2 {
        stranger.ok(FAVOR, &params).await;
        // The owner's list, whose pages are cached, shows the count at once.
        assert_eq!(caller.image("image-1").await["FavoritesCount"], 1);
        let seen = &stranger.groups(LIST, &[]).await[0];
        assert_eq!((&seen["IsFavorite"], &seen["FavoritesCount"]), (&json!(true), &json!(1)));
        assert_eq!(caller.groups(LIST, &[]).await[0]["IsFavorite"], false);
    }
    caller.ok(FAVOR, &params).await;
    assert_eq!(caller.image("image-1").await["FavoritesCount"], 2);
}

#[tokio::test]
async fn refusals() {
    let service = Service::start().await;
    let caller = service.caller();
    caller.assert_refused(FAVOR, &[], 210, "Missing params [GroupId]").await;
    caller.assert_refused(FAVOR, &[("GroupId", "none")], 8039, "Resource not exist [none]").await;
    caller.assert_project_is_checked(FAVOR, &[("GroupId", "none")]).await;
}
