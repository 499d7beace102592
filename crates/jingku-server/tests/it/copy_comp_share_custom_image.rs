use jingku_protocol::actions::Action;
use serde_json::json;

use crate::support::{INSTANCE, NOW, Service, disk_bytes};

const COPY: Action = Action::CopyCompShareCustomImage;

#[tokio::test]
async fn a_copy_is_a_new_image_with_the_same_bytes() {
    let service = Service::start().await;
    let (caller, (theirs, receiver)) = (service.caller(), service.stranger().await);
    let id = service.make(INSTANCE, "env").await;
    let facts = [("CompShareImageId", &*id), ("Tags.0", "cv"), ("Readme", "# Read"), ("Price", "0.5")];
    caller.ok(Action::UpdateCompShareImage, &facts).await;
    caller.share(&id, &[theirs]).await;
    let (chunks, manifests) = (service.stored("chunks").len(), service.stored("manifests").len());
    service.clock.set(NOW + 60);

    let reply = caller.ok(COPY, &[("CompShareImageId", &id), ("TargetImageName", "second")]).await;
    let copy = reply["NewCompShareImageId"].as_str().unwrap();
    assert_eq!((service.stored("chunks").len(), service.stored("manifests").len()), (chunks, manifests));
    let (original, copied) = (caller.image(&id).await, caller.image(copy).await);
    let mut expected = original.clone();
    for (name, value) in [
        ("CompShareImageId", json!(copy)),
        ("Name", json!("second")),
        ("Price", json!(0.0)),
        ("ImageCharge", json!(false)),
        ("CreateTime", json!(NOW + 60)),
        ("UpdateTime", json!(NOW + 60)),
    ] {
        expected[name] = value;
    }
    assert_eq!(copied, expected);
    assert_eq!(receiver.ids(Action::DescribeCompShareSharingImages, &[]).await, [&*id]);

    caller.ok(Action::TerminateCompShareCustomImage, &[("CompShareImageId", &id)]).await;
    let export = caller.call(Action::ExportCompShareCustomImage, &[("CompShareImageId", copy)]).await;
    assert!(export.body == disk_bytes(1), "the bytes differ");
    let progress = caller.progress(copy).await;
    assert_eq!((&progress["Status"], &progress["Process"]), (&json!("Available"), &json!(100.0)));
}

#[tokio::test]
async fn a_copy_without_a_name_gets_a_default_name() {
    let service = Service::start().await;
    let caller = service.caller();
    let long = "n".repeat(50);
    service.add_images(&[("env", NOW), ("env-copy-3", NOW), (&long, NOW)]).await;
    let now = std::cell::Cell::new(NOW);
    let copy = async |id| {
        // An identical call within a minute counts as a repeat of the same request.
        now.set(now.get() + 60);
        service.clock.set(now.get());
        let reply = caller.ok(COPY, &[("CompShareImageId", id)]).await;
        let copy = reply["NewCompShareImageId"].as_str().unwrap().to_owned();
        caller.image(&copy).await["Name"].as_str().unwrap().to_owned()
    };
    assert_eq!(copy("env").await, "env-copy");
    assert_eq!(copy("env").await, "env-copy-2");
    assert_eq!(copy("env").await, "env-copy-4");
    assert_eq!(copy(&long).await, format!("{}-copy", "n".repeat(45)));
    assert_eq!(copy(&long).await, format!("{}-copy-2", "n".repeat(43)));
}

#[tokio::test]
async fn refusals_follow_the_documented_order() {
    let service = Service::start().await;
    let caller = service.caller();
    service.add_images(&[("image-1", NOW), ("image-2", NOW)]).await;
    caller.assert_refused(COPY, &[("Region", "moon")], 210, "Missing params [CompShareImageId]").await;
    for bad in ["a b", &"n".repeat(51)] {
        let params = [("CompShareImageId", "image-none"), ("TargetImageName", bad)];
        caller.assert_refused(COPY, &params, 230, "Params [TargetImageName] not available").await;
    }
    let unknown = [("CompShareImageId", "image-none"), ("TargetImageName", "image-2")];
    caller.assert_place_is_checked(COPY, &unknown).await;
    caller.assert_refused(COPY, &unknown, 8039, "Resource not exist [image-none]").await;
    let taken = [("CompShareImageId", "image-1"), ("TargetImageName", "image-2")];
    caller.assert_refused(COPY, &taken, 230, "Params [TargetImageName] not available").await;
    let making = caller.create(INSTANCE, "making").await;
    let params = [("CompShareImageId", &*making), ("TargetImageName", "image-2")];
    caller.assert_refused(COPY, &params, 8017, &format!("Image [{making}] is not available")).await;
    // A minute later it is a new request, and the name is taken.
    let once = [("CompShareImageId", "image-1"), ("TargetImageName", "once")];
    caller.ok(COPY, &once).await;
    service.clock.set(NOW + 60);
    caller.assert_refused(COPY, &once, 230, "Params [TargetImageName] not available").await;
}

#[tokio::test]
async fn strict_mode_requires_region_and_zone() {
    let service = Service::strict().await;
    service.add_images(&[("image-1", NOW)]).await;
    let place = [("Region", "cn-wlcb"), ("Zone", "cn-wlcb-01")];
    service.caller().assert_required(COPY, &[("CompShareImageId", "image-1")], &place).await;
}
