use jingku_protocol::actions::Action;

use crate::support::Service;

const CALL: Action = Action::AddFavoriteImage;

#[tokio::test]
async fn an_image_id_selects_its_group() {
    let service = Service::start().await;
    service.add_favorite_with_review().await;
    let (caller, (_, stranger)) = (service.caller(), service.stranger().await);
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
    service.caller().assert_image_is_required(CALL).await;
}
