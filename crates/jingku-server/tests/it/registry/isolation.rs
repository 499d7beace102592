use jingku_library::PlatformType;
use jingku_protocol::actions::Action;

use super::{Answer, IMAGE};
use crate::support::{Caller, Service};

/// The requests for a repository.
fn paths(repository: &str, digest: &str) -> [String; 7] {
    [
        format!("/v2/{repository}/manifests/latest"),
        format!("/v2/{repository}/manifests/{digest}"),
        format!("/v2/{repository}/manifests/unknown"),
        format!("/v2/{repository}/blobs/{digest}"),
        format!("/v2/{repository}/tags/list"),
        format!("/v2/{repository}/referrers/{digest}"),
        format!("/v2/{repository}/unknown/x"),
    ]
}

/// What an answer tells; the request id and the date differ in any two.
fn told(answer: &Answer) -> (u16, Vec<(String, String)>, Vec<u8>) {
    let headers = answer.headers.iter().filter(|(name, _)| *name != "x-ucloud-request-uuid");
    let headers = headers.map(|(name, value)| (name.to_string(), format!("{value:?}")));
    (answer.status.as_u16(), headers.collect(), answer.body.to_vec())
}

/// Checks that a repository looks like one that does not exist.
async fn assert_unknown(caller: &Caller, repositories: &[&str], digests: &[&str]) {
    for repository in repositories {
        for digest in digests {
            for (path, nowhere) in paths(repository, digest).iter().zip(paths("1/nowhere", digest)) {
                let (answer, unknown) = (caller.pull(path).await, caller.pull(&nowhere).await);
                assert_eq!(answer.error(), (404, "NAME_UNKNOWN".to_owned()), "{path}");
                assert_eq!(told(&answer), told(&unknown), "{path}");
                assert_eq!(told(&caller.head(path).await), told(&caller.head(&nowhere).await), "{path}");
            }
        }
    }
}

async fn status(caller: &Caller, repository: &str) -> u16 {
    caller.pull(&format!("/v2/{repository}/manifests/latest")).await.status.as_u16()
}

#[tokio::test]
async fn images_of_others_look_like_images_that_do_not_exist() {
    let service = Service::start().await;
    let id = service.container_image("trained").await;
    let (owner, (theirs, other)) = (service.caller(), service.stranger().await);
    let manifest = owner.manifest("1/trained").await;
    let document = owner.pull(&format!("{IMAGE}/manifests/latest")).await;
    let digests = [
        jingku_sources::oci::digest(&document.body),
        manifest.layers()[0].digest().to_string(),
        manifest.config().digest().to_string(),
    ];
    let digests = digests.each_ref().map(String::as_str);
    let by_id = format!("1/{}", id.to_lowercase());
    let elsewhere = [format!("{theirs}/trained"), format!("{theirs}/{}", id.to_lowercase())];
    assert_unknown(&other, &["1/trained", &by_id, &elsewhere[0], &elsewhere[1], "0/trained"], &digests).await;
    let list = other.pull("/v2/_catalog?last=1%2Ftrained").await;
    assert_eq!(told(&list), told(&other.pull("/v2/_catalog?last=1%2Fnowhere").await));

    // A share gives access, and its end takes it away.
    owner.share(&id, &[theirs]).await;
    assert_eq!([status(&other, "1/trained").await, status(&other, &by_id).await], [200, 200]);
    let layer = format!("{IMAGE}/blobs/{}", digests[1]);
    assert_eq!(other.pull(&layer).await.body, owner.pull(&layer).await.body);
    owner.unshare(&id, &[theirs]).await;
    assert_unknown(&other, &["1/trained", &by_id], &digests).await;

    // An own image of another account does not give access by its digest.
    let mine = other.upload("mine", &crate::support::Archive::of(b"mine").bytes).await;
    let workers = service.start_workers().await;
    other.wait_while_making(&mine).await;
    workers.stop().await;
    let own = format!("{theirs}/mine");
    assert_eq!(status(&other, &own).await, 200);
    other.pull(&format!("/v2/{own}/blobs/{}", digests[1])).await.assert_error(404, "BLOB_UNKNOWN");
}

#[tokio::test]
async fn published_images_are_pulled_by_everybody_unless_they_have_a_price() {
    let service = Service::start().await;
    let id = service.container_image("trained").await;
    let (owner, (theirs, other)) = (service.caller(), service.stranger().await);
    owner.publish(&id, &[("VersionName", "v1")]).await;
    assert_unknown(&other, &["1/trained"], &["latest"]).await;
    service.context.library.approve_image(&id).await.unwrap();
    assert_eq!(status(&other, "1/trained").await, 200);
    assert_eq!(other.pull(&format!("{IMAGE}/manifests/v1")).await.status, 200);
    owner.ok(Action::UpdateCompShareImage, &[("CompShareImageId", &id), ("Price", "0.5")]).await;
    other.pull(&format!("{IMAGE}/manifests/latest")).await.assert_error(403, "DENIED");
    assert_eq!(status(&owner, "1/trained").await, 200);
    owner.share(&id, &[theirs]).await;
    assert_eq!(status(&other, "1/trained").await, 200, "a share gives access whatever the price");
    owner.unshare(&id, &[theirs]).await;
    owner.ok(Action::UpdateCompShareImage, &[("CompShareImageId", &id), ("Visibility", "0")]).await;
    assert_unknown(&other, &["1/trained"], &["latest"]).await;
    assert_eq!(status(&owner, "1/trained").await, 200);
}

#[tokio::test]
async fn platform_images_belong_to_account_zero() {
    let service = Service::start().await;
    let id = service.container_image("trained").await;
    let (_, other) = service.stranger().await;
    let platform = service.promote(&id, PlatformType::App).await;
    let by_id = format!("0/{}", platform.to_lowercase());
    for caller in [&service.caller(), &other] {
        assert_eq!([status(caller, "0/trained").await, status(caller, &by_id).await], [200, 200]);
    }
    assert_unknown(&other, &["1/trained"], &["latest"]).await;
    assert_eq!(other.manifest("0/trained").await, service.caller().manifest("1/trained").await);
    service.context.library.demote_image(&platform).await.unwrap();
    assert_unknown(&other, &["0/trained", &by_id], &["latest"]).await;
}

#[tokio::test]
async fn an_image_that_is_deleted_or_being_made_cannot_be_pulled() {
    let service = Service::start().await;
    let id = service.container_image("trained").await;
    let caller = service.caller();
    let by_id = format!("1/{}", id.to_lowercase());
    caller.ok(Action::TerminateCompShareCustomImage, &[("CompShareImageId", &id)]).await;
    assert_unknown(&caller, &["1/trained", &by_id], &["latest"]).await;
    service.context.library.restore_image(&id, None).await.unwrap();
    assert_eq!(status(&caller, "1/trained").await, 200);
    assert_eq!(caller.image(&id).await["LeftOut"]["Count"], 0);
    let making = caller.upload("making", &crate::support::Archive::of(b"making").bytes).await;
    assert_unknown(&caller, &["1/making", &format!("1/{}", making.to_lowercase())], &["latest"]).await;
}

#[tokio::test]
async fn a_copy_has_a_repository_of_its_own() {
    let service = Service::start().await;
    let id = service.container_image("trained").await;
    let caller = service.caller();
    let copied = [("CompShareImageId", &*id), ("TargetImageName", "copied")];
    caller.ok(Action::CopyCompShareCustomImage, &copied).await;
    assert_eq!(caller.manifest("1/copied").await, caller.manifest("1/trained").await);
    caller.ok(Action::TerminateCompShareCustomImage, &[("CompShareImageId", &id)]).await;
    let layer = caller.manifest("1/copied").await.layers()[0].digest().clone();
    assert_eq!(caller.pull(&format!("/v2/1/copied/blobs/{layer}")).await.status, 200);
}
