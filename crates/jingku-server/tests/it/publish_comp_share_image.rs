use jingku_protocol::actions::Action;
use serde_json::json;

use crate::support::{Caller, INSTANCE, NOW, Service};

const PUBLISH: Action = Action::PublishCompShareImage;
const SELF: Action = Action::DescribeSelfCommunityImages;
const COMMUNITY: Action = Action::DescribeCommunityImages;
const ID: (&str, &str) = ("CompShareImageId", "image-1");

/// A server with image-1 and image-2, a minute after they were made.
async fn with_images() -> (Service, Caller) {
    let service = Service::start().await;
    service.add_images(&[("image-1", NOW), ("image-2", NOW + 1)]).await;
    service.clock.set(NOW + 60);
    let caller = service.caller();
    (service, caller)
}

#[tokio::test]
async fn a_submission_waits_for_review_and_is_public_once_approved() {
    let (service, caller) = with_images().await;
    let (_, stranger) = service.stranger().await;
    let group = caller
        .publish(
            "image-1",
            &[
                ("VersionName", "v26.0529"),
                ("VersionDesc", "new"),
                ("CommunityImageName", "PyTorch 训练"),
                ("Price", "0.29"),
                ("Tags.0", "LLM"),
                ("Description", "d"),
                ("Readme", "# r"),
                ("SupportedGpuTypes.0", "4090"),
                ("AutoStart", "True"),
                ("Softwares.Framework", "PyTorch"),
                ("Softwares.Applications.0", "JupyterLab"),
                ("Cover", ""),
            ],
        )
        .await;
    assert_eq!(group.len(), 12);
    let image = caller.image("image-1").await;
    for (name, value) in [
        ("Status", json!("Reviewing")),
        ("Visibility", json!(0)),
        ("ImageType", json!("Custom")),
        ("GroupId", json!(group)),
        ("VersionName", json!("v26.0529")),
        ("VersionDesc", json!("new")),
        ("Price", json!(0.29)),
        ("ImageCharge", json!(true)),
        ("Tags", json!(["LLM"])),
        ("Description", json!("d")),
        ("Readme", json!("# r")),
        ("SupportedGpuTypes", json!(["4090"])),
        ("AutoStart", json!(true)),
        ("PubTime", json!(0)),
        ("UpdateTime", json!(NOW + 60)),
    ] {
        assert_eq!(image[name], value, "{name}");
    }
    assert_eq!(image["Softwares"]["Framework"], "PyTorch");
    assert_eq!(image["Softwares"]["Applications"], json!(["JupyterLab"]));
    assert_eq!(stranger.groups(COMMUNITY, &[]).await, Vec::<serde_json::Value>::new());
    assert_eq!(caller.group_names(SELF, &[]).await, ["PyTorch 训练"]);

    // A decision by another process is visible at once.
    let beside = service.reopen().await;
    beside.clock.set(NOW + 90);
    beside.context.library.approve_image("image-1").await.unwrap();
    let image = caller.image("image-1").await;
    assert_eq!((&image["Status"], &image["Visibility"]), (&json!("Available"), &json!(1)));
    assert_eq!(image["PubTime"], NOW + 90);
    let groups = stranger.groups(COMMUNITY, &[]).await;
    assert_eq!((&groups[0]["GroupId"], &groups[0]["Status"]), (&json!(group), &json!("Available")));
    let version = &groups[0]["Data"][0];
    assert_eq!(
        (&version["ImageType"], &version["ImageOwnerAlias"]),
        (&json!("Community"), &json!("Community"))
    );
    assert_eq!((&version["Author"], &version["Readme"]), (&json!("default"), &json!("# r")));
}

#[tokio::test]
async fn only_the_id_is_required() {
    let (service, caller) = with_images().await;
    let group = caller.publish("image-1", &[]).await;
    let image = caller.image("image-1").await;
    assert_eq!((&image["VersionName"], &image["Price"]), (&json!("v1.0"), &json!(0.0)));
    assert_eq!(caller.publish("image-2", &[("GroupId", &group)]).await, group);
    assert_eq!(caller.image("image-2").await["VersionName"], "v2.0");
    // The group keeps its name: the new version takes it over.
    assert_eq!(caller.group_names(SELF, &[]).await, ["image-1"]);

    // A refused submission shows the reason and can be submitted again unchanged.
    service.context.library.refuse_image("image-1", " Say what is in it. ").await.unwrap();
    let image = caller.image("image-1").await;
    assert_eq!((&image["Status"], &image["FailedReason"]), (&json!("Offline"), &json!("Say what is in it.")));
    assert_eq!(caller.publish("image-1", &[]).await, group);
    let image = caller.image("image-1").await;
    assert_eq!((&image["VersionName"], &image["FailedReason"]), (&json!("v1.0"), &json!("")));
}

#[tokio::test]
async fn automatic_approval_publishes_at_once() {
    let service = Service::approving().await;
    service.add_images(&[("image-1", NOW)]).await;
    service.caller().publish("image-1", &[]).await;
    let image = service.caller().image("image-1").await;
    assert_eq!(
        (&image["Status"], &image["Visibility"], &image["PubTime"]),
        (&json!("Available"), &json!(1), &json!(NOW))
    );
    assert!(service.context.library.reviews().await.unwrap().is_empty());
}

#[tokio::test]
async fn refusals_follow_the_documented_order() {
    let (service, caller) = with_images().await;
    caller.assert_refused(PUBLISH, &[("Region", "moon")], 210, "Missing params [CompShareImageId]").await;
    let unknown = ("CompShareImageId", "image-none");
    let long = "v".repeat(65);
    for (name, bad) in [
        ("Tags", "['a', 'b', 'c', 'd']"),
        ("Price", "0.015"),
        ("Price", "-0.01"),
        ("Price", "x"),
        ("VersionName", &long),
        ("CommunityImageName", &long),
        ("AutoStart", "yes"),
    ] {
        let params = [unknown, (name, bad), ("Region", "moon")];
        caller.assert_refused(PUBLISH, &params, 230, &format!("Params [{name}] not available")).await;
    }
    caller.assert_place_is_checked(PUBLISH, &[unknown, ("Cover", "aGVsbG8=")]).await;
    caller
        .assert_refused(PUBLISH, &[unknown, ("Cover", "aGVsbG8=")], 230, "Params [Cover] not available")
        .await;
    caller
        .assert_refused(PUBLISH, &[unknown, ("GroupId", "none")], 8039, "Resource not exist [image-none]")
        .await;
    let making = caller.create(INSTANCE, "making").await;
    let params = [("CompShareImageId", &*making), ("GroupId", "none")];
    caller.assert_refused(PUBLISH, &params, 8017, &format!("Image [{making}] is not available")).await;

    let group = caller.publish("image-1", &[]).await;
    let out = "Params [CompShareImageId] not available";
    caller.assert_refused(PUBLISH, &[ID, ("GroupId", "none")], 230, out).await;
    service.context.library.approve_image("image-1").await.unwrap();
    caller.assert_refused(PUBLISH, &[ID, ("GroupId", "none")], 230, out).await;
    // Another account's group looks like a missing one.
    let (_, stranger) = service.stranger().await;
    let second = ("CompShareImageId", "image-2");
    let into = |group| [second, ("GroupId", group), ("VersionName", "v1.0"), ("Description", "lost")];
    caller.assert_refused(PUBLISH, &into("none"), 8039, "Resource not exist [none]").await;
    caller.assert_refused(PUBLISH, &into(&group), 8968, "Version [v1.0] already exists").await;
    stranger.assert_refused(PUBLISH, &[second], 8039, "Resource not exist [image-2]").await;
}

#[tokio::test]
async fn another_accounts_group_cannot_be_added_to() {
    let (service, caller) = with_images().await;
    let (account, stranger) = service.stranger().await;
    let group = caller.publish("image-1", &[]).await;
    service.context.library.approve_image("image-1").await.unwrap();
    let disk = service.disk("theirs.raw", jingku_library::DiskFormat::Raw, 2);
    service.instance_of(account, "uhost-theirs", &disk, None).await;
    let theirs = stranger.create("uhost-theirs", "theirs").await;
    let workers = service.start_workers().await;
    stranger.wait_while_making(&theirs).await;
    workers.stop().await;
    for group in [&*group, "none"] {
        let params = [("CompShareImageId", &*theirs), ("GroupId", group)];
        stranger.assert_refused(PUBLISH, &params, 8039, &format!("Resource not exist [{group}]")).await;
    }
}

#[tokio::test]
async fn strict_mode_requires_region_zone_and_a_container() {
    let service = Service::strict().await;
    service.add_images(&[("image-1", NOW)]).await;
    let caller = service.caller();
    let place = [("Region", "cn-wlcb"), ("Zone", "cn-wlcb-01")];
    assert_eq!(caller.refusal(PUBLISH, &[ID]).await, (210, "Missing params [Region]".to_owned()));
    assert_eq!(caller.refusal(PUBLISH, &[ID, place[0]]).await, (210, "Missing params [Zone]".to_owned()));
    let out = (230, "Params [CompShareImageId] not available".to_owned());
    assert_eq!(caller.refusal(PUBLISH, &[ID, place[0], place[1]]).await, out);
}
