use jingku_catalog::{Catalog, CatalogError, Scope};

use crate::setting::{NOW, account, create, instance, make};

#[tokio::test]
async fn a_return_brings_everything_back_and_nothing_stays_current() {
    let catalog = Catalog::open_sqlite_in_memory().await.unwrap();
    let owner = account(&catalog, "lab").await;
    instance(&catalog, owner.id, "vm").await;
    make(&catalog, owner.id, "first", "vm", NOW).await;
    let snapshot = catalog.snapshot().await.unwrap();
    let mut seen = vec![(catalog.generation(), catalog.account_revision(owner.id).await.unwrap())];

    let scope = Scope::own(owner.id);
    for round in 0..3 {
        let name = format!("round{round}");
        create(&catalog, owner.id, &name, "vm").await;
        account(&catalog, &name).await;
        assert!(catalog.image(scope, &format!("image-{name}")).await.unwrap().is_some());
        seen.push((catalog.generation(), catalog.account_revision(owner.id).await.unwrap()));
        catalog.restore(&snapshot).await.unwrap();
        seen.push((catalog.generation(), catalog.account_revision(owner.id).await.unwrap()));
        assert!(catalog.image(scope, &format!("image-{name}")).await.unwrap().is_none());
        assert!(catalog.image(scope, "image-first").await.unwrap().is_some());
        assert_eq!(catalog.accounts().await.unwrap().len(), 1);
    }
    let before = seen.len();
    for part in [
        seen.iter().map(|(generation, _)| format!("{generation:?}")).collect::<Vec<_>>(),
        seen.iter().map(|(_, revision)| format!("{revision:?}")).collect(),
    ] {
        let unique: std::collections::BTreeSet<_> = part.iter().collect();
        assert_eq!(unique.len(), before, "{part:?}");
    }
}

#[tokio::test]
async fn a_file_is_not_put_back() {
    let folder = tempfile::tempdir().unwrap();
    let catalog = Catalog::open_sqlite(&folder.path().join("catalog.db")).await.unwrap();
    assert!(matches!(catalog.snapshot().await, Err(CatalogError::Bug(_))));
    let memory = Catalog::open_sqlite_in_memory().await.unwrap().snapshot().await.unwrap();
    assert!(matches!(catalog.restore(&memory).await, Err(CatalogError::Bug(_))));
}
