//! The version of a row identifies its content, whatever changed it.

use std::collections::HashMap;

use jingku_catalog::{
    AccountId, AddInstance, BuiltImage, Catalog, CopyImage, CoverChange, DeleteImage, Image, ImageChanges,
    NewCopy, NewInstance, Paging, RestoreImage, RowVersion, Scope, ShareChanges, ShareImage, Submission,
    UpdateImage,
};

use crate::engines::{Engine, on_every_engine};
use crate::setting::{NOW, account, claim, create, instance, lab, make, publish};

on_every_engine!(a_version_identifies_the_content_of_a_row, a_transaction_is_seen_with_its_revision);

/// Every row that was ever seen.
#[derive(Default)]
struct Seen(HashMap<(AccountId, RowVersion), Image>);

impl Seen {
    /// Reads all images and compares each with what its version was seen with before. Returns how many are new.
    async fn check(&mut self, catalog: &Catalog, step: &str) -> usize {
        let before = self.0.len();
        for account in catalog.accounts().await.unwrap() {
            let scope = Scope::own(account.id);
            let rows = catalog.images_between(scope, None, i64::MIN..=i64::MAX, 1000).await.unwrap();
            let newest = catalog.newest_images(scope, None, Paging::first(1000)).await.unwrap().unwrap();
            assert_eq!(newest.rows, rows.iter().map(|(version, _)| *version).collect::<Vec<_>>(), "{step}");
            for (version, image) in rows {
                assert!(version.changed <= newest.revision, "{step}");
                let known = self.0.entry((account.id, version)).or_insert_with(|| image.clone());
                assert_eq!(*known, image, "{step}: the content of {version:?} has changed");
            }
        }
        self.0.len() - before
    }
}

async fn start(catalog: &Catalog, owner: AccountId, image: &str, now: i64) {
    let new = NewInstance {
        id: "started",
        account: owner,
        name: "started",
        region: "cn-wlcb",
        zone: "cn-wlcb-01",
        disk: "{}",
        size_bytes: 1,
        gpu_type: "",
        container: None,
    };
    assert_eq!(catalog.add_instance(new, Some(image), now).await.unwrap(), AddInstance::Added);
}

async fn update(catalog: &Catalog, owner: AccountId, changes: ImageChanges<'_>) {
    let updated = catalog.update_image(Scope::own(owner), "image-a", changes, NOW).await.unwrap();
    assert_eq!(updated, UpdateImage::Updated);
}

async fn a_version_identifies_the_content_of_a_row(Engine { catalog, .. }: Engine) {
    let owner = lab(&catalog).await;
    let other = account(&catalog, "other").await.id;
    let scope = Scope::own(owner);
    let mut seen = Seen::default();
    create(&catalog, owner, "a", "vm").await;
    assert_eq!(seen.check(&catalog, "create").await, 1);
    let job = claim(&catalog, "maker", NOW).await.unwrap();
    seen.check(&catalog, "claim").await;
    catalog.complete_job(&job, BuiltImage::dense("manifest", 5), NOW).await.unwrap();
    assert_eq!(seen.check(&catalog, "complete").await, 1);
    create(&catalog, owner, "b", "vm").await;
    let job = claim(&catalog, "maker", NOW).await.unwrap();
    catalog.fail_job(&job, "the disk is gone", NOW).await.unwrap();
    assert_eq!(seen.check(&catalog, "fail").await, 1);

    update(&catalog, owner, ImageChanges { name: Some("renamed"), ..ImageChanges::default() }).await;
    assert_eq!(seen.check(&catalog, "rename").await, 1);
    update(&catalog, owner, ImageChanges { cover: Some(&CoverChange::Clear), ..ImageChanges::default() })
        .await;
    seen.check(&catalog, "cover").await;
    let share = ShareChanges { add: &[other], remove: &[], shares_max: 9 };
    assert_eq!(catalog.share_image(scope, "image-a", share, NOW).await.unwrap(), ShareImage::Shared);
    seen.check(&catalog, "share").await;
    publish(&catalog, owner, "image-a", "group", ImageChanges::default(), NOW).await;
    assert_eq!(seen.check(&catalog, "publish").await, 1);
    assert!(catalog.add_favorite(other, "group", NOW).await.unwrap());
    assert_eq!(seen.check(&catalog, "favour").await, 1);
    start(&catalog, owner, "image-a", NOW).await;
    assert_eq!(seen.check(&catalog, "start").await, 1);
    catalog.count_image_use(NOW + 7200).await.unwrap();
    assert_eq!(seen.check(&catalog, "use").await, 1);
    let submission =
        Submission { new_group_id: "new", community_name: None, approve: true, containers_only: false };
    let changes = ImageChanges { version_desc: Some("better"), ..ImageChanges::default() };
    catalog.publish_image(scope, "image-a", submission, changes, None, NOW).await.unwrap();
    seen.check(&catalog, "publish again").await;
    copy(&catalog, owner).await;
    assert_eq!(seen.check(&catalog, "copy").await, 1);
    move_through_the_trash(&catalog, scope, &mut seen).await;
}

async fn copy(catalog: &Catalog, owner: AccountId) {
    let new = NewCopy {
        id: "image-copy",
        owner,
        name: &|name, number| (number == 0).then(|| format!("{name}-copy")),
        description: None,
        place: None,
        platform_type: "",
        request: None,
    };
    let copied = catalog.copy_image(Scope::own(owner), "image-a", new, NOW).await.unwrap();
    assert_eq!(copied, CopyImage::Copied("renamed-copy".into()));
}

async fn move_through_the_trash(catalog: &Catalog, scope: Scope, seen: &mut Seen) {
    make(catalog, AccountId(1), "c", "vm", NOW).await;
    seen.check(catalog, "make").await;
    assert_eq!(catalog.delete_image(scope, "image-c", NOW).await.unwrap(), DeleteImage::Deleted);
    assert_eq!(seen.check(catalog, "delete").await, 0);
    let restored = catalog.restore_image("image-c", Some("back"), NOW).await.unwrap();
    assert_eq!(restored, RestoreImage::Restored("back".into()));
    assert_eq!(seen.check(catalog, "restore").await, 1);
    assert!(catalog.forget_image("image-c").await.unwrap());
    assert_eq!(seen.check(catalog, "forget").await, 0);
}

/// While another handle changes an account, every read fits together.
async fn a_transaction_is_seen_with_its_revision(engine: Engine) {
    let owner = lab(&engine.catalog).await;
    let (catalog, other) = (engine.catalog.clone(), engine.other_process().await);
    make(&catalog, owner, "a", "vm", NOW).await;
    let changing = tokio::spawn(async move {
        for number in 0..100 {
            let name = format!("name-{number}");
            update(&other, owner, ImageChanges { name: Some(&name), ..ImageChanges::default() }).await;
        }
    });
    let mut seen = HashMap::new();
    while !changing.is_finished() {
        let page = catalog.newest_images(Scope::own(owner), None, Paging::first(9)).await.unwrap().unwrap();
        let [version] = page.rows[..] else { panic!("{page:?}") };
        assert_eq!(version.changed, page.revision);
        let rows = catalog.images_between(Scope::own(owner), None, 0..=9, 9).await.unwrap();
        let [(version, image)] = &rows[..] else { panic!("{rows:?}") };
        assert_eq!(seen.entry(*version).or_insert_with(|| image.name.clone()), &image.name);
    }
    changing.await.unwrap();
}

#[tokio::test]
async fn a_version_is_unique_across_returns_to_a_snapshot() {
    let catalog = Catalog::open_sqlite_in_memory().await.unwrap();
    let owner = account(&catalog, "lab").await.id;
    instance(&catalog, owner, "vm").await;
    make(&catalog, owner, "a", "vm", NOW).await;
    let mut seen = Seen::default();
    let mut snapshots = vec![catalog.snapshot().await.unwrap()];
    for round in 0..6 {
        let name = format!("round-{round}");
        update(&catalog, owner, ImageChanges { name: Some(&name), ..ImageChanges::default() }).await;
        seen.check(&catalog, &name).await;
        create(&catalog, owner, &format!("b-{round}"), "vm").await;
        seen.check(&catalog, &name).await;
        snapshots.push(catalog.snapshot().await.unwrap());
        catalog.restore(&snapshots[round / 2]).await.unwrap();
        seen.check(&catalog, &name).await;
    }
}
