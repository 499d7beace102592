//! Copies between engines, and the store id of a database.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use jingku_catalog::testing::postgres_database;
use jingku_catalog::{
    Catalog, CatalogError, CreateImage, ImageChanges, ImageFilter, NewAccount, Paging, Scope, ShareChanges,
    ShareImage, UpdateImage,
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
        let noted = from.copy_and_note_changes(&to, "", "mark", &|_| ()).await.unwrap();
        let mut frozen = from.freeze().await.unwrap();
        // This change waits until the catalogue has moved.
        let waiting = other.clone();
        let waiting = tokio::spawn(async move { waiting.create_account(new("waiting"), NOW).await });
        let (written, tables) = frozen.complete(&to, "", "mark", &|_| ()).await.unwrap();
        // A new catalogue has the row of the platform and the head of the audit log.
        assert_eq!(noted + 2, tables.iter().map(|table| table.rows).sum::<u64>());
        assert_eq!(written, 0);
        let images = tables.iter().find(|table| table.name == "images").unwrap();
        assert_eq!(images.rows, 251);
        frozen.retire("elsewhere's").await.unwrap();
        assert!(waiting.await.unwrap().is_err());
        let refused = other.create_account(new("later"), NOW).await;
        assert!(matches!(&refused, Err(CatalogError::Moved(place)) if place == "elsewhere's"), "{refused:?}");
        assert!(other.ping().await.unwrap_err().to_string().ends_with("moved to elsewhere's"));
        assert_eq!(other.moved_to().await.unwrap().as_deref(), Some("elsewhere's"));
        // It is as it was, and so is the copy.
        let expected = state(&to).await;
        assert_eq!(state(&other).await, expected);
        assert_eq!(to.moved_to().await.unwrap(), None);
        // It is used again.
        account(&to, "newer").await;
        from.reinstate("").await.unwrap();
        assert_eq!(other.moved_to().await.unwrap(), None);
        let written = to.copy_and_note_changes(&from, "", "mark", &|_| ()).await.unwrap();
        // The account, and the row of counters.
        assert_eq!(written, 2);
        account(&to, "noted").await;
        let (written, _) = to.freeze().await.unwrap().complete(&from, "", "mark", &|_| ()).await.unwrap();
        assert_eq!(written, 2);
        to.forget_changes().await.unwrap();
        to.forget_changes().await.unwrap();
        account(&to, "not noted").await;
        to.copy_changes(&from, "", &|_| ()).await.unwrap();
        assert_eq!(state(&from).await, state(&to).await);
        account(&other, "newest").await;
        from.freeze().await.unwrap().retire("elsewhere's").await.unwrap();
        other.reinstate("one").await.unwrap();
        account(&other, "last").await;
        assert_eq!(from.store_id().await.unwrap(), "one");
    }
}

/// A file and a database, in both orders, and in memory.
async fn pairs(folder: &Path) -> Vec<(Catalog, Catalog)> {
    let mut pairs = Vec::new();
    for number in 0..2 {
        let file = Catalog::open_sqlite(&folder.join(format!("{number}.db"))).await.unwrap();
        let Some(url) = postgres_database().await else { continue };
        let database = Catalog::connect_postgres(&url, None).await.unwrap();
        pairs.push(if number == 0 { (file, database) } else { (database, file) });
    }
    let file = Catalog::open_sqlite(&folder.join("2.db")).await.unwrap();
    pairs.push((file, Catalog::open_sqlite_in_memory().await.unwrap()));
    pairs
}

/// Two images exchange their names, one goes, one comes.
async fn change(catalog: &Catalog) {
    let owner = catalog.accounts().await.unwrap()[0].id;
    for (id, name) in [("image-镜像-3", "temporary"), ("image-镜像-7", "镜像-3"), ("image-镜像-3", "镜像-7")]
    {
        let changes = ImageChanges { name: Some(name), ..ImageChanges::default() };
        let updated = catalog.update_image(Scope::own(owner), id, changes, NOW).await.unwrap();
        assert_eq!(updated, UpdateImage::Updated);
    }
    assert!(catalog.forget_image("image-made").await.unwrap());
    make(catalog, owner, "new", "vm", NOW).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_during_the_last_pass_is_noted() {
    let folder = tempfile::tempdir().unwrap();
    for (from, to) in pairs(folder.path()).await {
        fill(&from).await;
        let other = from.clone();
        let noted = from.copy_and_note_changes(&to, "copy", "one", &|_| ()).await.unwrap();
        assert!(noted > 750, "{noted}");
        change(&other).await;
        // Another one notes in its place: what the first one missed would be lost.
        from.copy_and_note_changes(&to, "copy", "two", &|_| ()).await.unwrap();
        let refused = from.freeze().await.unwrap().complete(&to, "copy", "one", &|_| ()).await;
        assert!(matches!(refused, Err(CatalogError::Contended(_))), "{refused:?}");
        let owner = other.accounts().await.unwrap()[0].id;
        assert!(other.forget_image("image-new").await.unwrap());
        // Keys on more than one page.
        for number in 0..120 {
            let vm = format!("noted-{number}");
            instance(&other, owner, &vm).await;
            create(&other, owner, &vm, &vm).await;
        }
        let (written, tables) =
            from.freeze().await.unwrap().complete(&to, "copy", "two", &|_| ()).await.unwrap();
        assert!((240..600).contains(&written), "{written}");
        assert_eq!(tables.iter().find(|table| table.name == "images").unwrap().rows, 370);
        assert_eq!(state(&to).await, state(&from).await);
        assert_eq!(from.copy_changes(&to, "copy", &|_| ()).await.unwrap(), 0, "a change was not noted");
        assert_eq!(to.check(true).await.unwrap(), [""; 0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pass_writes_only_the_rows_that_differ() {
    let folder = tempfile::tempdir().unwrap();
    for (from, to) in pairs(folder.path()).await {
        fill(&from).await;
        let pages = AtomicU64::new(0);
        let watch = |rows| {
            assert!((1..=1000).contains(&rows));
            pages.fetch_add(1, Ordering::Relaxed);
        };
        let written = from.copy_changes(&to, "copy", &watch).await.unwrap();
        assert!(written > 750 && pages.load(Ordering::Relaxed) < 50, "{written} {pages:?}");
        assert_eq!(from.copy_changes(&to, "copy", &watch).await.unwrap(), 0);
        assert_eq!(to.store_id().await.unwrap(), "copy");
        change(&from).await;
        let scope = Scope::own(from.accounts().await.unwrap()[0].id);
        // The target has something that the source has not.
        account(&to, "stray").await;
        let written = from.copy_changes(&to, "copy", &watch).await.unwrap();
        assert!((4..20).contains(&written), "{written}");
        assert_eq!(state(&to).await, state(&from).await);
        assert_eq!(from.copy_changes(&to, "copy", &watch).await.unwrap(), 0);
        let image = to.image(scope, "image-镜像-3").await.unwrap().unwrap();
        assert_eq!(image.name, "镜像-7");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn passes_converge_while_the_catalogue_changes() {
    let folder = tempfile::tempdir().unwrap();
    for (from, to) in pairs(folder.path()).await {
        fill(&from).await;
        let owner = from.accounts().await.unwrap()[0].id;
        let (writer, stop) = (from.clone(), Arc::new(AtomicBool::new(false)));
        let stopped = Arc::clone(&stop);
        let writing = tokio::spawn(async move {
            let mut made = 0;
            while !stopped.load(Ordering::Relaxed) {
                let name = format!("live-{made}");
                instance(&writer, owner, &name).await;
                assert_eq!(create(&writer, owner, &name, &name).await, CreateImage::Created);
                if made % 2 == 0 {
                    writer.forget_image(&format!("image-{name}")).await.unwrap();
                }
                made += 1;
            }
            made
        });
        for pass in 0..5 {
            let written = from.copy_changes(&to, "", &|_| ()).await.unwrap();
            assert!(pass == 0 || written < 750, "pass {pass} has written {written}");
        }
        from.copy_and_note_changes(&to, "", "mark", &|_| ()).await.unwrap();
        stop.store(true, Ordering::Relaxed);
        let made = writing.await.unwrap();
        assert!(made > 0);
        from.freeze().await.unwrap().complete(&to, "", "mark", &|_| ()).await.unwrap();
        assert_eq!(state(&to).await, state(&from).await);
        assert_eq!(to.check(true).await.unwrap(), [""; 0]);
    }
}
