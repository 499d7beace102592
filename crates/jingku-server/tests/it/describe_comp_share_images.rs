use jingku_library::PlatformType;
use jingku_protocol::actions::Action;
use serde_json::{Value, json};

use crate::support::{NOW, Service};

const LIST: Action = Action::DescribeCompShareImages;

/// A server with three images of type System, two of App and one of Other, and their ids, oldest first.
async fn with_platform_images() -> (Service, Vec<String>) {
    let service = Service::start().await;
    let images = ["ubuntu", "Debian", "rocky", "ComfyUI", "jupyter", "misc"];
    service.add_images(&images.map(|name| (name, NOW))).await;
    let tags = [("CompShareImageId", "ComfyUI"), ("Tags.0", "cv"), ("Tags.1", "ai"), ("Readme", "# Read")];
    service.caller().ok(Action::UpdateCompShareImage, &tags).await;
    let types = [
        PlatformType::System,
        PlatformType::System,
        PlatformType::System,
        PlatformType::App,
        PlatformType::App,
        PlatformType::Other,
    ];
    let mut ids = Vec::new();
    for (number, (name, platform_type)) in (1..).zip(images.into_iter().zip(types)) {
        service.clock.set(NOW + number);
        ids.push(service.promote(name, platform_type).await);
    }
    (service, ids)
}

fn names(reply: &Value) -> Vec<&str> {
    reply["ImageSet"].as_array().unwrap().iter().map(|image| image["Name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn every_account_sees_platform_images_as_official() {
    let (service, ids) = with_platform_images().await;
    let (_, stranger) = service.stranger().await;
    let reply = stranger.ok(LIST, &[("ImageType", "App")]).await;
    assert_eq!((names(&reply), &reply["TotalCount"]), (vec!["jupyter", "ComfyUI"], &json!(2)));
    let row = &reply["ImageSet"][1];
    for (field, value) in [
        ("CompShareImageId", json!(ids[3])),
        ("ImageType", json!("App")),
        ("ImageOwnerAlias", json!("Official")),
        ("Author", json!("Official")),
        ("IsOfficial", json!(true)),
        ("AuthInfo", json!(1)),
        ("Owner", json!({"AccountName": "Official", "AccountId": "0"})),
        ("Status", json!("Available")),
        ("Tags", json!(["cv", "ai"])),
    ] {
        assert_eq!(row[field], value, "{field}");
    }
    assert_eq!(service.caller().ok(LIST, &[("ImageType", "App")]).await, reply);
    // They are not in the lists of own and shared images.
    assert_eq!(service.caller().images(&[]).await.len(), 6);
    assert!(stranger.images(&[("CompShareImageId", &ids[3])]).await.is_empty());
    assert!(stranger.ids(Action::DescribeCompShareSharingImages, &[]).await.is_empty());
}

#[tokio::test]
async fn without_a_type_each_page_has_rows_of_every_type() {
    let (service, _) = with_platform_images().await;
    let caller = service.caller();
    for (limit, offset, expected) in [
        ("", "", vec!["rocky", "Debian", "ubuntu", "jupyter", "ComfyUI", "misc"]),
        ("1", "0", vec!["rocky", "jupyter", "misc"]),
        ("1", "1", vec!["Debian", "ComfyUI"]),
        ("2", "2", vec!["ubuntu"]),
        ("20", "3", vec![]),
    ] {
        let reply = caller.ok(LIST, &[("Limit", limit), ("Offset", offset)]).await;
        assert_eq!(names(&reply), expected, "{limit} {offset}");
        assert_eq!((&reply["TotalCount"], &reply["NextToken"]), (&json!(6), &json!("")));
    }
}

#[tokio::test]
async fn a_single_type_supports_paging() {
    let (service, _) = with_platform_images().await;
    let caller = service.caller();
    let system = ("ImageType", "System");
    let first = caller.ok(LIST, &[system, ("Limit", "2")]).await;
    assert_eq!((names(&first), &first["TotalCount"]), (vec!["rocky", "Debian"], &json!(3)));
    let token = first["NextToken"].as_str().unwrap();
    let rest = caller.ok(LIST, &[system, ("NextToken", token)]).await;
    assert_eq!((names(&rest), &rest["NextToken"]), (vec!["ubuntu"], &json!("")));
    assert_eq!(names(&caller.ok(LIST, &[system, ("Offset", "2")]).await), ["ubuntu"]);
    assert!(names(&caller.ok(LIST, &[("ImageType", "Game")]).await).is_empty());
    let message = "Params [NextToken] not available";
    caller.assert_refused(LIST, &[("NextToken", token)], 230, message).await;
}

#[tokio::test]
async fn filters_narrow_the_list() {
    let (service, _) = with_platform_images().await;
    let caller = service.caller();
    for (name, value, expected) in [
        ("Name", "U", vec!["ubuntu", "jupyter", "ComfyUI"]),
        ("Name", "debian", vec!["Debian"]),
        ("Name", "nothing", vec![]),
        ("Tag", "cv", vec!["ComfyUI"]),
        ("Tag", "['cv', 'ai']", vec!["ComfyUI"]),
        ("Tag", "['cv', 'other']", vec![]),
        ("Author", "Official", vec!["rocky", "Debian", "ubuntu", "jupyter", "ComfyUI", "misc"]),
        ("Author", "default", vec![]),
        ("Zone", "cn-sh2-02", vec![]),
    ] {
        let reply = caller.ok(LIST, &[(name, value)]).await;
        assert_eq!(
            (names(&reply), &reply["TotalCount"]),
            (expected.clone(), &json!(expected.len())),
            "{value}"
        );
    }
}

#[tokio::test]
async fn an_image_is_found_by_id_without_its_readme() {
    let (service, ids) = with_platform_images().await;
    let caller = service.caller();
    for params in [vec![], vec![("ImageType", "App")]] {
        let reply = caller.ok(LIST, &[&[("CompShareImageId", &*ids[3])], &params[..]].concat()).await;
        assert_eq!((names(&reply), &reply["TotalCount"]), (vec!["ComfyUI"], &json!(1)));
        assert!(reply["ImageSet"][0].get("Readme").is_none());
    }
    let not_available = "Params [CompShareImageId] not available";
    // An unknown id, the image it was copied from, and the right id with another type.
    for id in ["image-none", "ComfyUI"] {
        caller.assert_refused(LIST, &[("CompShareImageId", id)], 230, not_available).await;
    }
    let other = [("CompShareImageId", &*ids[3]), ("ImageType", "System")];
    caller.assert_refused(LIST, &other, 230, not_available).await;
    service.context.library.demote_image(&ids[3]).await.unwrap();
    caller.assert_refused(LIST, &[("CompShareImageId", &ids[3])], 230, not_available).await;
    assert_eq!(names(&caller.ok(LIST, &[("ImageType", "App")]).await), ["jupyter"]);
}

#[tokio::test]
async fn refusals_follow_the_documented_order() {
    let service = Service::start().await;
    let caller = service.caller();
    for (name, bad) in [
        ("ImageType", "Custom"),
        ("ImageType", "system"),
        ("Limit", "101"),
        ("Offset", "-1"),
        ("NextToken", "x"),
    ] {
        caller.assert_refused(LIST, &[(name, bad)], 230, &format!("Params [{name}] not available")).await;
    }
    caller.assert_place_is_checked(LIST, &[]).await;
    let unknown = [("CompShareImageId", "image-none")];
    caller.assert_refused(LIST, &unknown, 230, "Params [CompShareImageId] not available").await;
}

#[tokio::test]
async fn accounts_cannot_change_platform_images() {
    let (service, ids) = with_platform_images().await;
    let caller = service.caller();
    let message = format!("Resource not exist [{}]", ids[0]);
    for action in [
        Action::TerminateCompShareCustomImage,
        Action::UpdateCompShareImage,
        Action::CopyCompShareCustomImage,
        Action::ModifyCompShareImageShareAccount,
    ] {
        let params = [("CompShareImageId", &*ids[0]), ("AddAccounts.0", "2")];
        caller.assert_refused(action, &params, 8039, &message).await;
    }
    assert_eq!(caller.ok(LIST, &[]).await["TotalCount"], 6);
}

#[tokio::test]
async fn strict_mode_requires_region_and_zone() {
    let place = [("Region", "cn-wlcb"), ("Zone", "cn-wlcb-01")];
    Service::strict().await.caller().assert_required(LIST, &[], &place).await;
}
