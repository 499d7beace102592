use jingku_catalog::{Catalog, Cover, CoverChange, ImageChanges, Scope, UpdateImage};

use crate::engines::{Engine, on_every_engine};
use crate::setting::{NOW, account, lab, make};

on_every_engine!(
    a_cover_is_kept_until_replaced,
    the_same_picture_keeps_its_id,
    a_cover_needs_an_existing_image,
    an_image_in_the_trash_shows_no_cover,
);

fn new(id: &str, data: &str) -> CoverChange {
    CoverChange::Set(Cover { id: id.to_owned(), media_type: "image/png".to_owned(), data: data.to_owned() })
}

async fn set(catalog: &Catalog, scope: Scope, image: &str, cover: &CoverChange) -> UpdateImage {
    let changes = ImageChanges { cover: Some(cover), ..ImageChanges::default() };
    catalog.update_image(scope, image, changes, NOW + 1).await.unwrap()
}

async fn cover_of(catalog: &Catalog, scope: Scope, image: &str) -> String {
    catalog.image(scope, image).await.unwrap().unwrap().cover
}

/// An account with images image-a and image-b.
async fn setting(catalog: &Catalog) -> Scope {
    let owner = lab(catalog).await;
    make(catalog, owner, "a", "vm", NOW).await;
    make(catalog, owner, "b", "vm", NOW).await;
    Scope::own(owner)
}

async fn a_cover_is_kept_until_replaced(Engine { catalog, .. }: Engine) {
    let scope = setting(&catalog).await;
    assert_eq!(set(&catalog, scope, "image-a", &new("cover-1", "AAAA")).await, UpdateImage::Updated);
    assert_eq!(cover_of(&catalog, scope, "image-a").await, "cover-1");
    let kept =
        Cover { id: "cover-1".to_owned(), media_type: "image/png".to_owned(), data: "AAAA".to_owned() };
    assert_eq!(catalog.cover("cover-1").await.unwrap(), Some(kept));
    assert_eq!(catalog.cover("").await.unwrap(), None);

    set(&catalog, scope, "image-a", &new("cover-2", "BBBB")).await;
    assert_eq!(cover_of(&catalog, scope, "image-a").await, "cover-2");
    assert_eq!(catalog.cover("cover-1").await.unwrap(), None);
    for _ in 0..2 {
        assert_eq!(set(&catalog, scope, "image-a", &CoverChange::Clear).await, UpdateImage::Updated);
        assert_eq!(cover_of(&catalog, scope, "image-a").await, "");
        assert_eq!(catalog.cover("cover-2").await.unwrap(), None);
    }
    assert_eq!(cover_of(&catalog, scope, "image-b").await, "");
}

async fn the_same_picture_keeps_its_id(Engine { catalog, .. }: Engine) {
    let scope = setting(&catalog).await;
    set(&catalog, scope, "image-a", &new("cover-1", "AAAA")).await;
    set(&catalog, scope, "image-a", &new("cover-2", "AAAA")).await;
    assert_eq!(cover_of(&catalog, scope, "image-a").await, "cover-1");
    assert_eq!(catalog.cover("cover-2").await.unwrap(), None);
    // The same picture of another image gets another id.
    set(&catalog, scope, "image-b", &new("cover-3", "AAAA")).await;
    set(&catalog, scope, "image-a", &CoverChange::Clear).await;
    assert_eq!(cover_of(&catalog, scope, "image-b").await, "cover-3");
    assert!(catalog.cover("cover-3").await.unwrap().is_some());
}

async fn a_cover_needs_an_existing_image(Engine { catalog, .. }: Engine) {
    let scope = setting(&catalog).await;
    set(&catalog, scope, "image-a", &new("cover-1", "AAAA")).await;
    let other = Scope::own(account(&catalog, "other").await.id);
    for image in ["image-a", "image-none"] {
        for change in [new("cover-2", "BBBB"), CoverChange::Clear] {
            assert_eq!(set(&catalog, other, image, &change).await, UpdateImage::NotFound);
        }
    }
    let renamed = new("cover-2", "BBBB");
    let changes = ImageChanges { cover: Some(&renamed), name: Some("b"), ..ImageChanges::default() };
    let taken = catalog.update_image(scope, "image-a", changes, NOW).await.unwrap();
    assert_eq!(taken, UpdateImage::NameTaken);
    assert_eq!(catalog.cover("cover-2").await.unwrap(), None);
    assert_eq!(cover_of(&catalog, scope, "image-a").await, "cover-1");
    assert!(catalog.cover("cover-1").await.unwrap().is_some());
}

async fn an_image_in_the_trash_shows_no_cover(Engine { catalog, .. }: Engine) {
    let scope = setting(&catalog).await;
    set(&catalog, scope, "image-a", &new("cover-1", "AAAA")).await;
    catalog.delete_image(scope, "image-a", NOW).await.unwrap();
    assert_eq!(catalog.cover("cover-1").await.unwrap(), None);
}

/// As a copy of an image does.
#[tokio::test]
async fn a_cover_that_is_shared_stays_for_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("catalog.db");
    let catalog = Catalog::open_sqlite(&path).await.unwrap();
    let scope = setting(&catalog).await;
    set(&catalog, scope, "image-a", &new("cover-1", "AAAA")).await;
    let copy = "UPDATE images SET cover = 'cover-1' WHERE id = 'image-b'";
    rusqlite::Connection::open(&path).unwrap().execute(copy, []).unwrap();
    set(&catalog, scope, "image-a", &new("cover-2", "BBBB")).await;
    assert!(catalog.cover("cover-1").await.unwrap().is_some());
    // An image in the trash keeps its cover for a restore.
    catalog.delete_image(scope, "image-b", NOW).await.unwrap();
    assert_eq!(catalog.cover("cover-1").await.unwrap(), None);
    let restore = "UPDATE images SET deleted_at = NULL WHERE id = 'image-b'";
    rusqlite::Connection::open(&path).unwrap().execute(restore, []).unwrap();
    assert!(catalog.cover("cover-1").await.unwrap().is_some());
    set(&catalog, scope, "image-b", &CoverChange::Clear).await;
    assert_eq!(catalog.cover("cover-1").await.unwrap(), None);
    let rows = "SELECT count(*) FROM covers";
    let left: i64 = rusqlite::Connection::open(&path).unwrap().query_row(rows, [], |row| row.get(0)).unwrap();
    assert_eq!(left, 1, "cover-2 alone");
}
