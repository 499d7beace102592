use jingku_protocol::actions::Action;
use serde_json::{Value, json};

use crate::support::{Caller, INSTANCE, NOW, Service};

const UPDATE: Action = Action::UpdateCompShareImage;
const ID: (&str, &str) = ("CompShareImageId", "image-1");

/// A service with image-1 and image-2, some time after they were made.
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
async fn what_is_given_changes_and_nothing_else() {
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
        (vec![("Visibility", "1")], json!({"Visibility": 1})),
        (vec![("GroupId", "group-1")], json!({"GroupId": "group-1"})),
        (
            vec![("VersionName", "v1.0"), ("VersionDesc", "new")],
            json!({"VersionName": "v1.0", "VersionDesc": "new"}),
        ),
    ] {
        let mut expected = caller.image(ID.1).await;
        expected["UpdateTime"] = json!(NOW + 60);
        expected.as_object_mut().unwrap().extend(changed.as_object().unwrap().clone());
        assert_eq!(update(&caller, &params).await, expected, "{params:?}");
        // Once more is the same.
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
async fn an_empty_text_or_list_clears() {
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
async fn refusals_come_in_their_order() {
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
async fn texts_and_lists_have_a_length() {
    let (_service, caller) = with_images().await;
    let text = |length| "文".repeat(length);
    let list = |length: usize| format!("[{}]", vec!["\"g\""; length].join(","));
    for (name, longest, too_long) in [
        ("Description", text(1000), text(1001)),
        ("Readme", text(100_000), text(100_001)),
        ("VersionDesc", text(1000), text(1001)),
        ("VersionName", text(64), text(65)),
        ("GroupId", text(64), text(65)),
        ("Tags", text(64), text(65)),
        ("SupportedGpuTypes", list(32), list(33)),
    ] {
        update(&caller, &[(name, &longest)]).await;
        let wrong = format!("Params [{name}] not available");
        caller.assert_refused(UPDATE, &[ID, (name, &too_long)], 230, &wrong).await;
    }
}

/// What is a picture and what becomes of it: cover.rs.
#[tokio::test]
async fn a_cover_is_checked_before_anything_changes() {
    let (_service, caller) = with_images().await;
    for id in [ID, ("CompShareImageId", "image-none")] {
        let params = [id, ("Cover", "aGVsbG8="), ("Description", "lost"), ("Name", "image-2")];
        caller.assert_refused(UPDATE, &params, 230, "Params [Cover] not available").await;
    }
}

#[tokio::test]
async fn a_name_can_be_taken_over_once_it_is_free() {
    let (_service, caller) = with_images().await;
    update(&caller, &[("Name", "moved")]).await;
    caller.ok(UPDATE, &[("CompShareImageId", "image-2"), ("Name", "image-1")]).await;
    caller.create(INSTANCE, "image-2").await;
}

#[tokio::test]
async fn strict_demands_region_and_zone() {
    let service = Service::strict().await;
    service.add_images(&[("image-1", NOW)]).await;
    service.caller().assert_demanded(UPDATE, &[ID], &[("Region", "cn-wlcb"), ("Zone", "cn-wlcb-01")]).await;
}
