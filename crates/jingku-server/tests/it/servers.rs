//! Two servers on one catalogue: what one changes, the other shows with its next request, although both cache.

use jingku_catalog::testing::postgres_database;
use jingku_protocol::actions::Action;

use crate::support::{Caller, INSTANCE, NOW, Service};

const LIST: Action = Action::DescribeCompShareCustomImages;

/// A service on each engine.
async fn services() -> Vec<Service> {
    let mut services = vec![Service::start_on_file().await];
    if let Some(url) = postgres_database().await {
        services.push(Service::start_on_database(url).await);
    }
    services
}

/// The same key, sent to another server.
fn at(server: &Service, caller: &Caller) -> Caller {
    caller.at(jingku_server::router(server.context.clone()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_key_is_refused_everywhere() {
    for one in services().await {
        let two = one.reopen().await;
        let (_, caller) = one.stranger().await;
        let elsewhere = at(&two, &caller);
        for _ in 0..3 {
            caller.ok(LIST, &[]).await;
            elsewhere.ok(LIST, &[]).await;
        }
        one.context.library.revoke_key(&caller.public_key).await.unwrap();
        assert_eq!(elsewhere.refusal(LIST, &[]).await.0, 172);
        assert_eq!(caller.refusal(LIST, &[]).await.0, 172);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_share_taken_back_is_gone_everywhere() {
    let shared = Action::DescribeCompShareSharingImages;
    for one in services().await {
        let two = one.reopen().await;
        let (owner, (theirs, receiver)) = (one.caller(), one.stranger().await);
        let id = one.make(INSTANCE, "env").await;
        let elsewhere = at(&two, &receiver);
        for _ in 0..5 {
            owner.share(&id, &[theirs]).await;
            assert_eq!(elsewhere.ids(shared, &[]).await, [&*id]);
            let export = [("CompShareImageId", &*id)];
            let readable = elsewhere.call(Action::GetCompShareCustomImageUrl, &export).await;
            owner.unshare(&id, &[theirs]).await;
            assert_eq!(elsewhere.ids(shared, &[]).await, [""; 0]);
            let refused = elsewhere.refusal(Action::GetCompShareCustomImageUrl, &export).await;
            assert_eq!((readable.json["RetCode"].as_i64(), refused.0), (Some(0), 8039));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_image_is_gone_everywhere_and_a_new_one_is_there() {
    for one in services().await {
        let two = one.reopen().await;
        let (caller, elsewhere) = (one.caller(), two.caller());
        let base = one.make(INSTANCE, "base").await;
        for number in 0..10 {
            let name = format!("copy-{number}");
            let copy = [("CompShareImageId", &*base), ("TargetImageName", &name)];
            let reply = caller.ok(Action::CopyCompShareCustomImage, &copy).await;
            let id = reply["NewCompShareImageId"].as_str().unwrap();
            // Twice: the second page comes from memory.
            for _ in 0..2 {
                assert_eq!(elsewhere.ids(LIST, &[]).await, [id, &base]);
            }
            elsewhere.ok(Action::TerminateCompShareCustomImage, &[("CompShareImageId", id)]).await;
            assert_eq!(caller.ids(LIST, &[]).await, [&*base]);
            assert_eq!(elsewhere.ids(LIST, &[]).await, [&*base]);
            let progress = [("CompShareImageId", id)];
            assert_eq!(caller.refusal(Action::GetCompShareImageCreateProgress, &progress).await.0, 8039);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_of_favourites_shows_no_change_late() {
    for one in services().await {
        let two = one.reopen().await;
        one.add_images(&[("image-1", NOW), ("image-2", NOW)]).await;
        for id in ["image-1", "image-2"] {
            one.make_public(id).await;
        }
        let (_, fan) = one.stranger().await;
        let elsewhere = at(&two, &fan);
        let favor = async |id: &str| {
            fan.ok(Action::AddFavoriteImage, &[("CompShareImageId", id)]).await;
        };
        let check = async |ids: &[&str]| {
            // Twice: the second page comes from memory.
            for _ in 0..2 {
                assert_eq!(elsewhere.ids(Action::DescribeFavoriteImages, &[]).await, ids);
            }
        };
        favor("image-1").await;
        check(&["image-1"]).await;
        favor("image-2").await;
        check(&["image-2", "image-1"]).await;
        fan.ok(Action::RemoveFavoriteImage, &[("CompShareImageId", "image-1")]).await;
        check(&["image-2"]).await;
        favor("image-1").await;
        let unpublish = [("CompShareImageId", "image-2"), ("Visibility", "0")];
        one.caller().ok(Action::UpdateCompShareImage, &unpublish).await;
        check(&["image-1"]).await;
    }
}
