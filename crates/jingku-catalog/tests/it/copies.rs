use jingku_catalog::{
    AccountId, Catalog, CopyImage, CopySource, Cover, CoverChange, DeleteImage, ImageChanges, ImageFilter,
    ImageStatus, NewCopy, Paging, Scope, ShareChanges, ShareImage, UpdateImage,
};

use crate::engines::{Engine, on_every_engine};
use crate::races::at_once;
use crate::setting::{NOW, account, claim, create, lab, make};

on_every_engine!(
    a_copy_has_the_content_but_no_shares_or_group,
    names_are_tried_in_order,
    a_copy_can_be_in_another_zone_or_of_the_platform,
    only_a_complete_image_is_copied,
    a_copy_outlives_its_original,
    concurrent_copies_get_unique_names,
    a_copy_keeps_the_cover,
);

type Names = dyn Fn(&str, u32) -> Option<String> + Send + Sync;

fn new_copy<'a>(id: &'a str, owner: AccountId, name: &'a Names) -> NewCopy<'a> {
    NewCopy { id, owner, name, description: None, place: None, platform_type: "", request: None }
}

/// `a-0`, `a-1`, … up to `a-99`.
fn numbered(original: &str, number: u32) -> Option<String> {
    (number < 100).then(|| format!("{original}-{number}"))
}

async fn setting(catalog: &Catalog) -> AccountId {
    let owner = lab(catalog).await;
    make(catalog, owner, "a", "vm", NOW).await;
    owner
}

async fn total(catalog: &Catalog, scope: Scope, zones: Option<&[&str]>) -> i64 {
    let filter = ImageFilter { zones, ..ImageFilter::default() };
    let page = catalog.images_page(scope, filter, Paging::first(100)).await.unwrap();
    assert_eq!(page.items.len(), usize::try_from(page.total).unwrap());
    page.total
}

async fn a_copy_has_the_content_but_no_shares_or_group(Engine { catalog, .. }: Engine) {
    let owner = setting(&catalog).await;
    let other = account(&catalog, "other").await.id;
    let scope = Scope::own(owner);
    let changes = ImageChanges {
        description: Some("with CUDA"),
        tags: Some(&["cv"]),
        readme: Some("# Read"),
        price_cents: Some(100),
        auto_start: Some(true),
        version_desc: Some("new"),
        ..ImageChanges::default()
    };
    assert_eq!(catalog.update_image(scope, "image-a", changes, NOW).await.unwrap(), UpdateImage::Updated);
    let shares = ShareChanges { add: &[other], remove: &[], shares_max: 9 };
    assert_eq!(catalog.share_image(scope, "image-a", shares, NOW).await.unwrap(), ShareImage::Shared);
    let original = catalog.image(scope, "image-a").await.unwrap().unwrap();

    let revision = catalog.account_revision(owner).await.unwrap();
    let copied = catalog.copy_image(scope, "image-a", new_copy("copy", owner, &numbered), NOW + 5).await;
    assert_eq!(copied.unwrap(), CopyImage::Copied("a-0".to_owned()));
    assert!(catalog.account_revision(owner).await.unwrap() > revision);
    let copy = catalog.image(scope, "copy").await.unwrap().unwrap();
    let expected = jingku_catalog::Image {
        id: "copy".to_owned(),
        seq: 2,
        ordinal: copy.ordinal,
        name: "a-0".to_owned(),
        price_cents: 0,
        version_desc: String::new(),
        create_time: NOW + 5,
        update_time: NOW + 5,
        ..original.clone()
    };
    assert_eq!(copy, expected);
    assert!(copy.ordinal > original.ordinal);
    assert!(copy.manifest.is_some());
    assert_eq!(catalog.image_shares(scope, "copy").await.unwrap(), Some(Vec::new()));
    assert_eq!(catalog.image(scope, "image-a").await.unwrap().unwrap(), original);
    assert_eq!(total(&catalog, scope, None).await, 2);
    let source = CopySource { image_id: "image-a".to_owned(), status: ImageStatus::Available };
    assert_eq!(catalog.copy_source(scope, "copy").await.unwrap(), Some(source));
    assert_eq!(catalog.copy_source(scope, "image-a").await.unwrap(), None);
    assert_eq!(catalog.copy_source(Scope::own(other), "copy").await.unwrap(), None);
}

async fn names_are_tried_in_order(Engine { catalog, .. }: Engine) {
    let owner = setting(&catalog).await;
    let scope = Scope::own(owner);
    for number in 0..3 {
        let id = format!("copy-{number}");
        let copied = catalog.copy_image(scope, "image-a", new_copy(&id, owner, &numbered), NOW).await;
        assert_eq!(copied.unwrap(), CopyImage::Copied(format!("a-{number}")));
    }
    let taken = |_: &str, number| (number == 0).then(|| "a-1".to_owned());
    let copied = catalog.copy_image(scope, "image-a", new_copy("copy-9", owner, &taken), NOW).await;
    assert_eq!(copied.unwrap(), CopyImage::NameTaken);
    assert_eq!(total(&catalog, scope, None).await, 4);
    // Deleting an image frees its name.
    catalog.delete_image(scope, "copy-1", NOW).await.unwrap();
    let copied = catalog.copy_image(scope, "image-a", new_copy("copy-9", owner, &taken), NOW).await;
    assert_eq!(copied.unwrap(), CopyImage::Copied("a-1".to_owned()));
}

async fn a_copy_can_be_in_another_zone_or_of_the_platform(Engine { catalog, .. }: Engine) {
    let owner = setting(&catalog).await;
    let scope = Scope::own(owner);
    let place = Some(("cn-sh2", "cn-sh2-02"));
    let new = NewCopy { place, description: Some("there"), ..new_copy("copy", owner, &numbered) };
    catalog.copy_image(scope, "image-a", new, NOW).await.unwrap();
    let copy = catalog.image(scope, "copy").await.unwrap().unwrap();
    assert_eq!((copy.region.as_str(), copy.zone.as_str()), ("cn-sh2", "cn-sh2-02"));
    assert_eq!(copy.description, "there");
    assert_eq!(total(&catalog, scope, Some(&["cn-sh2-02"])).await, 1);
    assert_eq!(total(&catalog, scope, Some(&["cn-wlcb-01"])).await, 1);

    // The platform has no image of this name.
    let same = |original: &str, number| (number == 0).then(|| original.to_owned());
    let new = NewCopy { platform_type: "System", ..new_copy("system", AccountId::PLATFORM, &same) };
    let promoted = catalog.copy_image(Scope::everybody(), "image-a", new, NOW).await.unwrap();
    assert_eq!(promoted, CopyImage::Copied("a".to_owned()));
    let platform = catalog.image(Scope::platform(), "system").await.unwrap().unwrap();
    assert_eq!((platform.account, platform.platform_type.as_str()), (AccountId::PLATFORM, "System"));
    assert_eq!(total(&catalog, scope, None).await, 2);
    assert_eq!(total(&catalog, Scope::platform(), None).await, 1);
    let again = NewCopy { id: "system-2", ..new };
    let again = catalog.copy_image(Scope::everybody(), "image-a", again, NOW).await.unwrap();
    assert_eq!(again, CopyImage::NameTaken);
    let deleted = catalog.delete_image(Scope::platform(), "system", NOW).await.unwrap();
    assert_eq!(deleted, DeleteImage::Deleted);
    assert_eq!(total(&catalog, Scope::platform(), None).await, 0);
}

async fn only_a_complete_image_is_copied(Engine { catalog, .. }: Engine) {
    let owner = setting(&catalog).await;
    let other = account(&catalog, "other").await.id;
    let copy = async |account, id| {
        let new = new_copy("copy", account, &numbered);
        catalog.copy_image(Scope::own(account), id, new, NOW).await.unwrap()
    };
    assert_eq!(copy(owner, "image-none").await, CopyImage::NotFound);
    assert_eq!(copy(other, "image-a").await, CopyImage::NotFound);
    create(&catalog, owner, "making", "vm").await;
    assert_eq!(copy(owner, "image-making").await, CopyImage::NotAvailable);
    let job = claim(&catalog, "worker", NOW).await.unwrap();
    catalog.fail_job(&job, "The disk is gone.", NOW).await.unwrap();
    assert_eq!(copy(owner, "image-making").await, CopyImage::NotAvailable);
    assert_eq!(total(&catalog, Scope::own(owner), None).await, 2);
}

async fn a_copy_outlives_its_original(Engine { catalog, .. }: Engine) {
    let owner = setting(&catalog).await;
    let scope = Scope::own(owner);
    catalog.copy_image(scope, "image-a", new_copy("copy", owner, &numbered), NOW).await.unwrap();
    catalog.delete_image(scope, "image-a", NOW).await.unwrap();
    let copy = catalog.image(scope, "copy").await.unwrap().unwrap();
    assert_eq!((copy.status, copy.manifest.as_deref()), (ImageStatus::Available, Some("manifest")));
    let source = catalog.copy_source(scope, "copy").await.unwrap().unwrap();
    assert_eq!(source.image_id, "image-a");
    assert_eq!(
        catalog.copy_image(scope, "image-a", new_copy("copy-2", owner, &numbered), NOW).await.unwrap(),
        CopyImage::NotFound
    );
}

async fn concurrent_copies_get_unique_names(engine: Engine) {
    let owner = setting(&engine.catalog).await;
    let scope = Scope::own(owner);
    let mut names = at_once(&engine, 12, move |catalog, number| async move {
        let id = format!("copy-{number}");
        let copied = catalog.copy_image(scope, "image-a", new_copy(&id, owner, &numbered), NOW).await;
        match copied.unwrap() {
            CopyImage::Copied(name) => name,
            other => panic!("{other:?}"),
        }
    })
    .await;
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 12);
    assert_eq!(total(&engine.catalog, scope, None).await, 13);
}

async fn a_copy_keeps_the_cover(Engine { catalog, .. }: Engine) {
    let owner = setting(&catalog).await;
    let scope = Scope::own(owner);
    let set = async |cover: &CoverChange| {
        let changes = ImageChanges { cover: Some(cover), ..ImageChanges::default() };
        assert_eq!(catalog.update_image(scope, "image-a", changes, NOW).await.unwrap(), UpdateImage::Updated);
    };
    let picture =
        Cover { id: "cover-1".to_owned(), media_type: "image/png".to_owned(), data: "AAAA".to_owned() };
    set(&CoverChange::Set(picture)).await;
    catalog.copy_image(scope, "image-a", new_copy("copy", owner, &numbered), NOW).await.unwrap();
    set(&CoverChange::Clear).await;
    assert_eq!(catalog.image(scope, "copy").await.unwrap().unwrap().cover, "cover-1");
    assert!(catalog.cover("cover-1").await.unwrap().is_some());
}
