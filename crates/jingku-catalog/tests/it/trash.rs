use jingku_catalog::{
    AccountId, Catalog, Cover, CoverChange, CreateImage, DeleteImage, ImageChanges, ImageFilter, ImageStatus,
    Paging, Publication, RestoreImage, Scope, ShareChanges, ShareImage, TrashedImage, UpdateImage,
};

use crate::engines::{Engine, on_every_engine};
use crate::races::{at_once, count};
use crate::setting::{NOW, account, create, instance, lab, make, new_image, publish};

on_every_engine!(
    a_restored_image_is_unchanged,
    a_restored_image_needs_a_free_name,
    an_image_never_made_is_not_restored,
    a_restored_version_returns_to_its_group,
    a_purged_image_leaves_nothing,
    an_account_restores_and_purges_its_own_images,
    the_trash_is_listed_and_paged,
    an_image_is_restored_or_purged_but_not_both,
    concurrent_images_get_a_trashed_name_once,
    an_image_is_forgotten_wherever_it_is,
    a_backup_is_a_consistent_snapshot,
);

async fn start(engine: &Engine) -> (Catalog, AccountId) {
    let owner = lab(&engine.catalog).await;
    (engine.catalog.clone(), owner)
}

async fn delete(catalog: &Catalog, owner: AccountId, id: &str, now: i64) {
    let deleted = catalog.delete_image(Scope::own(owner), id, now).await.unwrap();
    assert_eq!(deleted, DeleteImage::Deleted);
}

async fn total(catalog: &Catalog, owner: AccountId) -> i64 {
    let page = catalog.images_page(Scope::own(owner), ImageFilter::default(), Paging::first(100)).await;
    let page = page.unwrap();
    assert_eq!(page.items.len(), usize::try_from(page.total).unwrap());
    i64::try_from(page.items.len()).unwrap()
}

fn restored(name: &str) -> RestoreImage {
    RestoreImage::Restored(name.to_owned())
}

async fn a_restored_image_is_unchanged(engine: Engine) {
    let (catalog, owner) = start(&engine).await;
    let scope = Scope::own(owner);
    let friend = account(&catalog, "friend").await.id;
    make(&catalog, owner, "a", "vm", NOW).await;
    let cover =
        CoverChange::Set(Cover { id: "cover".into(), media_type: "image/png".into(), data: "AA==".into() });
    let changes = ImageChanges {
        tags: Some(&["vLLM"]),
        readme: Some("Read me."),
        cover: Some(&cover),
        ..ImageChanges::default()
    };
    assert_eq!(catalog.update_image(scope, "image-a", changes, NOW).await.unwrap(), UpdateImage::Updated);
    let share = ShareChanges { add: &[friend], remove: &[], shares_max: 10 };
    let shared = catalog.share_image(scope, "image-a", share, NOW).await.unwrap();
    assert!(matches!(shared, ShareImage::Shared), "{shared:?}");
    let before = catalog.image(scope, "image-a").await.unwrap().unwrap();
    let revision = catalog.account_revision(owner).await.unwrap();

    delete(&catalog, owner, "image-a", NOW + 1).await;
    assert_eq!(catalog.image(scope, "image-a").await.unwrap(), None);
    assert_eq!((total(&catalog, owner).await, catalog.cover("cover").await.unwrap()), (0, None));
    assert_eq!(catalog.restore_image("image-a", None, NOW + 2).await.unwrap(), restored("a"));
    let after = catalog.image(scope, "image-a").await.unwrap().unwrap();
    assert_eq!(after.update_time, NOW + 2);
    assert_eq!(jingku_catalog::Image { update_time: before.update_time, ..after }, before);
    assert_eq!(total(&catalog, owner).await, 1);
    assert!(catalog.cover("cover").await.unwrap().is_some());
    assert!(catalog.account_revision(owner).await.unwrap() > revision);
    // It is no longer shared.
    assert_eq!(catalog.image(Scope::visible_to(friend), "image-a").await.unwrap(), None);
    let live = RestoreImage::Live("a".to_owned());
    assert_eq!(catalog.restore_image("image-a", None, NOW).await.unwrap(), live);
    assert_eq!(catalog.restore_image("image-b", None, NOW).await.unwrap(), RestoreImage::NotFound);
}

async fn a_restored_image_needs_a_free_name(engine: Engine) {
    let (catalog, owner) = start(&engine).await;
    make(&catalog, owner, "a", "vm", NOW).await;
    delete(&catalog, owner, "image-a", NOW).await;
    let new = new_image("another", "a", "vm");
    let job = "job";
    let created = catalog.create_image(Scope::own(owner), new, job, NOW).await.unwrap();
    assert_eq!(created, CreateImage::Created);
    let taken = catalog.restore_image("image-a", None, NOW).await.unwrap();
    assert_eq!(taken, RestoreImage::NameTaken("a".into()));
    assert_eq!(catalog.restore_image("image-a", Some("b"), NOW).await.unwrap(), restored("b"));
    assert_eq!(total(&catalog, owner).await, 2);
}

async fn an_image_never_made_is_not_restored(engine: Engine) {
    let (catalog, owner) = start(&engine).await;
    assert_eq!(create(&catalog, owner, "a", "vm").await, CreateImage::Created);
    delete(&catalog, owner, "image-a", NOW).await;
    assert_eq!(catalog.restore_image("image-a", None, NOW).await.unwrap(), RestoreImage::NeverMade);
    assert_eq!(catalog.trashed_image("image-a").await.unwrap().unwrap().status, ImageStatus::Making);
}

async fn a_restored_version_returns_to_its_group(engine: Engine) {
    let (catalog, owner) = start(&engine).await;
    let scope = Scope::own(owner);
    for (name, version) in [("a", "v1"), ("b", "v2")] {
        make(&catalog, owner, name, "vm", NOW).await;
        let image = format!("image-{name}");
        let group = (name == "b").then_some("group");
        let changes =
            ImageChanges { group_id: group, version_name: Some(version), ..ImageChanges::default() };
        publish(&catalog, owner, &image, "group", changes, NOW).await;
    }
    let down = ImageChanges { publication: Some(Publication::Private), ..ImageChanges::default() };
    assert_eq!(catalog.update_image(scope, "image-a", down, NOW).await.unwrap(), UpdateImage::Updated);
    delete(&catalog, owner, "image-a", NOW).await;
    assert_eq!(catalog.restore_image("image-a", None, NOW).await.unwrap(), restored("a"));
    let back = catalog.image(scope, "image-a").await.unwrap().unwrap();
    assert_eq!((back.group_id.as_str(), back.version_name.as_str(), back.visibility), ("group", "v1", 0));

    delete(&catalog, owner, "image-a", NOW).await;
    let rename = ImageChanges { version_name: Some("v1"), ..ImageChanges::default() };
    assert_eq!(catalog.update_image(scope, "image-b", rename, NOW).await.unwrap(), UpdateImage::Updated);
    assert_eq!(catalog.restore_image("image-a", None, NOW).await.unwrap(), restored("a"));
    let back = catalog.image(scope, "image-a").await.unwrap().unwrap();
    assert_eq!((back.group_id.as_str(), back.version_name.as_str()), ("group", ""));
}

async fn an_account_restores_and_purges_its_own_images(engine: Engine) {
    let (catalog, owner) = start(&engine).await;
    let (trash, foreign) = (Scope::trash(owner), Scope::trash(account(&catalog, "other").await.id));
    for name in ["a", "b", "c", "d"] {
        make(&catalog, owner, name, "vm", NOW).await;
        delete(&catalog, owner, &format!("image-{name}"), NOW).await;
    }
    let names = async |scope, ids: Option<&[&str]>, zones: Option<&[&str]>, paging| {
        let page = catalog.trash_page(scope, ids, zones, paging).await.unwrap();
        let names: String = page.items.iter().map(|image| &*image.name).collect();
        (names, page.total, page.next)
    };
    let all = Paging::first(100);
    assert_eq!(names(trash, None, None, all).await, ("dcba".to_owned(), 4, None));
    assert_eq!(names(foreign, None, None, all).await, (String::new(), 0, None));
    assert_eq!(names(trash, Some(&["image-b", "image-x"]), None, all).await.0, "b");
    assert_eq!(names(trash, None, Some(&["nowhere"]), all).await, (String::new(), 0, None));
    let (first, count, next) = names(trash, None, None, Paging::first(1)).await;
    assert_eq!((&*first, count), ("d", 4));
    let cursor = TrashedImage::cursor(&next.unwrap().to_string()).unwrap();
    let after = Paging::After { cursor: &cursor, limit: 2 };
    assert_eq!(names(trash, None, None, after).await.0, "cb");

    let both = ["image-a", "image-x"];
    let outcomes = catalog.restore_images(trash, &both, None, NOW).await.unwrap();
    assert_eq!(outcomes, [restored("a"), RestoreImage::NotFound]);
    assert_eq!(total(&catalog, owner).await, 0);
    let outcomes = catalog.restore_images(foreign, &["image-a"], None, NOW).await.unwrap();
    assert_eq!(outcomes, [RestoreImage::NotFound]);
    let outcomes = catalog.restore_images(trash, &["image-a", "image-b"], None, NOW).await.unwrap();
    assert_eq!(outcomes, [restored("a"), restored("b")]);

    // Nothing is purged if an image is not in the trash.
    assert_eq!(catalog.purge_images(trash, &["image-c", "image-a"], NOW).await.unwrap(), Err(1));
    assert_eq!(catalog.purge_images(foreign, &["image-c"], NOW).await.unwrap(), Err(0));
    for purged in [1, 0] {
        assert_eq!(catalog.purge_images(trash, &["image-c"], NOW).await.unwrap(), Ok(purged));
    }
    assert!(catalog.purge_oldest(foreign, NOW, 10).await.unwrap().is_empty());
    assert!(catalog.purge_oldest(trash, NOW - 1, 10).await.unwrap().is_empty());
    assert_eq!(catalog.purge_oldest(trash, NOW, 10).await.unwrap(), ["image-d"]);
    assert_eq!(names(trash, None, None, all).await, (String::new(), 0, None));
}

async fn a_purged_image_leaves_nothing(engine: Engine) {
    let (catalog, owner) = start(&engine).await;
    let scope = Scope::own(owner);
    make(&catalog, owner, "a", "vm", NOW).await;
    let cover =
        CoverChange::Set(Cover { id: "cover".into(), media_type: "image/png".into(), data: "AA==".into() });
    let changes = ImageChanges { cover: Some(&cover), ..ImageChanges::default() };
    catalog.update_image(scope, "image-a", changes, NOW).await.unwrap();
    // Only images in the trash are purged.
    assert!(!catalog.purge_image("image-a", i64::MAX).await.unwrap());
    delete(&catalog, owner, "image-a", NOW + 10).await;
    assert!(!catalog.purge_image("image-a", NOW + 9).await.unwrap());
    assert!(catalog.purge_image("image-a", NOW + 10).await.unwrap());
    assert!(!catalog.purge_image("image-a", NOW + 10).await.unwrap());
    assert_eq!(catalog.restore_image("image-a", None, NOW).await.unwrap(), RestoreImage::NotFound);
    assert_eq!(catalog.manifest_uses("", 10).await.unwrap(), []);
    // Name, id, instance, job id and cover id are free again.
    make(&catalog, owner, "a", "vm", NOW).await;
    assert_eq!(catalog.update_image(scope, "image-a", changes, NOW).await.unwrap(), UpdateImage::Updated);
    assert_eq!(total(&catalog, owner).await, 1);
}

async fn the_trash_is_listed_and_paged(engine: Engine) {
    let (catalog, owner) = start(&engine).await;
    // The clock is set back once.
    for (name, at) in [("a", 3), ("b", 1), ("c", 2), ("d", 2), ("e", 9)] {
        make(&catalog, owner, name, "vm", NOW).await;
        if name != "e" {
            delete(&catalog, owner, &format!("image-{name}"), NOW + at).await;
        }
    }
    let names = |images: Vec<jingku_catalog::TrashedImage>| {
        images.into_iter().map(|image| image.name).collect::<String>()
    };
    assert_eq!(names(catalog.trash(3).await.unwrap()), "dcb", "the last deleted first");
    let until = |at, after, limit| catalog.trash_until(NOW + at, after, limit);
    assert_eq!(names(until(2, (i64::MIN, ""), 10).await.unwrap()), "bcd");
    assert_eq!(names(until(9, (i64::MIN, ""), 2).await.unwrap()), "bc");
    assert_eq!(names(until(9, (NOW + 2, "image-c"), 2).await.unwrap()), "da");
    let one = catalog.trashed_image("image-b").await.unwrap().unwrap();
    assert_eq!((one.deleted_at, one.owner_name.as_str(), one.size_bytes), (NOW + 1, "lab", 5));
    assert_eq!(catalog.trashed_image("image-e").await.unwrap(), None);
    let uses = catalog.manifest_uses("image-c", 10).await.unwrap();
    let uses: Vec<_> = uses.iter().map(|one| (one.name.as_str(), one.trashed)).collect();
    assert_eq!(uses, [("d", true), ("e", false)]);
}

async fn an_image_is_restored_or_purged_but_not_both(engine: Engine) {
    let (catalog, owner) = start(&engine).await;
    for round in 0..10 {
        let name = format!("r{round}");
        make(&catalog, owner, &name, "vm", NOW).await;
        let id = format!("image-{name}");
        delete(&catalog, owner, &id, NOW).await;
        let outcomes = at_once(&engine, 8, {
            let id = id.clone();
            move |catalog, number| {
                let id = id.clone();
                async move {
                    if number % 2 == 0 {
                        let outcome = catalog.restore_image(&id, None, NOW).await.unwrap();
                        matches!(outcome, RestoreImage::Restored(_)).then_some("restored")
                    } else {
                        let outcome = catalog.purge_image(&id, NOW).await.unwrap();
                        (outcome).then_some("purged")
                    }
                }
            }
        })
        .await;
        let happened: Vec<_> = outcomes.into_iter().flatten().collect();
        assert_eq!(happened.len(), 1, "{happened:?}");
        let there = catalog.image(Scope::own(owner), &id).await.unwrap().is_some();
        assert_eq!(there, happened == ["restored"]);
    }
    total(&catalog, owner).await;
}

async fn concurrent_images_get_a_trashed_name_once(engine: Engine) {
    let (catalog, owner) = start(&engine).await;
    make(&catalog, owner, "a", "vm", NOW).await;
    delete(&catalog, owner, "image-a", NOW).await;
    for number in 0..8 {
        instance(&catalog, owner, &format!("vm-{number}")).await;
    }
    let got = at_once(&engine, 8, move |catalog, number| async move {
        if number % 4 == 0 {
            let outcome = catalog.restore_image("image-a", None, NOW).await.unwrap();
            return matches!(outcome, RestoreImage::Restored(_));
        }
        let (image, job, vm) = (format!("new-{number}"), format!("job-{number}"), format!("vm-{number}"));
        let new = new_image(&image, "a", &vm);
        let job = &job;
        catalog.create_image(Scope::own(owner), new, job, NOW).await.unwrap() == CreateImage::Created
    })
    .await;
    assert_eq!((count(&got, &true), total(&catalog, owner).await), (1, 1), "{got:?}");
}

async fn an_image_is_forgotten_wherever_it_is(engine: Engine) {
    let (catalog, owner) = start(&engine).await;
    make(&catalog, owner, "a", "vm", NOW).await;
    publish(&catalog, owner, "image-a", "group", ImageChanges::default(), NOW).await;
    make(&catalog, owner, "b", "vm", NOW).await;
    delete(&catalog, owner, "image-b", NOW).await;
    assert_eq!(create(&catalog, owner, "c", "vm").await, CreateImage::Created);
    for id in ["image-a", "image-b", "image-c"] {
        assert!(catalog.forget_image(id).await.unwrap(), "{id}");
        assert!(!catalog.forget_image(id).await.unwrap(), "{id}");
    }
    assert_eq!((total(&catalog, owner).await, catalog.manifest_uses("", 10).await.unwrap().len()), (0, 0));
    // The instance is free, and the group is empty: its first version name is free.
    make(&catalog, owner, "d", "vm", NOW).await;
    let into =
        ImageChanges { group_id: Some("group"), version_name: Some("v1.0"), ..ImageChanges::default() };
    publish(&catalog, owner, "image-d", "group", into, NOW).await;
}

async fn a_backup_is_a_consistent_snapshot(engine: Engine) {
    let (catalog, owner) = start(&engine).await;
    make(&catalog, owner, "a", "vm", NOW).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("copy.db");
    if engine.is_memory() {
        let refused = catalog.back_up(&path).await;
        assert!(matches!(refused, Err(jingku_catalog::CatalogError::Bug(_))), "{refused:?}");
        return;
    }
    if engine.is_newer {
        // It would lose what this program does not know.
        let refused = catalog.back_up(&path).await;
        assert!(matches!(refused, Err(jingku_catalog::CatalogError::Newer { .. })), "{refused:?}");
        return;
    }
    // Under concurrent writes, the copy has no partial change.
    let writer = catalog.clone();
    let writing = tokio::spawn(async move {
        for number in 0..50 {
            make(&writer, owner, &format!("b{number}"), "vm", NOW).await;
        }
    });
    catalog.back_up(&path).await.unwrap();
    writing.await.unwrap();
    let copy = Catalog::open_sqlite(&path).await.unwrap();
    assert!(copy.image(Scope::own(owner), "image-a").await.unwrap().is_some());
    let page = copy.images_page(Scope::own(owner), ImageFilter::default(), Paging::first(100)).await.unwrap();
    assert_eq!(page.items.len(), usize::try_from(page.total).unwrap());
    assert!(catalog.back_up(&path).await.is_err(), "it does not overwrite");
    let mode = std::os::unix::fs::PermissionsExt::mode(&path.metadata().unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
}
