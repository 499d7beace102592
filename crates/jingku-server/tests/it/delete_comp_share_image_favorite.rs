use jingku_protocol::actions::Action;

use crate::support::{NOW, Service};

const UNFAVOR: Action = Action::DeleteCompShareImageFavorite;

#[tokio::test]
async fn removing_a_favorite_is_idempotent() {
    let service = Service::approving().await;
    service.add_images(&[("image-1", NOW)]).await;
    let (caller, (_, stranger)) = (service.caller(), service.stranger().await);
    let group = caller.publish("image-1", &[]).await;
    let params = [("GroupId", &*group)];
    for caller in [&caller, &stranger] {
        caller.ok(Action::CreateCompShareImageFavorite, &params).await;
    }
    for _ in 0..2 {
        stranger.ok(UNFAVOR, &params).await;
        assert_eq!(caller.image("image-1").await["FavoritesCount"], 1);
    }
    // After the group is withdrawn, only an account that marked it can unmark it, and only once.
    caller.ok(Action::UpdateCompShareImage, &[("CompShareImageId", "image-1"), ("Visibility", "0")]).await;
    let missing = format!("Resource not exist [{group}]");
    stranger.assert_refused(UNFAVOR, &params, 8039, &missing).await;
    caller.ok(UNFAVOR, &params).await;
    caller.assert_refused(UNFAVOR, &params, 8039, &missing).await;
    assert_eq!(caller.image("image-1").await["FavoritesCount"], 0);
}

#[tokio::test]
async fn refusals() {
    let service = Service::start().await;
    let caller = service.caller();
    caller.assert_refused(UNFAVOR, &[], 210, "Missing params [GroupId]").await;
    caller.assert_refused(UNFAVOR, &[("GroupId", "none")], 8039, "Resource not exist [none]").await;
    caller.assert_project_is_checked(UNFAVOR, &[("GroupId", "none")]).await;
}
