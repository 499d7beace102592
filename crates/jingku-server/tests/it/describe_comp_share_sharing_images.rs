use jingku_protocol::actions::Action;
use serde_json::json;

use crate::support::{NOW, Service};

const LIST: Action = Action::DescribeCompShareSharingImages;

#[tokio::test]
async fn a_shared_image_is_shown_with_its_owner() {
    let service = Service::start().await;
    let (owner, (theirs, receiver)) = (service.caller(), service.stranger().await);
    service.add_images(&[("image-1", NOW), ("image-2", NOW + 1)]).await;
    let expected = json!({"Action": "DescribeCompShareSharingImagesResponse", "RetCode": 0, "TotalCount": 0,
                          "ImageSet": [], "NextToken": ""});
    assert_eq!(receiver.ok(LIST, &[]).await, expected);
    let readme = [("CompShareImageId", "image-1"), ("Readme", "# Read"), ("Description", "shared")];
    owner.ok(Action::UpdateCompShareImage, &readme).await;
    owner.share("image-1", &[theirs]).await;
    let reply = receiver.ok(LIST, &[]).await;
    assert_eq!(reply["TotalCount"], 1);
    let row = &reply["ImageSet"][0];
    assert_eq!((&row["CompShareImageId"], &row["Description"]), (&json!("image-1"), &json!("shared")));
    assert_eq!(row["Owner"], json!({"AccountName": "default", "AccountId": "1"}));
    assert_eq!((&row["ImageType"], &row["IsOfficial"]), (&json!("Custom"), &json!(false)));
    assert!(row.get("Readme").is_none());
    let by_id = receiver.ok(LIST, &[("CompShareImageId", "image-1")]).await;
    assert_eq!((&by_id["TotalCount"], &by_id["ImageSet"][0]["Readme"]), (&json!(1), &json!("# Read")));

    // It is only in this list of the receiver.
    assert!(owner.ids(LIST, &[]).await.is_empty());
    assert!(receiver.images(&[]).await.is_empty());
    // A change by the owner is visible at once.
    owner.ok(Action::UpdateCompShareImage, &[("CompShareImageId", "image-1"), ("Name", "renamed")]).await;
    assert_eq!(receiver.ok(LIST, &[]).await["ImageSet"][0]["Name"], "renamed");
}

#[tokio::test]
async fn an_id_that_is_not_shared_returns_an_empty_list() {
    let service = Service::start().await;
    let (owner, (theirs, receiver)) = (service.caller(), service.stranger().await);
    service.add_images(&[("image-1", NOW), ("image-2", NOW)]).await;
    owner.share("image-1", &[theirs]).await;
    for id in ["image-2", "image-none"] {
        let reply = receiver.ok(LIST, &[("CompShareImageId", id)]).await;
        assert_eq!((&reply["TotalCount"], &reply["ImageSet"]), (&json!(0), &json!([])), "{id}");
    }
}

#[tokio::test]
async fn pages_are_newest_first_and_tokens_return_each_image_once() {
    let service = Service::start().await;
    let (owner, (theirs, receiver)) = (service.caller(), service.stranger().await);
    let images = [("image-1", NOW), ("image-2", NOW + 2), ("image-3", NOW + 2), ("image-4", NOW + 1)];
    service.add_images(&images).await;
    for id in ["image-1", "image-2", "image-3"] {
        owner.share(id, &[theirs]).await;
    }
    let order = ["image-3", "image-2", "image-1"];
    assert_eq!(receiver.ids(LIST, &[]).await, order);
    assert_eq!(receiver.ids(LIST, &[("Limit", "2"), ("Offset", "1")]).await, order[1..]);
    assert!(receiver.ids(LIST, &[("Offset", "3")]).await.is_empty());
    let (mut seen, mut token) = (Vec::new(), String::new());
    loop {
        let reply = receiver.ok(LIST, &[("Limit", "1"), ("NextToken", &token)]).await;
        assert_eq!(reply["TotalCount"], 3);
        seen.push(reply["ImageSet"][0]["CompShareImageId"].clone());
        reply["NextToken"].as_str().unwrap().clone_into(&mut token);
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(seen, order);
    for (name, bad) in [("Limit", "101"), ("Limit", "-1"), ("Offset", "x"), ("NextToken", "x")] {
        receiver.assert_refused(LIST, &[(name, bad)], 230, &format!("Params [{name}] not available")).await;
    }
}

#[tokio::test]
async fn region_and_zone_filter_the_list() {
    let service = Service::start().await;
    let (owner, (theirs, receiver)) = (service.caller(), service.stranger().await);
    service.add_images(&[("image-1", NOW)]).await;
    owner.share("image-1", &[theirs]).await;
    for (zone, total) in [("cn-wlcb-01", 1), ("cn-sh2-02", 0)] {
        assert_eq!(receiver.ok(LIST, &[("Zone", zone)]).await["TotalCount"], total);
        let by_id = [("Zone", zone), ("CompShareImageId", "image-1")];
        assert_eq!(receiver.ok(LIST, &by_id).await["TotalCount"], total);
    }
    receiver.assert_place_is_checked(LIST, &[]).await;
}

#[tokio::test]
async fn strict_mode_requires_a_region() {
    Service::strict().await.caller().assert_required(LIST, &[], &[("Region", "cn-wlcb")]).await;
}

/// Another server changes what the pages in memory of this one show.
#[tokio::test]
async fn nothing_is_shown_after_another_server_has_changed_it() {
    let service = Service::start().await;
    let (theirs, receiver) = service.stranger().await;
    let images: Vec<String> = (0..30).map(|number| format!("image-{number:02}")).collect();
    service.add_images(&images.iter().map(|id| (&**id, NOW)).collect::<Vec<_>>()).await;
    let elsewhere = service.reopen().await.caller();
    for id in &images {
        elsewhere.share(id, &[theirs]).await;
    }
    let deep = [("Offset", "25"), ("Limit", "4")];
    let order = |numbers: std::ops::Range<usize>| {
        numbers.rev().map(|number| format!("image-{number:02}")).collect::<Vec<_>>()
    };
    assert_eq!(receiver.ids(LIST, &deep).await, order(1..5));
    elsewhere.unshare("image-29", &[theirs]).await;
    assert_eq!(receiver.ids(LIST, &deep).await, order(0..4));
    elsewhere.ok(Action::TerminateCompShareCustomImage, &[("CompShareImageId", "image-28")]).await;
    let reply = receiver.ok(LIST, &deep).await;
    assert_eq!((&reply["TotalCount"], reply["ImageSet"].as_array().unwrap().len()), (&json!(28), 3));
    let name = [("CompShareImageId", "image-01"), ("Name", "renamed")];
    elsewhere.ok(Action::UpdateCompShareImage, &name).await;
    assert_eq!(receiver.ok(LIST, &deep).await["ImageSet"][1]["Name"], "renamed");
}
