//! Copies between engines, and the store id of a database.

use jingku_catalog::testing::postgres_database;
use jingku_catalog::{
    Catalog, CatalogError, ImageFilter, NewAccount, Paging, Scope, ShareChanges, ShareImage,
};

use crate::setting::{NOW, account, create, instance, lab, make};

/// Accounts, shares, finished and running jobs, and trash, in several batches.
async fn fill(catalog: &Catalog) {
    let owner = lab(catalog).await;
    let other = account(catalog, "other").await.id;
    make(catalog, owner, "made", "vm", NOW).await;
    let scope = Scope::own(owner);
    let changes = ShareChanges { add: &[other], remove: &[], shares_max: 10 };
    assert_eq!(catalog.share_image(scope, "image-made", changes, NOW).await.unwrap(), ShareImage::Shared);
    for number in 0..250 {
        let vm = format!("vm-{number:03}");
        instance(catalog, owner, &vm).await;
        create(catalog, owner, &format!("镜像-{number}"), &vm).await;
    }
}

/// What the catalogue has, as text.
async fn state(catalog: &Catalog) -> Vec<String> {
    let accounts = catalog.accounts().await.unwrap();
    let mut state = vec![format!("{accounts:?}")];
    for account in accounts {
        let (scope, paging) = (Scope::own(account.id), Paging::first(1000));
        let page = catalog.images_page(scope, ImageFilter::default(), paging).await.unwrap();
        state.push(format!("{} {:?}", page.total, page.items));
        for image in &page.items {
            state.push(format!("{:?}", catalog.image_progress(scope, &image.id).await.unwrap()));
        }
    }
    state
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_through_both_engines_has_all_rows() {
    let (Some(from), Some(to)) = (postgres_database().await, postgres_database().await) else { return };
    let folder = tempfile::tempdir().unwrap();
    let from = Catalog::connect_postgres(&from, None).await.unwrap();
    fill(&from).await;
    let file = Catalog::open_sqlite(&folder.path().join("catalog.db")).await.unwrap();
    let to = Catalog::connect_postgres(&to, None).await.unwrap();
    // What is in the target is replaced.
    account(&to, "replaced").await;
    let count = from.copy_to(&file, "").await.unwrap();
    assert!(count > 750, "{count}");
    assert_eq!(file.copy_to(&to, "store").await.unwrap(), count);
    let expected = state(&from).await;
    assert_eq!(state(&file).await, expected);
    assert_eq!(state(&to).await, expected);
    assert_eq!(to.store_id().await.unwrap(), "store");
    assert_eq!(file.check(true).await.unwrap(), [""; 0]);
    // Ordinals and numbers continue.
    let owner = to.accounts().await.unwrap()[0].id;
    make(&to, owner, "later", "vm", NOW).await;
    let page = to.images_page(Scope::own(owner), ImageFilter::default(), Paging::first(1)).await.unwrap();
    assert_eq!(page.items[0].name, "later");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_is_of_one_moment() {
    let Some(url) = postgres_database().await else { return };
    let catalog = Catalog::connect_postgres(&url, None).await.unwrap();
    let owner = lab(&catalog).await;
    let writer = catalog.clone();
    let writing = tokio::spawn(async move {
        for number in 0..40 {
            make(&writer, owner, &format!("b{number}"), "vm", NOW).await;
        }
    });
    while !writing.is_finished() {
        let copy = Catalog::open_sqlite_in_memory().await.unwrap();
        catalog.copy_to(&copy, "").await.unwrap();
        let page =
            copy.images_page(Scope::own(owner), ImageFilter::default(), Paging::first(100)).await.unwrap();
        assert_eq!(page.items.len(), usize::try_from(page.total).unwrap());
        assert_eq!(copy.check(true).await.unwrap(), [""; 0]);
    }
    writing.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_belongs_to_one_store() {
    let Some(url) = postgres_database().await else { return };
    let first = Catalog::connect_postgres(&url, None).await.unwrap();
    assert_eq!(first.store_id().await.unwrap(), "");
    first.bind_store("one").await.unwrap();
    let again = Catalog::connect_postgres(&url, None).await.unwrap();
    again.bind_store("one").await.unwrap();
    let other = Catalog::connect_postgres(&url, None).await.unwrap();
    assert!(matches!(other.bind_store("two").await, Err(CatalogError::AnotherStore)));
    // A connection that is opened later is checked as well: the address may lead to another database by then.
    account(&first, "lab").await;
    let empty = Catalog::open_sqlite_in_memory().await.unwrap();
    empty.copy_to(&other, "two").await.unwrap();
    let mut refused = 0;
    let asked = (0..32).map(|_| {
        let again = again.clone();
        tokio::spawn(async move { again.accounts().await })
    });
    for asked in asked.collect::<Vec<_>>() {
        refused += usize::from(matches!(asked.await.unwrap(), Err(CatalogError::AnotherStore)));
    }
    assert!(refused > 0, "only old connections were used");
    let read_only = Catalog::connect_postgres_read_only(&url, None).await.unwrap();
    read_only.bind_store("two").await.unwrap();
    let refused = read_only.copy_to(&read_only, "three").await;
    assert!(matches!(refused, Err(CatalogError::ReadOnly)), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_moved_catalogue_rejects_every_change_of_every_process() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("catalog.db");
    let open = || Catalog::open_sqlite(&path);
    let mut engines = vec![(open().await.unwrap(), open().await.unwrap())];
    if let Some(url) = postgres_database().await {
        let open = || Catalog::connect_postgres(&url, None);
        engines.push((open().await.unwrap(), open().await.unwrap()));
    }
    let new = |name| NewAccount { name, project_id: name };
    for (from, other) in engines {
        fill(&from).await;
        let to = Catalog::open_sqlite_in_memory().await.unwrap();
        let mut frozen = from.freeze().await.unwrap();
        // This change waits until the catalogue has moved.
        let waiting = other.clone();
        let waiting = tokio::spawn(async move { waiting.create_account(new("waiting"), NOW).await });
        let tables = frozen.copy_to(&to, "").await.unwrap();
        let images = tables.iter().find(|table| table.name == "images").unwrap();
        assert_eq!(images.rows, 251);
        frozen.retire("elsewhere").await.unwrap();
        assert!(waiting.await.unwrap().is_err());
        assert!(other.create_account(new("later"), NOW).await.is_err());
        assert_eq!(other.moved_to().await.unwrap().as_deref(), Some("elsewhere"));
        // It is as it was, and so is the copy.
        let expected = state(&to).await;
        assert_eq!(state(&other).await, expected);
        assert_eq!(to.moved_to().await.unwrap(), None);
        // A copy replaces what was moved away.
        account(&to, "newer").await;
        to.freeze().await.unwrap().copy_to(&from, "").await.unwrap();
        assert_eq!(other.moved_to().await.unwrap(), None);
        account(&other, "newest").await;
        from.freeze().await.unwrap().retire("elsewhere").await.unwrap();
        other.reinstate("one").await.unwrap();
        account(&other, "last").await;
        assert_eq!(from.store_id().await.unwrap(), "one");
    }
}
