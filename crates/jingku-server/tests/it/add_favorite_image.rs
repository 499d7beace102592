use jingku_protocol::actions::Action;

use crate::support::{NOW, Service};

const CALL: Action = Action::AddFavoriteImage;

#[tokio::test]
async fn an_image_id_selects_its_group() {
    let service = Service::start().await;
    service.add_images(&[("image-1", NOW), ("image-2", NOW)]).await;
    let (caller, (_, stranger)) = (service.caller(), service.stranger().await);
    let group = caller.publish("image-1", &[]).await;
    caller.publish("image-2", &[("GroupId", &group)]).await;
    service.context.library.approve_image("image-1").await.unwrap();
    caller.ok(Action::CreateCompShareImageFavorite, &[("GroupId", &group)]).await;
    for _ in 0..2 {
        caller.ok(CALL, &[("CompShareImageId", "image-1")]).await;
        assert_eq!(caller.image("image-2").await["FavoritesCount"], 1);
    }
    // A version in review cannot be marked, not even by its owner.
    for caller in [&caller, &stranger] {
        let waiting = "Resource not exist [image-2]";
        caller.assert_refused(CALL, &[("CompShareImageId", "image-2")], 8039, waiting).await;
    }
}

#[tokio::test]
async fn refusals() {
    let service = Service::start().await;
    let caller = service.caller();
    caller.assert_refused(CALL, &[], 210, "Missing params [CompShareImageId]").await;
    let unknown = [("CompShareImageId", "none")];
    caller.assert_refused(CALL, &unknown, 8039, "Resource not exist [none]").await;
    caller.assert_project_is_checked(CALL, &unknown).await;
}
