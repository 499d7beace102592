use jingku_protocol::actions::Action;
use serde_json::{Value, json};

use crate::support::{Caller, INSTANCE, NOW, Service};

const PURGE: Action = Action::PurgeCompShareTrashedImages;
const TRASH: Action = Action::DescribeCompShareTrashedImages;
const ID: &str = "CompShareImageIds.0";

/// How many images were purged, and how many remain.
async fn purge(caller: &Caller, params: &[(&str, &str)]) -> [Value; 2] {
    let reply = caller.ok(PURGE, params).await;
    ["PurgedCount", "RemainingCount"].map(|name| reply[name].clone())
}

#[tokio::test]
async fn images_are_purged_by_name_and_for_good() {
    let service = Service::start().await;
    let (caller, (_, stranger)) = (service.caller(), service.stranger().await);
    service.add_trashed(&["image-1", "image-2", "image-3"]).await;
    service.add_images(&[("live", NOW)]).await;
    let two = [(ID, "image-1"), ("CompShareImageIds.1", "image-3")];
    assert_eq!(purge(&caller, &two).await, [json!(2), json!(1)]);
    assert_eq!(caller.ids(TRASH, &[]).await, ["image-2"]);
    let gone = "Resource not exist [image-1]";
    let restore = Action::RestoreCompShareCustomImage;
    caller.assert_refused(restore, &[(ID, "image-1")], 8039, gone).await;
    // A client that lost the response repeats the call, also at another server, for ten minutes.
    let again = service.reopen().await;
    let now = NOW + 3 * 60;
    again.clock.set(now + 599);
    assert_eq!(purge(&again.caller(), &two).await, [json!(0), json!(1)]);
    stranger.assert_refused(PURGE, &two, 8039, gone).await;
    again.clock.set(now + 600);
    again.caller().assert_refused(PURGE, &two, 8039, gone).await;
    assert_eq!(caller.ids(Action::DescribeCompShareCustomImages, &[]).await, ["live"]);
}

#[tokio::test]
async fn all_named_images_are_purged_or_none() {
    let service = Service::start().await;
    let (caller, (_, stranger)) = (service.caller(), service.stranger().await);
    service.add_trashed(&["image-1"]).await;
    service.add_images(&[("live", NOW)]).await;
    for other in ["live", "image-none"] {
        let params = [(ID, "image-1"), ("CompShareImageIds.1", other)];
        let gone = format!("Resource not exist [{other}]");
        caller.assert_refused(PURGE, &params, 8039, &gone).await;
    }
    for id in ["image-1", "live", "image-none"] {
        let gone = format!("Resource not exist [{id}]");
        stranger.assert_refused(PURGE, &[(ID, id)], 8039, &gone).await;
    }
    assert_eq!(purge(&stranger, &[("All", "true")]).await, [json!(0), json!(0)]);
    assert_eq!(caller.ids(TRASH, &[]).await, ["image-1"]);
}

#[tokio::test]
async fn the_whole_trash_is_purged_and_its_space_is_free() {
    let service = Service::start().await;
    let caller = service.caller();
    let id = service.make(INSTANCE, "env").await;
    caller.ok(Action::TerminateCompShareCustomImage, &[("CompShareImageId", &id)]).await;
    service.add_trashed(&["image-1", "image-2"]).await;
    assert!(!service.stored("chunks").is_empty());
    assert_eq!(purge(&caller, &[("All", "true")]).await, [json!(3), json!(0)]);
    assert_eq!(purge(&caller, &[("All", "true")]).await, [json!(0), json!(0)]);
    service.context.library.sweep(false, |_, _| true).await.unwrap();
    assert!(service.stored("chunks").is_empty());
}

#[tokio::test]
async fn refusals_follow_the_documented_order() {
    let service = Service::start().await;
    let caller = service.caller();
    service.add_trashed(&["image-1"]).await;
    for params in [&[("Region", "moon")][..], &[("All", "false")]] {
        caller.assert_refused(PURGE, params, 210, "Missing params [CompShareImageIds|All]").await;
    }
    caller.assert_place_is_checked(PURGE, &[("All", "true")]).await;
    let both = [(ID, "image-1"), ("All", "true")];
    caller.assert_refused(PURGE, &both, 230, "Params [All] not available").await;
    caller.assert_refused(PURGE, &[("All", "perhaps")], 230, "Params [All] not available").await;
    assert_eq!(caller.ids(TRASH, &[]).await, ["image-1"]);
}
