use jingku_protocol::actions::Action;
use serde_json::{Value, json};

use crate::support::{Caller, INSTANCE, NOW, Service};

const UPDATE: Action = Action::UpdateCompShareImage;
const ID: (&str, &str) = ("CompShareImageId", "image-1");

/// A server with image-1 and image-2, a minute after they were made.
async fn with_images() -> (Service, Caller) {
    let service = Service::start().await;
    service.add_images(&[("image-1", NOW), ("image-2", NOW)]).await;
    service.clock.set(NOW + 60);
    let caller = service.caller();
    (service, caller)
}

async fn update(caller: &Caller, params: &[(&str, &str)]) -> Value {
    caller.ok(UPDATE, &[&[ID], params].concat()).await;
    caller.image(ID.1).await
}

#[tokio::test]
async fn only_the_given_fields_change() {
    let (_service, caller) = with_images().await;
    for (params, changed) in [
        (vec![("Name", "训练_v2")], json!({"Name": "训练_v2"})),
        (vec![("Description", "torch & 镜库")], json!({"Description": "torch & 镜库"})),
        (vec![("Readme", "# Use")], json!({"Readme": "# Use"})),
        (vec![("Tags.0", "a"), ("Tags.4", "b"), ("Tags.10", "c")], json!({"Tags": ["a", "b", "c"]})),
        (vec![("Price", "0.25")], json!({"Price": 0.25, "ImageCharge": true})),
        (vec![("Price", "0")], json!({"Price": 0.0, "ImageCharge": false})),
        (vec![("SupportedGpuTypes.0", "4090")], json!({"SupportedGpuTypes": ["4090"]})),
        (vec![("AutoStart", "True")], json!({"AutoStart": true})),
        (vec![("AutoStart", "0")], json!({"AutoStart": false})),
        (
            vec![("VersionName", "v1.0"), ("VersionDesc", "new")],
            json!({"VersionName": "v1.0", "VersionDesc": "new"}),
        ),
    ] {
        let mut expected = caller.image(ID.1).await;
        expected["UpdateTime"] = json!(NOW + 60);
        expected.as_object_mut().unwrap().extend(changed.as_object().unwrap().clone());
        assert_eq!(update(&caller, &params).await, expected, "{params:?}");
        // A repeated call changes nothing.
        assert_eq!(update(&caller, &params).await, expected, "{params:?}");
    }
    assert_eq!(caller.image("image-2").await["UpdateTime"], NOW);
}

#[tokio::test]
async fn a_call_with_the_id_alone_changes_nothing() {
    let (_service, caller) = with_images().await;
    let before = caller.image(ID.1).await;
    assert_eq!(update(&caller, &[]).await, before);
    assert_eq!(
        update(&caller, &[("Framework", "PyTorch"), ("Softwares", "{'Framework': 'PyTorch'}")]).await,
        before
    );
    let absent = [("Name", ""), ("Price", ""), ("Visibility", ""), ("AutoStart", ""), ("GroupId", "")];
    assert_eq!(update(&caller, &absent).await, before);
}

#[tokio::test]
async fn an_empty_text_or_list_clears_the_field() {
    let (_service, caller) = with_images().await;
    let full = [
        ("Description", "d"),
        ("Readme", "r"),
        ("Tags", "t"),
        ("SupportedGpuTypes", "g"),
        ("VersionName", "v"),
    ];
    update(&caller, &full).await;
    let image = update(&caller, &full.map(|(name, _)| (name, ""))).await;
    for (name, empty) in [
        ("Description", json!("")),
        ("Readme", json!("")),
        ("Tags", json!([])),
        ("SupportedGpuTypes", json!([])),
        ("VersionName", json!("")),
    ] {
        assert_eq!(image[name], empty, "{name}");
    }
    update(&caller, &[("Cover", "")]).await;
}

#[tokio::test]
async fn refusals_follow_the_documented_order() {
    let (_service, caller) = with_images().await;
    caller.assert_refused(UPDATE, &[("Region", "moon")], 210, "Missing params [CompShareImageId]").await;
    let unknown = ("CompShareImageId", "image-none");
    for (name, bad) in [
        ("Name", "a b"),
        ("Tags", "['a', 'b', 'c', 'd']"),
        ("Price", "-0.01"),
        ("Price", "1000000.01"),
        ("Price", "NaN"),
        ("Price", "x"),
        ("Visibility", "2"),
        ("AutoStart", "yes"),
    ] {
        let params = [unknown, (name, bad), ("Region", "moon")];
        caller.assert_refused(UPDATE, &params, 230, &format!("Params [{name}] not available")).await;
    }
    caller.assert_place_is_checked(UPDATE, &[unknown, ("Name", "image-2")]).await;
    caller
        .assert_refused(UPDATE, &[unknown, ("Name", "image-2")], 8039, "Resource not exist [image-none]")
        .await;
    let taken = [ID, ("Name", "image-2"), ("Description", "lost")];
    caller.assert_refused(UPDATE, &taken, 230, "Params [Name] not available").await;
    update(&caller, &[("Name", "image-1")]).await;
}

#[tokio::test]
async fn texts_and_lists_have_a_maximum_length() {
    let (_service, caller) = with_images().await;
    let text = |length| "文".repeat(length);
    let list = |length: usize| format!("[{}]", vec!["\"g\""; length].join(","));
    for (name, longest, too_long) in [
        ("Description", text(1000), text(1001)),
        ("Readme", text(100_000), text(100_001)),
        ("VersionDesc", text(1000), text(1001)),
        ("VersionName", text(64), text(65)),
        ("Tags", text(64), text(65)),
        ("SupportedGpuTypes", list(32), list(33)),
    ] {
        update(&caller, &[(name, &longest)]).await;
        let wrong = format!("Params [{name}] not available");
        caller.assert_refused(UPDATE, &[ID, (name, &too_long)], 230, &wrong).await;
    }
}

/// cover.rs tests covers in detail.
#[tokio::test]
async fn a_cover_is_checked_before_anything_changes() {
    let (_service, caller) = with_images().await;
    for id in [ID, ("CompShareImageId", "image-none")] {
        let params = [id, ("Cover", "aGVsbG8="), ("Description", "lost"), ("Name", "image-2")];
        caller.assert_refused(UPDATE, &params, 230, "Params [Cover] not available").await;
    }
}

#[tokio::test]
async fn a_released_name_can_be_reused() {
    let (_service, caller) = with_images().await;
    update(&caller, &[("Name", "moved")]).await;
    caller.ok(UPDATE, &[("CompShareImageId", "image-2"), ("Name", "image-1")]).await;
    caller.create(INSTANCE, "image-2").await;
}

#[tokio::test]
async fn strict_mode_requires_region_and_zone() {
    let service = Service::strict().await;
    service.add_images(&[("image-1", NOW)]).await;
    service.caller().assert_required(UPDATE, &[ID], &[("Region", "cn-wlcb"), ("Zone", "cn-wlcb-01")]).await;
}

/// The real service publishes only images of containers, and Jingku makes images of disks.
#[tokio::test]
async fn strict_mode_refuses_to_publish_a_disk_image() {
    let service = Service::strict().await;
    service.add_images(&[("image-1", NOW)]).await;
    let params = [ID, ("Region", "cn-wlcb"), ("Zone", "cn-wlcb-01"), ("Visibility", "1")];
    let refused = (230, "Params [CompShareImageId] not available".to_owned());
    assert_eq!(service.caller().refusal(UPDATE, &params).await, refused);
    assert!(service.context.library.reviews().await.unwrap().is_empty());
}

/// A server with image-1 and image-2, each public in its own group.
async fn with_public() -> (Service, Caller, [String; 2]) {
    let (service, caller) = with_images().await;
    let mut groups = [String::new(), String::new()];
    for (id, group) in ["image-1", "image-2"].into_iter().zip(&mut groups) {
        *group = caller.publish(id, &[]).await;
        service.context.library.approve_image(id).await.unwrap();
    }
    (service, caller, groups)
}

#[tokio::test]
async fn setting_visibility_is_idempotent() {
    let (service, caller) = with_images().await;
    let seen = |image: &Value| json!([image["Status"], image["Visibility"], image["VersionName"]]);
    assert_eq!(seen(&update(&caller, &[("Visibility", "0")]).await), json!(["Available", 0, ""]));
    let mut group = Value::Null;
    for _ in 0..2 {
        let image = update(&caller, &[("Visibility", "1")]).await;
        assert_eq!(seen(&image), json!(["Reviewing", 0, "v1.0"]));
        assert!(group.is_null() || group == image["GroupId"]);
        group = image["GroupId"].clone();
    }
    service.context.library.approve_image(ID.1).await.unwrap();
    assert_eq!(seen(&update(&caller, &[("Visibility", "1")]).await), json!(["Available", 1, "v1.0"]));
    for _ in 0..2 {
        assert_eq!(seen(&update(&caller, &[("Visibility", "0")]).await), json!(["Offline", 0, "v1.0"]));
    }
    assert_eq!(seen(&update(&caller, &[("Visibility", "1")]).await), json!(["Reviewing", 0, "v1.0"]));
    // A withdrawn submission is no longer in review.
    assert_eq!(seen(&update(&caller, &[("Visibility", "0")]).await), json!(["Offline", 0, "v1.0"]));
    assert!(service.context.library.reviews().await.unwrap().is_empty());

    let making = caller.create(INSTANCE, "making").await;
    let params = [("CompShareImageId", &*making), ("Visibility", "1"), ("Description", "lost")];
    caller.assert_refused(UPDATE, &params, 8017, &format!("Image [{making}] is not available")).await;
}

#[tokio::test]
async fn changes_are_visible_to_others_at_once() {
    let (service, caller, [group, other]) = with_public().await;
    let (_, stranger) = service.stranger().await;
    let list = Action::DescribeCommunityImages;
    caller
        .ok(
            UPDATE,
            &[ID, ("Description", "updated"), ("Price", "3"), ("Tags.0", "new"), ("AutoStart", "true")],
        )
        .await;
    let filters = [("Tag", "new"), ("IsFree", "false"), ("IfAutoStart", "true")];
    let groups = stranger.groups(list, &filters).await;
    assert_eq!((groups.len(), &groups[0]["ImageDesc"]), (1, &json!("updated")));

    let missing = [ID, ("GroupId", "none"), ("Description", "lost")];
    caller.assert_refused(UPDATE, &missing, 8039, "Resource not exist [none]").await;
    let taken = "Version [v1.0] already exists";
    caller.assert_refused(UPDATE, &[ID, ("GroupId", &other), ("Description", "lost")], 8968, taken).await;
    let moved = [ID, ("GroupId", &other), ("VersionName", "v2.0")];
    for _ in 0..2 {
        caller.ok(UPDATE, &moved).await;
        let groups = stranger.groups(list, &[]).await;
        assert_eq!((groups.len(), groups[0]["Data"].as_array().unwrap().len()), (1, 2));
    }
    caller.assert_refused(UPDATE, &[ID, ("VersionName", "v1.0"), ("Description", "lost")], 8968, taken).await;
    // The group that the image left still belongs to the account.
    caller.ok(UPDATE, &[ID, ("GroupId", &group), ("VersionName", "v1.0")]).await;
    assert_eq!(stranger.groups(list, &[]).await.len(), 2);
}
