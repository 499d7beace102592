//! A catalogue whose files are moved or deleted while it is open.

use std::fs;
use std::path::Path;

use jingku_catalog::{Catalog, CatalogError};
use tempfile::TempDir;

use crate::setting::account;

async fn is_refused(catalog: &Catalog) -> bool {
    let created =
        catalog.create_account(jingku_catalog::NewAccount { name: "lost", project_id: "lost" }, 0).await;
    let pinged = catalog.ping().await;
    assert_eq!(created.is_err(), pinged.is_err(), "{created:?} {pinged:?}");
    matches!((created, pinged), (Err(CatalogError::FileReplaced(_)), Err(CatalogError::FileReplaced(_))))
}

async fn open() -> (TempDir, Catalog) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("catalog.db");
    let catalog = Catalog::open_sqlite(&path).await.unwrap();
    account(&catalog, "lab").await;
    (folder, catalog)
}

async fn names(path: &Path) -> Vec<String> {
    let catalog = Catalog::open_sqlite(path).await.unwrap();
    catalog.accounts().await.unwrap().into_iter().map(|account| account.name).collect()
}

#[tokio::test]
async fn changes_are_refused_until_the_files_are_back() {
    let (folder, catalog) = open().await;
    for name in ["catalog.db", "catalog.db-wal", "catalog.db-shm"] {
        let (path, aside) = (folder.path().join(name), folder.path().join("aside"));
        fs::rename(&path, &aside).unwrap();
        assert!(is_refused(&catalog).await, "without {name}");
        fs::copy(&aside, &path).unwrap();
        assert!(is_refused(&catalog).await, "with another {name}");
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink(&aside, &path).unwrap();
        assert!(is_refused(&catalog).await, "with a link to {name}");
        fs::rename(&aside, &path).unwrap();
        account(&catalog, name).await;
    }
    drop(catalog);
    let names = names(&folder.path().join("catalog.db")).await;
    assert_eq!(names, ["lab", "catalog.db", "catalog.db-wal", "catalog.db-shm"]);
}

/// A connection opened later must neither create a file nor read another one.
#[tokio::test]
async fn nothing_is_read_from_another_file() {
    let (folder, catalog) = open().await;
    let path = folder.path().join("catalog.db");
    fs::remove_file(&path).unwrap();
    let backup = folder.path().join("backup.db");
    assert!(matches!(catalog.back_up(&backup).await, Err(CatalogError::FileReplaced(_))));
    assert!(matches!(catalog.check(false).await, Err(CatalogError::FileReplaced(_))));
    assert!(!path.exists());
}

#[tokio::test]
async fn an_emptied_file_takes_no_change() {
    let (folder, catalog) = open().await;
    fs::File::create(folder.path().join("catalog.db")).unwrap();
    let created =
        catalog.create_account(jingku_catalog::NewAccount { name: "lost", project_id: "lost" }, 0).await;
    assert!(matches!(created, Err(CatalogError::FileReplaced(_))), "{created:?}");
}
