//! Opening a catalogue, and visibility between handles.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use std::{fs, thread};

use jingku_catalog::{Catalog, CatalogError, CreateImage, ImageFilter, NewAccount, Paging, Scope};
use tokio::runtime::Runtime;

use crate::engines::{Engine, on_every_engine};
use crate::setting::{account, create, instance, lab};

on_every_engine!(
    another_process_sees_a_change_at_once,
    acknowledged_changes_survive_reopening,
    the_generation_changes_with_every_change,
    a_dropped_call_leaves_no_partial_change,
    a_catalogue_answers_a_ping,
);

async fn another_process_sees_a_change_at_once(engine: Engine) {
    let other = engine.other_process().await;
    let lab = account(&engine.catalog, "lab").await;
    assert_eq!(other.accounts().await.unwrap(), std::slice::from_ref(&lab));
    let second = account(&other, "second").await;
    assert_eq!(engine.catalog.accounts().await.unwrap(), [lab, second]);
}

async fn acknowledged_changes_survive_reopening(engine: Engine) {
    let owner = lab(&engine.catalog).await;
    assert_eq!(create(&engine.catalog, owner, "a", "vm").await, CreateImage::Created);
    let before = engine.catalog.image(Scope::own(owner), "image-a").await.unwrap();
    assert!(before.is_some());
    let again = engine.other_process().await;
    drop(engine.catalog);
    assert_eq!(again.image(Scope::own(owner), "image-a").await.unwrap(), before);
}

async fn the_generation_changes_with_every_change(engine: Engine) {
    let catalog = &engine.catalog;
    let Some(empty) = catalog.generation() else {
        // PostgreSQL has none without a query.
        return;
    };
    assert_eq!(catalog.generation(), Some(empty));
    let lab = account(catalog, "lab").await;
    let one = catalog.generation();
    assert_ne!(one, Some(empty));
    assert_eq!(catalog.account(lab.id).await.unwrap(), Some(lab));
    assert_eq!(catalog.generation(), one);
    account(&engine.other_process().await, "second").await;
    assert_ne!(catalog.generation(), one);
}

async fn a_dropped_call_leaves_no_partial_change(engine: Engine) {
    let catalog = &engine.catalog;
    let owner = account(catalog, "lab").await.id;
    for number in 0..40_u64 {
        let (vm, name) = (format!("vm-{number}"), number.to_string());
        instance(catalog, owner, &vm).await;
        // Dropped after increasing times: before, during and after the transaction.
        let patience = Duration::from_micros(number * 40);
        let _ = tokio::time::timeout(patience, create(catalog, owner, &name, &vm)).await;
    }
    // No transaction is left open, and no image is partial.
    let begin = Instant::now();
    account(catalog, "second").await;
    assert!(begin.elapsed() < Duration::from_secs(4));
    let scope = Scope::own(owner);
    let page = catalog.images_page(scope, ImageFilter::default(), Paging::first(100)).await.unwrap();
    assert_eq!(page.items.len(), usize::try_from(page.total).unwrap());
    for image in page.items {
        assert!(catalog.image_progress(scope, &image.id).await.unwrap().is_some());
        let source = catalog.instance(None, &image.source_instance_id).await.unwrap().unwrap();
        assert_eq!(source.image_in_making, Some(image.id));
    }
}

async fn a_catalogue_answers_a_ping(engine: Engine) {
    engine.catalog.ping().await.unwrap();
    engine.other_process().await.ping().await.unwrap();
}

#[test]
fn a_new_file_can_be_opened_by_many_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("catalog.db");
    thread::scope(|threads| {
        for number in 0..8 {
            let path = &path;
            threads.spawn(move || {
                Runtime::new().unwrap().block_on(async {
                    let catalog = Catalog::open_sqlite(path).await.unwrap();
                    account(&catalog, &number.to_string()).await;
                });
            });
        }
    });
    let accounts = Runtime::new()
        .unwrap()
        .block_on(async { Catalog::open_sqlite(&path).await.unwrap().accounts().await.unwrap() });
    assert_eq!(accounts.len(), 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_server_database_can_be_opened_by_many_at_once() {
    let Some(url) = jingku_catalog::testing::postgres_database().await else { return };
    let opened = (0..8).map(|number| {
        let url = url.clone();
        tokio::spawn(async move {
            let catalog = Catalog::connect_postgres(&url, None).await.unwrap();
            account(&catalog, &number.to_string()).await;
        })
    });
    for opened in opened.collect::<Vec<_>>() {
        opened.await.unwrap();
    }
    let catalog = Catalog::connect_postgres(&url, None).await.unwrap();
    assert_eq!(catalog.accounts().await.unwrap().len(), 8);
}

#[tokio::test]
async fn a_new_file_is_for_its_owner_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("catalog.db");
    let catalog = Catalog::open_sqlite(&path).await.unwrap();
    account(&catalog, "lab").await;
    for file in fs::read_dir(folder.path()).unwrap() {
        let file = file.unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", file.file_name());
    }
}

/// Changes with every transaction, to detect a copy with half a change.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_a_catalogue_that_is_written_to_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("catalog.db");
    let catalog = Catalog::open_sqlite(&path).await.unwrap();
    let owner = account(&catalog, "first").await;
    let library = catalog.library_id().await.unwrap();
    assert_eq!(library, Some(owner.project_id));
    let stop = Arc::new(AtomicBool::new(false));
    let writer = {
        let (stop, path) = (Arc::clone(&stop), path.clone());
        thread::spawn(move || {
            let connection = rusqlite::Connection::open(path).unwrap();
            // The log is checkpointed and restarts all the time.
            connection.execute_batch("PRAGMA wal_autocheckpoint = 4").unwrap();
            let (mut number, filler) = (0, "x".repeat(9000));
            while !stop.load(Ordering::Relaxed) {
                number += 1;
                let change = "UPDATE accounts SET revision = ?1, name = ?1 || ?2 WHERE id = 1";
                connection.execute(change, (number, &filler)).unwrap();
            }
        })
    };
    let mut last = -1;
    for _ in 0..20 {
        let copy = match Catalog::open_sqlite_copy(&path).await {
            // It changed during ten attempts to copy it.
            Err(CatalogError::Unavailable(_)) => continue,
            copy => copy.unwrap(),
        };
        assert_eq!(copy.check(true).await.unwrap(), [""; 0]);
        let revision = copy.account_revision(owner.id).await.unwrap().unwrap();
        let name = copy.account(owner.id).await.unwrap().unwrap().name;
        assert!(revision == 0 || name.trim_end_matches('x') == revision.to_string(), "{revision} {name}");
        assert!(revision >= last, "{revision} after {last}");
        last = revision;
        assert_eq!(copy.library_id().await.unwrap(), library);
        let refused = copy.create_account(NewAccount { name: "second", project_id: "org-2" }, 0).await;
        assert!(matches!(refused, Err(CatalogError::ReadOnly)), "{refused:?}");
    }
    stop.store(true, Ordering::Relaxed);
    writer.join().unwrap();
    let copy = Catalog::open_sqlite_copy(&path).await.unwrap();
    assert!(copy.account_revision(owner.id).await.unwrap() > Some(0));
}

#[tokio::test]
async fn nothing_is_not_copied_as_an_empty_catalogue() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("catalog.db");
    assert!(matches!(Catalog::open_sqlite_copy(&path).await, Err(CatalogError::Unavailable(_))));
    fs::write(&path, "").unwrap();
    assert!(matches!(Catalog::open_sqlite_copy(&path).await, Err(CatalogError::Damaged(_))));
}

#[tokio::test]
async fn a_file_that_is_no_catalogue_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("catalog.db");
    fs::write(&path, "镜库 ".repeat(1000)).unwrap();
    assert!(matches!(Catalog::open_sqlite(&path).await, Err(CatalogError::Damaged(_))));
    let nowhere = folder.path().join("missing").join("catalog.db");
    assert!(matches!(Catalog::open_sqlite(&nowhere).await, Err(CatalogError::Unavailable(_))));
}

#[tokio::test]
async fn a_row_that_makes_no_sense_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("catalog.db");
    let catalog = Catalog::open_sqlite(&path).await.unwrap();
    let owner = lab(&catalog).await;
    create(&catalog, owner, "a", "vm").await;
    let vandal = rusqlite::Connection::open(&path).unwrap();
    vandal.execute("UPDATE images SET status = 'Lost'", []).unwrap();
    let error = catalog.image(Scope::own(owner), "image-a").await.unwrap_err();
    let expected = "the catalogue is inconsistent: row image-a of images: column 5 is \"Lost\"";
    assert_eq!(error.to_string(), expected);
}

#[tokio::test]
async fn a_catalogue_of_a_newer_version_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("catalog.db");
    drop(Catalog::open_sqlite(&path).await.unwrap());
    let newer = rusqlite::Connection::open(&path).unwrap();
    let insert = "INSERT INTO migrations (version, sql) SELECT MAX(version) + 1, 'SELECT 1' FROM migrations";
    newer.execute(insert, []).unwrap();
    let error = Catalog::open_sqlite(&path).await.err().expect("it is newer");
    assert!(
        matches!(error, CatalogError::Newer { found, known } if usize::try_from(found) == Ok(known + 1)),
        "{error}"
    );

    newer.execute("DELETE FROM migrations WHERE sql = 'SELECT 1'", []).unwrap();
    newer.execute("UPDATE migrations SET sql = 'SELECT 1'", []).unwrap();
    let error = Catalog::open_sqlite(&path).await.err().expect("it is another");
    assert!(matches!(error, CatalogError::Diverged { version: 1 }), "{error}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable() {
    let error = Catalog::connect_postgres("postgres:///x?host=/nonexistent&user=jingku", None)
        .await
        .err()
        .expect("no server");
    assert!(matches!(error, CatalogError::Unavailable(_)), "{error:?}");
    let error = Catalog::connect_postgres("mysql://host", None).await.err().expect("no such scheme");
    assert!(matches!(error, CatalogError::InvalidUrl(_)), "{error:?}");
}

/// A disk error in a mapped file would kill the process by a signal.
#[test]
fn nothing_is_mapped_into_memory() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mapped.db");
    let runtime = Runtime::new().unwrap();
    let catalog = runtime.block_on(Catalog::open_sqlite(&path)).unwrap();
    runtime.block_on(async {
        account(&catalog, "lab").await;
        catalog.accounts().await.unwrap();
    });
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    assert!(maps.contains("mapped.db-shm"), "the log's index is shared by mapping it");
    let mapped: Vec<_> = maps.lines().filter(|line| line.ends_with("mapped.db")).collect();
    assert_eq!(mapped, Vec::<&str>::new());
}
