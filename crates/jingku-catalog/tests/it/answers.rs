//! Repeated requests take effect once.

use jingku_catalog::{
    ANSWER_SECS, ANSWERS_MAX, AccountId, Catalog, CopyImage, DELETED_SECS, DeleteImage, ImageChanges,
    ImageFilter, NewCopy, Paging, Publication, PublishImage, RestoreImage, Scope, UpdateImage,
};

use crate::engines::{Engine, on_every_engine};
use crate::races::at_once;
use crate::setting::{NOW, account, instance, lab, make, submission};

on_every_engine!(
    a_repeated_request_makes_one_copy,
    concurrent_equal_requests_make_one_copy,
    a_repeated_request_is_recognized_for_a_time_and_per_account,
    a_deleted_copy_is_made_again,
    a_repeated_request_publishes_once,
    deleting_again_is_recognized_for_a_time,
    answers_are_bounded,
);

async fn setting(catalog: &Catalog) -> AccountId {
    let owner = lab(catalog).await;
    make(catalog, owner, "a", "vm", NOW).await;
    owner
}

async fn copy(
    catalog: &Catalog,
    owner: AccountId,
    source: &str,
    id: &str,
    request: Option<&str>,
    now: i64,
) -> CopyImage {
    let name = |original: &str, number| (number < 50).then(|| format!("{original}-{number}"));
    let new = NewCopy { id, owner, name: &name, description: None, place: None, platform_type: "", request };
    catalog.copy_image(Scope::own(owner), source, new, now).await.unwrap()
}

async fn total(catalog: &Catalog, owner: AccountId) -> i64 {
    catalog.images_page(Scope::own(owner), ImageFilter::default(), Paging::first(1)).await.unwrap().total
}

async fn a_repeated_request_makes_one_copy(engine: Engine) {
    let catalog = &engine.catalog;
    let owner = setting(catalog).await;
    let copied = copy(catalog, owner, "image-a", "c1", Some("r1"), NOW).await;
    assert_eq!(copied, CopyImage::Copied("a-0".to_owned()));
    let before = CopyImage::AlreadyCopied("c1".to_owned());
    assert_eq!(copy(catalog, owner, "image-a", "c2", Some("r1"), NOW + 5).await, before);
    // Also after a restart, and after the original is deleted.
    let again = engine.other_process().await;
    catalog.delete_image(Scope::own(owner), "image-a", NOW + 5).await.unwrap();
    assert_eq!(copy(&again, owner, "image-a", "c3", Some("r1"), NOW + 5).await, before);
    for request in [Some("r2"), None] {
        assert_eq!(copy(&again, owner, "image-a", "c3", request, NOW + 5).await, CopyImage::NotFound);
    }
    catalog.restore_image("image-a", None, NOW + 5).await.unwrap();
    assert_eq!(copy(&again, owner, "image-a", "c3", Some("r1"), NOW + 5).await, before);
    assert_eq!(total(catalog, owner).await, 2);
    // Another request, or one without a name, makes another copy.
    for request in [Some("r2"), None, None] {
        let id = format!("c-{}", total(catalog, owner).await);
        let copied = copy(catalog, owner, "image-a", &id, request, NOW + 5).await;
        assert!(matches!(copied, CopyImage::Copied(_)), "{copied:?}");
    }
    assert_eq!(total(catalog, owner).await, 5);
}

async fn concurrent_equal_requests_make_one_copy(engine: Engine) {
    let owner = setting(&engine.catalog).await;
    let ids = at_once(&engine, 12, move |catalog, number| async move {
        let id = format!("copy-{number}");
        match copy(&catalog, owner, "image-a", &id, Some("request"), NOW).await {
            CopyImage::Copied(_) => id,
            CopyImage::AlreadyCopied(id) => id,
            other => panic!("{other:?}"),
        }
    })
    .await;
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert_eq!(total(&engine.catalog, owner).await, 2);
}

async fn a_repeated_request_is_recognized_for_a_time_and_per_account(Engine { catalog, .. }: Engine) {
    let owner = setting(&catalog).await;
    copy(&catalog, owner, "image-a", "c1", Some("r"), NOW).await;
    let before = CopyImage::AlreadyCopied("c1".to_owned());
    assert_eq!(copy(&catalog, owner, "image-a", "c2", Some("r"), NOW + ANSWER_SECS - 1).await, before);
    let copied = copy(&catalog, owner, "image-a", "c2", Some("r"), NOW + ANSWER_SECS).await;
    assert_eq!(copied, CopyImage::Copied("a-1".to_owned()));
    // Setting the clock back by a second expires nothing; by a day, it expires the answer.
    let now = NOW + ANSWER_SECS - 1;
    assert_eq!(
        copy(&catalog, owner, "image-a", "c3", Some("r"), now).await,
        CopyImage::AlreadyCopied("c2".to_owned())
    );
    let copied = copy(&catalog, owner, "image-a", "c3", Some("r"), NOW - 86_400).await;
    assert_eq!(copied, CopyImage::Copied("a-2".to_owned()));

    let other = account(&catalog, "other").await.id;
    instance(&catalog, other, "vm-2").await;
    make(&catalog, other, "b", "vm-2", NOW).await;
    let copied = copy(&catalog, other, "image-b", "c4", Some("r"), NOW - 86_400).await;
    assert_eq!(copied, CopyImage::Copied("b-0".to_owned()));
}

async fn a_deleted_copy_is_made_again(Engine { catalog, .. }: Engine) {
    let owner = setting(&catalog).await;
    copy(&catalog, owner, "image-a", "c1", Some("r"), NOW).await;
    catalog.delete_image(Scope::own(owner), "c1", NOW + 1).await.unwrap();
    let copied = copy(&catalog, owner, "image-a", "c2", Some("r"), NOW + 2).await;
    assert_eq!(copied, CopyImage::Copied("a-0".to_owned()));
    let again = copy(&catalog, owner, "image-a", "c3", Some("r"), NOW + 2).await;
    assert_eq!(again, CopyImage::AlreadyCopied("c2".to_owned()));
}

async fn a_repeated_request_publishes_once(Engine { catalog, .. }: Engine) {
    let owner = setting(&catalog).await;
    let scope = Scope::own(owner);
    let publish = async |group, request, now| {
        let (submission, nothing) = (submission(group, true), ImageChanges::default());
        catalog.publish_image(scope, "image-a", submission, nothing, request, now).await.unwrap()
    };
    let first = PublishImage::Published("g1".to_owned());
    assert_eq!(publish("g1", Some("r"), NOW).await, first);
    assert_eq!(publish("g2", Some("r"), NOW + 9).await, first);
    for (request, now) in [(Some("other"), NOW), (None, NOW), (Some("r"), NOW + ANSWER_SECS)] {
        assert_eq!(publish("g2", request, now).await, PublishImage::AlreadyPublished);
    }
    // Unpublished meanwhile, it is submitted again.
    let private = ImageChanges { publication: Some(Publication::Private), ..ImageChanges::default() };
    let updated = catalog.update_image(scope, "image-a", private, NOW + 10).await.unwrap();
    assert_eq!(updated, UpdateImage::Updated);
    assert_eq!(publish("g2", Some("r"), NOW + 11).await, first, "it stays in its group");
    assert!(catalog.image(scope, "image-a").await.unwrap().unwrap().visibility == 1);
}

async fn deleting_again_is_recognized_for_a_time(Engine { catalog, .. }: Engine) {
    let owner = setting(&catalog).await;
    let other = account(&catalog, "other").await.id;
    let delete = async |account, id, now| catalog.delete_image(Scope::own(account), id, now).await.unwrap();
    assert_eq!(delete(other, "image-a", NOW).await, DeleteImage::NotFound);
    assert_eq!(delete(owner, "image-a", NOW).await, DeleteImage::Deleted);
    let revision = catalog.account_revision(owner).await.unwrap();
    assert_eq!(delete(owner, "image-a", NOW + DELETED_SECS - 1).await, DeleteImage::AlreadyDeleted);
    assert_eq!(catalog.account_revision(owner).await.unwrap(), revision, "nothing has changed");
    assert_eq!(delete(other, "image-a", NOW + 1).await, DeleteImage::NotFound);
    assert_eq!(delete(owner, "image-none", NOW + 1).await, DeleteImage::NotFound);
    // A restored image is deleted again; a purged one is still recognized.
    let restored = catalog.restore_image("image-a", None, NOW + 2).await.unwrap();
    assert_eq!(restored, RestoreImage::Restored("a".to_owned()));
    assert_eq!(delete(owner, "image-a", NOW + 3).await, DeleteImage::Deleted);
    assert!(catalog.purge_image("image-a", NOW + 3).await.unwrap());
    assert_eq!(delete(owner, "image-a", NOW + 3).await, DeleteImage::AlreadyDeleted);
    assert_eq!(delete(owner, "image-a", NOW + 3 + DELETED_SECS).await, DeleteImage::NotFound);
}

async fn answers_are_bounded(engine: Engine) {
    if engine.is_file() {
        // A transaction in a file takes milliseconds; the other engines prove the same.
        return;
    }
    let catalog = &engine.catalog;
    let owner = setting(catalog).await;
    let scope = Scope::own(owner);
    for number in 0..=ANSWERS_MAX {
        let id = format!("c{number}");
        let copied = copy(catalog, owner, "image-a", &id, None, NOW).await;
        assert_eq!(copied, CopyImage::Copied("a-0".to_owned()));
        assert_eq!(catalog.delete_image(scope, &id, NOW).await.unwrap(), DeleteImage::Deleted);
    }
    assert_eq!(catalog.delete_image(scope, "c0", NOW).await.unwrap(), DeleteImage::NotFound);
    assert_eq!(catalog.delete_image(scope, "c1", NOW).await.unwrap(), DeleteImage::AlreadyDeleted);
}
