//! Lists of several accounts and filtered lists, whose order is in memory, compared with the same lists read anew, while
//! another process changes them.

use jingku_catalog::{
    AccountId, Catalog, DeleteImage, GroupFilter, GroupOrder, GroupSort, ImageChanges, ImageFilter,
    NewAccount, Paging, Publication, RestoreImage, Scope, SeedGroup, SeedImage, SeedImages, SeedVersion,
    ShareChanges, ShareImage, UpdateImage,
};

use crate::engines::{Engine, on_every_engine};
use crate::setting::{NOW, ZONES, account, seeded, seeded_id};

on_every_engine!(
    a_shared_list_follows_every_change,
    a_shared_list_shows_nothing_late,
    a_list_of_groups_follows_every_change,
    a_list_of_groups_shows_nothing_late,
    a_filtered_list_follows_every_change,
);

const IMAGES: usize = 40;

/// Two owners with images, and an account that sees images of both.
async fn owners(catalog: &Catalog) -> ([AccountId; 2], AccountId) {
    let owners = [account(catalog, "one").await.id, account(catalog, "two").await.id];
    let viewer = account(catalog, "viewer").await.id;
    for owner in owners {
        let shared_with = [viewer];
        let image = |number| SeedImage { shared_with: &shared_with, ..seeded(owner, number) };
        let images: Vec<_> = (0..IMAGES).map(image).collect();
        assert_eq!(catalog.seed_images(&images, &[], NOW).await.unwrap(), SeedImages::Seeded);
    }
    (owners, viewer)
}

async fn share(catalog: &Catalog, owner: AccountId, number: usize, add: &[AccountId], remove: &[AccountId]) {
    let changes = ShareChanges { add, remove, shares_max: 9 };
    let id = seeded_id(owner, number);
    let shared = catalog.share_image(Scope::own(owner), &id, changes, NOW).await.unwrap();
    assert_eq!(shared, ShareImage::Shared);
}

async fn rename(catalog: &Catalog, owner: AccountId, number: usize, name: &str) {
    let id = seeded_id(owner, number);
    let changes = ImageChanges { name: Some(name), ..ImageChanges::default() };
    let updated = catalog.update_image(Scope::own(owner), &id, changes, NOW).await.unwrap();
    assert_eq!(updated, UpdateImage::Updated);
}

async fn delete(catalog: &Catalog, owner: AccountId, number: usize) {
    let id = seeded_id(owner, number);
    let deleted = catalog.delete_image(Scope::own(owner), &id, NOW).await.unwrap();
    assert_eq!(deleted, DeleteImage::Deleted);
}

/// Compares pages of a shared list with those of one statement.
async fn check_shared(catalog: &Catalog, viewer: AccountId, step: &str) {
    let scope = Scope::shared_with(viewer);
    for zones in [None, Some(&ZONES[..1]), Some(&ZONES[1..]), Some(&[][..])] {
        let filter = ImageFilter { zones, ..ImageFilter::default() };
        for offset in [0, 1, 30, 77, 300] {
            let paging = Paging::Offset { offset, limit: 7 };
            let expected = catalog.images_page(scope, filter, paging).await.unwrap();
            let found = catalog.shared_images(viewer, zones, paging).await.unwrap().unwrap();
            let ids: Vec<&str> = found.rows.iter().map(|row| row.id.as_str()).collect();
            let expected_ids: Vec<&str> = expected.items.iter().map(|image| image.id.as_str()).collect();
            assert_eq!(ids, expected_ids, "{step} {offset}");
            assert_eq!((found.total, &found.next), (expected.total, &expected.next), "{step} {offset}");
            let rows = catalog.shared_rows(viewer, &ids).await.unwrap();
            assert_eq!(rows.len(), ids.len());
            for (version, image) in rows {
                let row = found.rows.iter().find(|row| row.id == image.id).unwrap();
                assert_eq!((row.owner, row.version), (image.account, version), "{step}");
                assert!(expected.items.contains(&image), "{step}");
            }
            let Some(cursor) = found.next else { continue };
            let paging = Paging::After { cursor: &cursor, limit: 7 };
            let expected = catalog.images_page(scope, filter, paging).await.unwrap();
            let found = catalog.shared_images(viewer, zones, paging).await.unwrap().unwrap();
            assert!(found.rows.iter().map(|row| &row.id).eq(expected.items.iter().map(|image| &image.id)));
            assert_eq!(found.next, expected.next, "{step} {offset}");
        }
    }
}

async fn a_shared_list_follows_every_change(engine: Engine) {
    let (catalog, other) = (engine.catalog.clone(), engine.other_process().await);
    let ([one, two], viewer) = owners(&other).await;
    check_shared(&catalog, viewer, "first").await;
    for number in [39, 0, 20] {
        share(&other, one, number, &[], &[viewer]).await;
        check_shared(&catalog, viewer, "unshare").await;
    }
    share(&other, one, 20, &[viewer], &[]).await;
    check_shared(&catalog, viewer, "share again").await;
    rename(&other, two, 5, "renamed").await;
    check_shared(&catalog, viewer, "rename").await;
    delete(&other, two, 39).await;
    check_shared(&catalog, viewer, "delete").await;
    let id = seeded_id(two, 39);
    let restored = other.restore_image(&id, None, NOW).await.unwrap();
    assert_eq!(restored, RestoreImage::Restored("name-39".into()));
    check_shared(&catalog, viewer, "restore, which does not share").await;
    assert!(other.forget_image(&seeded_id(two, 10)).await.unwrap());
    check_shared(&catalog, viewer, "forget").await;
    let more = [SeedImage { shared_with: &[viewer], ..seeded(one, 99) }];
    assert_eq!(other.seed_images(&more, &[], NOW).await.unwrap(), SeedImages::Seeded);
    check_shared(&catalog, viewer, "new").await;
    assert!(catalog.shared_images(AccountId(99), None, Paging::first(5)).await.unwrap().is_none());
    let nothing = catalog.shared_images(one, None, Paging::first(5)).await.unwrap().unwrap();
    assert_eq!((nothing.rows.len(), nothing.total), (0, 0));
}

/// A share that was taken back before a request is in none of its pages, and its total fits its rows.
async fn a_shared_list_shows_nothing_late(engine: Engine) {
    let (catalog, other) = (engine.catalog.clone(), engine.other_process().await);
    let ([one, _], viewer) = owners(&other).await;
    let done = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counter = std::sync::Arc::clone(&done);
    let changing = tokio::spawn(async move {
        for number in 0..IMAGES {
            share(&other, one, number, &[], &[viewer]).await;
            counter.store(number + 1, std::sync::atomic::Ordering::SeqCst);
        }
    });
    while !changing.is_finished() {
        let before = done.load(std::sync::atomic::Ordering::SeqCst);
        let page = catalog.shared_images(viewer, None, Paging::first(100)).await.unwrap();
        // It may change too fast.
        let Some(page) = page else { continue };
        assert_eq!(page.total, i64::try_from(page.rows.len()).unwrap());
        let of_one = page.rows.iter().filter(|row| row.owner == one).count();
        assert!(of_one <= IMAGES - before, "{of_one} images after {before} were taken back");
    }
    changing.await.unwrap();
    check_shared(&catalog, viewer, "last").await;
}

async fn publish_groups(catalog: &Catalog, owner: AccountId, numbers: std::ops::Range<usize>) {
    let group = |number: usize| format!("group-{}-{number:03}", owner.0);
    let groups: Vec<_> = numbers
        .clone()
        .map(|number| SeedGroup {
            id: group(number),
            account: owner,
            recommend_count: i64::try_from(number % 3).unwrap(),
            favored_by: Vec::new(),
        })
        .collect();
    let image = |number| {
        let version = SeedVersion {
            group_id: group(number),
            version_name: "v1.0".to_owned(),
            ..SeedVersion::default()
        };
        SeedImage { version: Some(version), container: true, ..seeded(owner, number) }
    };
    let images: Vec<_> = numbers.map(image).collect();
    assert_eq!(catalog.seed_images(&images, &groups, NOW).await.unwrap(), SeedImages::Seeded);
}

fn group_filters() -> Vec<GroupFilter<'static>> {
    let all = GroupFilter {
        id: None,
        image_id: None,
        zones: None,
        name: None,
        author: None,
        words: None,
        tags: &[],
        free: None,
        official: None,
        auto_start: None,
    };
    vec![
        all,
        GroupFilter { zones: Some(&ZONES[..1]), ..all },
        GroupFilter { name: Some("NAME-1"), ..all },
        GroupFilter { author: Some("two"), ..all },
        GroupFilter { words: Some("one 2"), ..all },
        GroupFilter { free: Some(true), ..all },
    ]
}

/// Compares pages with those that a process with nothing in memory reads.
async fn check_groups(engine: &Engine, viewer: AccountId, step: &str) {
    let fresh = engine.other_process().await;
    for scope in [Scope::published(), Scope::own(AccountId(1)), Scope::published_by(AccountId(2))] {
        for filter in group_filters() {
            for (by, ascending) in [
                (GroupSort::Recommended, false),
                (GroupSort::Favor, true),
                (GroupSort::PubTime, true),
                (GroupSort::Price, false),
            ] {
                let order = GroupOrder { by, ascending };
                for offset in [0, 3, 33, 500] {
                    let paging = Paging::Offset { offset, limit: 6 };
                    let page =
                        engine.catalog.groups_page(scope, viewer, filter, order, paging).await.unwrap();
                    let expected = fresh.groups_page(scope, viewer, filter, order, paging).await.unwrap();
                    assert_eq!(page.items, expected.items, "{step} {scope:?} {filter:?} {order:?} {offset}");
                    assert_eq!((page.total, page.next), (expected.total, expected.next), "{step}");
                }
            }
        }
    }
}

async fn a_list_of_groups_follows_every_change(engine: Engine) {
    let other = engine.other_process().await;
    let (one, two) = (account(&other, "one").await.id, account(&other, "two").await.id);
    let fan = account(&other, "fan").await.id;
    assert_eq!((one, two), (AccountId(1), AccountId(2)));
    publish_groups(&other, one, 0..20).await;
    publish_groups(&other, two, 0..20).await;
    check_groups(&engine, fan, "first").await;
    assert!(other.recommend_group("group-1-004", 50).await.unwrap());
    check_groups(&engine, fan, "recommend").await;
    assert!(other.add_favorite(fan, "group-2-003", NOW).await.unwrap());
    check_groups(&engine, fan, "favour").await;
    assert!(other.remove_favorite(fan, "group-2-003").await.unwrap());
    check_groups(&engine, fan, "favour no more").await;
    rename(&other, two, 7, "one 2").await;
    check_groups(&engine, fan, "rename").await;
    let private = ImageChanges { publication: Some(Publication::Private), ..ImageChanges::default() };
    other.update_image(Scope::own(one), "image-1-005", private, NOW).await.unwrap();
    check_groups(&engine, fan, "unpublish").await;
    delete(&other, one, 5).await;
    check_groups(&engine, fan, "delete").await;
    assert!(other.forget_image("image-2-009").await.unwrap());
    check_groups(&engine, fan, "forget").await;
    publish_groups(&other, two, 30..33).await;
    check_groups(&engine, fan, "publish").await;
}

/// What was unpublished before a request is in none of its pages, and the total fits.
async fn a_list_of_groups_shows_nothing_late(engine: Engine) {
    let (catalog, other) = (engine.catalog.clone(), engine.other_process().await);
    let one = account(&other, "one").await.id;
    publish_groups(&other, one, 0..IMAGES).await;
    let done = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counter = std::sync::Arc::clone(&done);
    let changing = tokio::spawn(async move {
        for number in 0..IMAGES {
            let changes = ImageChanges { publication: Some(Publication::Private), ..ImageChanges::default() };
            let id = seeded_id(one, number);
            other.update_image(Scope::own(one), &id, changes, NOW).await.unwrap();
            counter.store(number + 1, std::sync::atomic::Ordering::SeqCst);
        }
    });
    let filter = group_filters()[0];
    while !changing.is_finished() {
        let before = done.load(std::sync::atomic::Ordering::SeqCst);
        let order = GroupOrder::default();
        let page =
            catalog.groups_page(Scope::published(), one, filter, order, Paging::first(100)).await.unwrap();
        assert_eq!(page.total, i64::try_from(page.items.len()).unwrap());
        assert!(page.items.len() <= IMAGES - before, "{} groups after {before}", page.items.len());
    }
    changing.await.unwrap();
}

async fn a_filtered_list_follows_every_change(engine: Engine) {
    let (catalog, other) = (engine.catalog.clone(), engine.other_process().await);
    let ([one, _], _) = owners(&other).await;
    let scope = Scope::own(one);
    let filter = ImageFilter { name: Some("NAME-1"), ..ImageFilter::default() };
    let check = async |step: &str| {
        for zones in [None, Some(&ZONES[..1]), Some(&ZONES[1..])] {
            let filter = ImageFilter { zones, ..filter };
            for offset in [0, 1, 5, 100] {
                let paging = Paging::Offset { offset, limit: 4 };
                let expected = catalog.images_page(scope, filter, paging).await.unwrap();
                let found = catalog.matching_images(scope, &filter, paging).await.unwrap().unwrap();
                let expected_seqs = expected.items.iter().map(|image| image.seq);
                assert!(found.rows.iter().map(|row| row.seq).eq(expected_seqs), "{step} {offset}");
                assert_eq!((found.total, found.next), (expected.total, expected.next), "{step} {offset}");
            }
        }
    };
    check("first").await;
    rename(&other, one, 1, "another").await;
    check("rename, so that it does not match").await;
    rename(&other, one, 30, "name-1x").await;
    check("rename, so that it matches").await;
    delete(&other, one, 12).await;
    check("delete").await;
    let id = seeded_id(one, 12);
    other.restore_image(&id, Some("name-12"), NOW).await.unwrap();
    check("restore").await;
    delete(&other, one, 13).await;
    assert!(other.purge_image(&seeded_id(one, 13), NOW).await.unwrap());
    check("delete and purge").await;
    assert_eq!(other.seed_images(&[seeded(one, 111)], &[], NOW).await.unwrap(), SeedImages::Seeded);
    check("new").await;
}

/// A lab returns to a snapshot: nothing in memory survives.
#[tokio::test]
async fn lists_follow_a_return_to_a_snapshot() {
    let engine = Engine::sqlite_in_memory().await;
    let catalog = engine.catalog.clone();
    let ([one, _], viewer) = owners(&catalog).await;
    publish_groups(&catalog, viewer, 0..5).await;
    let snapshot = catalog.snapshot().await.unwrap();
    let order = GroupOrder::default();
    let groups = async || {
        let paging = Paging::first(50);
        catalog.groups_page(Scope::published(), one, group_filters()[0], order, paging).await.unwrap()
    };
    let first = groups().await;
    for _ in 0..3 {
        check_shared(&catalog, viewer, "first").await;
        share(&catalog, one, 3, &[], &[viewer]).await;
        publish_groups(&catalog, viewer, 10..15).await;
        assert!(catalog.recommend_group("group-3-002", 9).await.unwrap());
        assert_eq!(groups().await.total, 10);
        check_shared(&catalog, viewer, "changed").await;
        catalog.restore(&snapshot).await.unwrap();
        let again = groups().await;
        assert_eq!((again.items, again.total), (first.items.clone(), 5));
    }
    let new = NewAccount { name: "later", project_id: "later" };
    assert!(catalog.create_account(new, NOW).await.unwrap().is_some());
}
