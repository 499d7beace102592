use axum::body::Body;
use axum::http::Request;
use jingku_library::{DiskFormat, PlatformType};
use jingku_protocol::Params;
use jingku_protocol::actions::Action;
use jingku_server::MAX_EXPORTS;

use crate::support::{Caller, DISK_BYTES, INSTANCE, NOW, Reply, Service, disk_bytes, wait_until};

const EXPORT: Action = Action::ExportCompShareCustomImage;

#[tokio::test]
async fn the_response_is_the_disk() {
    let service = Service::start().await;
    let caller = service.caller();
    let id = service.make(INSTANCE, "env").await;
    for _ in 0..2 {
        let reply = caller.call(EXPORT, &[("CompShareImageId", &id)]).await;
        assert_eq!(reply.status, 200);
        assert_eq!(reply.headers["content-type"], "application/octet-stream");
        assert_eq!(reply.headers["content-length"], DISK_BYTES.to_string());
        assert!(reply.body == disk_bytes(1), "the bytes differ");
    }
    // The same as a URL, for download tools.
    let params = Params::for_action(EXPORT.name()).text("CompShareImageId", Some(&id));
    let url = format!("/?{}", caller.sign(params).to_form());
    let reply = caller.send(Request::get(url).body(Body::empty()).unwrap()).await;
    assert!(reply.body == disk_bytes(1), "the bytes differ");
}

#[tokio::test]
async fn refusals_follow_the_documented_order() {
    let service = Service::start().await;
    let caller = service.caller();
    caller.assert_refused(EXPORT, &[], 210, "Missing params [CompShareImageId]").await;
    caller.assert_project_is_checked(EXPORT, &[("CompShareImageId", "image-none")]).await;
    let unknown = [("CompShareImageId", "image-none")];
    caller.assert_refused(EXPORT, &unknown, 8039, "Resource not exist [image-none]").await;
}

#[tokio::test]
async fn only_an_available_image_can_be_exported() {
    let service = Service::start().await;
    let caller = service.caller();
    let disk = service.disk("gone.raw", DiskFormat::Raw, 2);
    service.instance("uhost-gone", &disk).await;
    let failed = caller.create("uhost-gone", "failed").await;
    std::fs::remove_file(disk).unwrap();
    let workers = service.start_workers().await;
    caller.wait_while_making(&failed).await;
    workers.stop().await;
    let making = caller.create(INSTANCE, "making").await;
    for id in [failed, making] {
        let message = format!("Image [{id}] is not available");
        caller.assert_refused(EXPORT, &[("CompShareImageId", &id)], 8017, &message).await;
    }
}

/// Shared and platform images can be exported; free community images are tested below.
#[tokio::test]
async fn every_account_that_sees_an_image_can_export_it() {
    let service = Service::start().await;
    let (owner, (theirs, receiver)) = (service.caller(), service.stranger().await);
    let id = service.make(INSTANCE, "env").await;
    let params = [("CompShareImageId", &*id)];
    let unseen = format!("Resource not exist [{id}]");
    let can_export =
        async |id: &str| receiver.call(EXPORT, &[("CompShareImageId", id)]).await.body == disk_bytes(1);
    receiver.assert_refused(EXPORT, &params, 8039, &unseen).await;
    owner.share(&id, &[theirs]).await;
    assert!(can_export(&id).await);
    owner.unshare(&id, &[theirs]).await;
    receiver.assert_refused(EXPORT, &params, 8039, &unseen).await;

    let platform = service.promote(&id, PlatformType::System).await;
    assert!(can_export(&platform).await);
    service.context.library.demote_image(&platform).await.unwrap();
    let message = format!("Resource not exist [{platform}]");
    receiver.assert_refused(EXPORT, &[("CompShareImageId", &platform)], 8039, &message).await;
}

#[tokio::test]
async fn only_free_community_images_can_be_exported() {
    let service = Service::start().await;
    let (owner, (theirs, receiver)) = (service.caller(), service.stranger().await);
    let id = service.make(INSTANCE, "env").await;
    let can_export =
        async |caller: &Caller| caller.call(EXPORT, &[("CompShareImageId", &id)]).await.body == disk_bytes(1);
    service.make_public(&id).await;
    assert!(can_export(&receiver).await);
    let priced = [("CompShareImageId", &*id), ("Price", "0.5")];
    owner.ok(Action::UpdateCompShareImage, &priced).await;
    let message = format!("Image [{id}] is not available");
    receiver.assert_refused(EXPORT, &[("CompShareImageId", &id)], 8017, &message).await;
    assert!(can_export(&owner).await);
    // A share gives access whatever the price.
    owner.share(&id, &[theirs]).await;
    assert!(can_export(&receiver).await);
}

/// An export that nobody reads keeps its slot until its client disconnects.
#[tokio::test]
async fn concurrent_exports_are_limited() {
    let service = Service::start().await;
    let caller = service.caller();
    let id = service.large_image().await;
    let params = Params::for_action(EXPORT.name()).text("CompShareImageId", Some(&id));
    let url = format!("/?{}", caller.sign(params).to_form());
    let open = async || caller.open(Request::get(&url).body(Body::empty()).unwrap()).await;

    let mut held = Vec::new();
    // One account gets at most half of the slots.
    for _ in 0..MAX_EXPORTS / 2 {
        held.push(open().await);
    }
    assert!(held.iter().all(|response| response.headers()["content-type"] == "application/octet-stream"));
    assert_eq!(Reply::read(open().await).await.refusal(), (153, "Request Throttled".to_owned()));
    held.pop();
    let is_free = async || open().await.headers()["content-type"] == "application/octet-stream";
    wait_until("the slot is released", is_free).await;
}

#[tokio::test]
async fn a_missing_manifest_is_an_internal_error_without_details() {
    let service = Service::start().await;
    let caller = service.caller();
    let id = service.make(INSTANCE, "env").await;
    std::fs::remove_file(&service.stored("manifests")[0]).unwrap();
    caller.assert_refused(EXPORT, &[("CompShareImageId", &id)], 130, "Service Error").await;
}

#[tokio::test]
async fn strict_mode_requires_no_place() {
    let service = Service::strict().await;
    service.add_images(&[("image-1", NOW)]).await;
    let refusal = service.caller().refusal(EXPORT, &[("CompShareImageId", "image-1")]).await;
    assert_eq!(refusal.0, 130, "the call passed validation and failed for lack of data");
}
