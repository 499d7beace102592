use jingku_catalog::{
    AccountId, AddInstance, Catalog, NewInstance, RemoveInstance, Scope, ShareChanges, ShareImage,
    StartImage, StartedFrom,
};

use crate::engines::{Engine, on_every_engine};
use crate::races::at_once;
use crate::setting::{NOW, account, create, lab, make};

on_every_engine!(
    a_start_is_counted_and_shown,
    an_instance_starts_only_from_a_visible_image,
    whole_hours_of_use_are_counted_once,
    remaining_use_is_counted_on_removal,
    the_name_of_an_invisible_image_is_not_shown,
    concurrent_counts_count_an_hour_once,
    counting_use_increments_the_revision,
);

const HOUR: i64 = 3600;

async fn setting(catalog: &Catalog) -> AccountId {
    let owner = lab(catalog).await;
    make(catalog, owner, "a", "vm", NOW).await;
    owner
}

async fn start(catalog: &Catalog, account: AccountId, id: &str, image: &str) -> AddInstance {
    let new = NewInstance {
        id,
        account,
        name: id,
        region: "cn-wlcb",
        zone: "cn-wlcb-01",
        disk: "{}",
        size_bytes: 1,
        gpu_type: "",
    };
    catalog.add_instance(new, Some(image), NOW).await.unwrap()
}

/// The instances started from the image, and their hours of use.
async fn counters(catalog: &Catalog) -> (i64, i64) {
    let image = catalog.image(Scope::own(AccountId(1)), "image-a").await.unwrap().unwrap();
    (image.created_count, image.image_use_time_hours)
}

async fn started_from(catalog: &Catalog, id: &str) -> Option<StartedFrom> {
    catalog.instance(None, id).await.unwrap().unwrap().started_from
}

async fn share(catalog: &Catalog, changes: ShareChanges<'_>) {
    let shared = catalog.share_image(Scope::own(AccountId(1)), "image-a", changes, NOW).await.unwrap();
    assert_eq!(shared, ShareImage::Shared);
}

async fn a_start_is_counted_and_shown(Engine { catalog, .. }: Engine) {
    let owner = setting(&catalog).await;
    assert_eq!((counters(&catalog).await, started_from(&catalog, "vm").await), ((0, 0), None));
    assert_eq!(start(&catalog, owner, "started", "image-a").await, AddInstance::Added);
    assert_eq!(counters(&catalog).await, (1, 0));
    let image =
        StartImage { name: "a".to_owned(), account: owner, platform_type: String::new(), public: false };
    let from = StartedFrom { image_id: "image-a".to_owned(), image: Some(image) };
    assert_eq!(started_from(&catalog, "started").await, Some(from));
    // Adding an existing instance counts nothing.
    assert_eq!(start(&catalog, owner, "started", "image-a").await, AddInstance::Exists);
    assert_eq!(counters(&catalog).await, (1, 0));
}

async fn an_instance_starts_only_from_a_visible_image(Engine { catalog, .. }: Engine) {
    let owner = setting(&catalog).await;
    let other = account(&catalog, "other").await.id;
    create(&catalog, owner, "making", "vm").await;
    assert_eq!(start(&catalog, owner, "x", "image-none").await, AddInstance::ImageNotFound);
    assert_eq!(start(&catalog, owner, "x", "image-making").await, AddInstance::ImageNotAvailable);
    assert_eq!(start(&catalog, other, "x", "image-a").await, AddInstance::ImageNotFound);
    assert_eq!(start(&catalog, other, "x", "image-making").await, AddInstance::ImageNotFound);
    assert_eq!((counters(&catalog).await, catalog.instance(None, "x").await.unwrap()), ((0, 0), None));
    share(&catalog, ShareChanges { add: &[other], remove: &[], shares_max: 9 }).await;
    assert_eq!(start(&catalog, other, "x", "image-a").await, AddInstance::Added);
    assert_eq!(counters(&catalog).await, (1, 0));
}

async fn whole_hours_of_use_are_counted_once(Engine { catalog, .. }: Engine) {
    let owner = setting(&catalog).await;
    for id in ["one", "two"] {
        start(&catalog, owner, id, "image-a").await;
    }
    // Time of counting, instances counted, and total hours.
    for (time, counted, hours) in [
        (NOW + HOUR - 1, 0, 0),
        (NOW + HOUR, 2, 2),
        (NOW + HOUR, 0, 2),
        (NOW + HOUR * 5 / 2, 2, 4),
        (NOW - HOUR, 0, 4),
        (NOW + 3 * HOUR, 2, 6),
    ] {
        assert_eq!(catalog.count_image_use(time).await.unwrap(), counted, "{}", time - NOW);
        assert_eq!(counters(&catalog).await, (2, hours), "{}", time - NOW);
    }
}

async fn remaining_use_is_counted_on_removal(Engine { catalog, .. }: Engine) {
    let owner = setting(&catalog).await;
    start(&catalog, owner, "one", "image-a").await;
    catalog.count_image_use(NOW + HOUR).await.unwrap();
    let removed = catalog.remove_instance("one", NOW + 4 * HOUR - 1).await.unwrap();
    assert_eq!((removed, counters(&catalog).await), (RemoveInstance::Removed, (1, 3)));
    assert_eq!(catalog.count_image_use(NOW + 90 * HOUR).await.unwrap(), 0);
    // The clock was set back, and the image is deleted.
    start(&catalog, owner, "two", "image-a").await;
    catalog.remove_instance("two", NOW - 9 * HOUR).await.unwrap();
    assert_eq!(counters(&catalog).await, (2, 3));
    start(&catalog, owner, "three", "image-a").await;
    catalog.delete_image(Scope::own(owner), "image-a", NOW).await.unwrap();
    catalog.count_image_use(NOW + HOUR).await.unwrap();
    assert_eq!(catalog.remove_instance("three", NOW + HOUR).await.unwrap(), RemoveInstance::Removed);
}

async fn the_name_of_an_invisible_image_is_not_shown(Engine { catalog, .. }: Engine) {
    setting(&catalog).await;
    let other = account(&catalog, "other").await.id;
    share(&catalog, ShareChanges { add: &[other], remove: &[], shares_max: 9 }).await;
    start(&catalog, other, "theirs", "image-a").await;
    assert_eq!(started_from(&catalog, "theirs").await.unwrap().image.unwrap().name, "a");
    share(&catalog, ShareChanges { add: &[], remove: &[other], shares_max: 9 }).await;
    let from = StartedFrom { image_id: "image-a".to_owned(), image: None };
    assert_eq!(started_from(&catalog, "theirs").await, Some(from));
}

async fn concurrent_counts_count_an_hour_once(engine: Engine) {
    let owner = setting(&engine.catalog).await;
    for number in 0..5 {
        start(&engine.catalog, owner, &format!("vm-{number}"), "image-a").await;
    }
    let counted = at_once(&engine, 8, |catalog, number| async move {
        if number == 3 {
            catalog.remove_instance("vm-0", NOW + HOUR).await.unwrap();
        }
        catalog.count_image_use(NOW + HOUR).await.unwrap()
    })
    .await;
    assert!(counted.iter().sum::<u64>() <= 5, "{counted:?}");
    assert_eq!(counters(&engine.catalog).await, (5, 5));
}

async fn counting_use_increments_the_revision(Engine { catalog, .. }: Engine) {
    let owner = setting(&catalog).await;
    let other = account(&catalog, "other").await.id;
    share(&catalog, ShareChanges { add: &[other], remove: &[], shares_max: 9 }).await;
    let revision = async || catalog.account_revision(owner).await.unwrap().unwrap();
    let mut last = revision().await;
    let mut moved = async || std::mem::replace(&mut last, revision().await) < last;
    start(&catalog, other, "theirs", "image-a").await;
    assert!(moved().await);
    catalog.count_image_use(NOW + HOUR).await.unwrap();
    assert!(moved().await);
    catalog.count_image_use(NOW + HOUR).await.unwrap();
    assert!(!moved().await);
    catalog.remove_instance("theirs", NOW + 2 * HOUR).await.unwrap();
    assert!(moved().await);
}
