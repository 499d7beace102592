//! Pages at large offsets, which are found by positions in memory, compared with a list of all images.

use jingku_catalog::{AccountId, Catalog, DeleteImage, ImageFilter, Paging, RestoreImage, Scope, SeedImages};

use crate::engines::{Engine, on_every_engine};
use crate::setting::{NOW, ZONES, account, seeded, seeded_id};

on_every_engine!(
    deep_pages_follow_every_change,
    deep_pages_fit_together_under_changes,
    a_bulk_of_changes_is_read_again,
    deep_pages_of_the_platform_are_found,
);

async fn add(catalog: &Catalog, owner: AccountId, numbers: std::ops::Range<usize>) {
    let images: Vec<_> = numbers.map(|number| seeded(owner, number)).collect();
    assert_eq!(catalog.seed_images(&images, &[], NOW).await.unwrap(), SeedImages::Seeded);
}

/// Compares pages at some offsets with the list of all images.
async fn check(catalog: &Catalog, owner: AccountId, step: &str) {
    let scope = Scope::own(owner);
    for zones in [None, Some(&ZONES[..1]), Some(&ZONES[1..])] {
        let all = catalog.images_between(scope, zones, 0..=i64::MAX, 100_000).await.unwrap();
        let end = u32::try_from(all.len()).unwrap();
        let offsets = [129, 150, 222, end.saturating_sub(3), end, end + 1000];
        for offset in offsets.into_iter().filter(|offset| *offset > 128) {
            let paging = Paging::Offset { offset, limit: 4 };
            let expected: Vec<_> = all.iter().skip(offset as usize).take(4).collect();
            let page = catalog.newest_images(scope, zones, paging).await.unwrap().unwrap();
            assert_eq!(
                page.rows,
                expected.iter().map(|(row, _)| *row).collect::<Vec<_>>(),
                "{step} {offset}"
            );
            let filter = ImageFilter { zones, ..ImageFilter::default() };
            let with_rows = catalog.images_page(scope, filter, paging).await.unwrap();
            assert!(with_rows.items.iter().eq(expected.iter().map(|(_, image)| image)), "{step} {offset}");
            assert_eq!((page.total, with_rows.total), (end.into(), end.into()), "{step} {offset}");
            assert_eq!(page.next.is_some(), offset + 4 < end, "{step} {offset}");
            assert_eq!(page.next, with_rows.next);
        }
    }
}

async fn deep_pages_follow_every_change(engine: Engine) {
    let catalog = engine.catalog.clone();
    // Changes come from another process, which also lists.
    let other = engine.other_process().await;
    let owner = account(&catalog, "lab").await.id;
    let scope = Scope::own(owner);
    add(&other, owner, 0..400).await;
    check(&catalog, owner, "first").await;
    let id = |number: usize| seeded_id(owner, number);
    let delete = async |number: usize| {
        assert_eq!(other.delete_image(scope, &id(number), NOW).await.unwrap(), DeleteImage::Deleted);
    };
    for number in [399, 0, 1, 200, 201, 202, 77] {
        delete(number).await;
        check(&catalog, owner, "delete").await;
    }
    let name = "back";
    let restored = other.restore_image(&id(200), Some(name), NOW).await.unwrap();
    assert_eq!(restored, RestoreImage::Restored(name.to_owned()));
    check(&catalog, owner, "restore").await;
    assert!(other.purge_image(&id(201), NOW).await.unwrap());
    check(&catalog, owner, "purge what was known to be deleted").await;
    delete(300).await;
    assert!(other.purge_image(&id(300), NOW).await.unwrap());
    check(&catalog, owner, "delete and purge").await;
    assert!(other.forget_image(&id(301)).await.unwrap());
    check(&catalog, owner, "forget").await;
    for first in [400, 410, 420] {
        add(&other, owner, first..first + 10).await;
        delete(first + 3).await;
        check(&catalog, owner, "add").await;
        check(&other, owner, "add, seen by the other process").await;
    }
}

async fn deep_pages_fit_together_under_changes(engine: Engine) {
    let (catalog, other) = (engine.catalog.clone(), engine.other_process().await);
    let owner = account(&catalog, "lab").await.id;
    let scope = Scope::own(owner);
    add(&catalog, owner, 0..300).await;
    let changing = tokio::spawn(async move {
        for number in 0..60 {
            let (oldest, newest) = (number, 300 + number);
            add(&other, owner, newest..newest + 1).await;
            let id = seeded_id(owner, oldest);
            other.delete_image(scope, &id, NOW).await.unwrap();
        }
    });
    // One image is added before each deletion of the oldest: there are 300 or 301, and all have consecutive numbers.
    while !changing.is_finished() {
        let paging = Paging::Offset { offset: 200, limit: 10 };
        let page = catalog.newest_images(scope, None, paging).await.unwrap().unwrap();
        let first = page.rows[0].seq;
        assert!((300..=301).contains(&page.total), "{page:?}");
        assert!(page.rows.iter().zip(0..).all(|(row, place)| row.seq == first - place), "{page:?}");
        // The number of the newest image follows from the revision: each change increases it by one.
        let added = (page.revision - 1 + 1) / 2;
        assert_eq!(first, 300 + added - 200, "{page:?}");
    }
    changing.await.unwrap();
    check(&catalog, owner, "last").await;
}

async fn a_bulk_of_changes_is_read_again(engine: Engine) {
    let (catalog, other) = (engine.catalog.clone(), engine.other_process().await);
    let owner = account(&catalog, "lab").await.id;
    add(&catalog, owner, 0..200).await;
    check(&catalog, owner, "first").await;
    add(&other, owner, 200..1500).await;
    check(&catalog, owner, "bulk").await;
}

async fn deep_pages_of_the_platform_are_found(engine: Engine) {
    let catalog = engine.catalog;
    add(&catalog, AccountId::PLATFORM, 0..300).await;
    check(&catalog, AccountId::PLATFORM, "first").await;
}

#[tokio::test]
async fn deep_pages_follow_a_return_to_a_snapshot() {
    let catalog = Catalog::open_sqlite_in_memory().await.unwrap();
    let owner = account(&catalog, "lab").await.id;
    add(&catalog, owner, 0..300).await;
    let snapshot = catalog.snapshot().await.unwrap();
    check(&catalog, owner, "first").await;
    for round in 1..4 {
        add(&catalog, owner, 300..300 + 20 * round).await;
        check(&catalog, owner, "add").await;
        catalog.restore(&snapshot).await.unwrap();
        check(&catalog, owner, "restore").await;
    }
}

#[tokio::test]
async fn an_account_that_does_not_exist_has_no_deep_page() {
    let catalog = Catalog::open_sqlite_in_memory().await.unwrap();
    let paging = Paging::Offset { offset: 500, limit: 4 };
    assert!(catalog.newest_images(Scope::own(AccountId(9)), None, paging).await.unwrap().is_none());
    let page = catalog.images_page(Scope::own(AccountId(9)), ImageFilter::default(), paging).await.unwrap();
    assert_eq!((page.items.len(), page.total), (0, 0));
}
