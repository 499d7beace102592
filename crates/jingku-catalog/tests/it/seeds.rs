use jingku_catalog::{AccountId, ImageFilter, ImageStatus, Paging, Scope, SeedImage, SeedImages};

use crate::engines::{Engine, on_every_engine};
use crate::setting::{NOW, account, claim, create, instance, seeded};

on_every_engine!(
    seeded_images_are_listed_as_described,
    a_taken_name_seeds_nothing,
    seeded_jobs_advance_and_complete_on_request,
);

fn seed(account: AccountId, name: &str, status: ImageStatus) -> SeedImage<'static> {
    SeedImage {
        id: format!("image-{name}"),
        name: name.to_owned(),
        status,
        region: "cn-wlcb",
        size_bytes: 1 << 20,
        manifest: None,
        ..seeded(account, 0)
    }
}

async fn seeded_images_are_listed_as_described(Engine { catalog, .. }: Engine) {
    let owner = account(&catalog, "lab").await;
    let tags = ["a".to_owned(), "b".to_owned()];
    let failed =
        SeedImage { failed_reason: "the disk is full", ..seed(owner.id, "failed", ImageStatus::UnAvailable) };
    let images = [
        SeedImage {
            tags: &tags,
            readme: "# read",
            manifest: Some("manifest"),
            ..seed(owner.id, "one", ImageStatus::Available)
        },
        seed(owner.id, "making", ImageStatus::Making),
        failed.clone(),
        SeedImage { id: "image-again".to_owned(), ..failed },
    ];
    assert_eq!(catalog.seed_images(&images, &[], NOW).await.unwrap(), SeedImages::Seeded);
    let scope = Scope::own(owner.id);
    let page = catalog.images_page(scope, ImageFilter::default(), Paging::first(20)).await.unwrap();
    assert_eq!((page.total, page.items.len()), (4, 4), "the total is that of the rows");
    let one = catalog.image(scope, "image-one").await.unwrap().unwrap();
    assert_eq!(
        (one.tags, one.readme.as_str(), one.manifest.as_deref()),
        (tags.to_vec(), "# read", Some("manifest"))
    );
    let failed = catalog.image(scope, "image-failed").await.unwrap().unwrap();
    assert_eq!(
        (failed.status, failed.failed_reason.as_str()),
        (ImageStatus::UnAvailable, "the disk is full")
    );
    // No worker ever gets a seeded job.
    assert!(claim(&catalog, "worker", i64::MAX / 2).await.is_none());
}

async fn a_taken_name_seeds_nothing(Engine { catalog, .. }: Engine) {
    let owner = account(&catalog, "lab").await;
    let other = account(&catalog, "other").await;
    let twice = |first, second| {
        let again = SeedImage { id: "again".to_owned(), ..seed(second, "one", ImageStatus::Making) };
        [seed(first, "one", ImageStatus::Available), again]
    };
    let taken = catalog.seed_images(&twice(owner.id, owner.id), &[], NOW).await.unwrap();
    assert_eq!(taken, SeedImages::NameTaken("one".to_owned()));
    assert_eq!(catalog.image(Scope::own(owner.id), "image-one").await.unwrap(), None);
    let seeded = catalog.seed_images(&twice(owner.id, other.id), &[], NOW).await.unwrap();
    assert_eq!(seeded, SeedImages::Seeded);
}

async fn seeded_jobs_advance_and_complete_on_request(Engine { catalog, .. }: Engine) {
    let owner = account(&catalog, "lab").await;
    instance(&catalog, owner.id, "vm").await;
    create(&catalog, owner.id, "real", "vm").await;
    let standing = [
        SeedImage { done_bytes: 5, ..seed(owner.id, "one", ImageStatus::Making) },
        SeedImage { size_bytes: 1 << 30, ..seed(owner.id, "large", ImageStatus::Making) },
    ];
    catalog.seed_images(&standing, &[], NOW).await.unwrap();
    let scope = Scope::own(owner.id);
    assert_eq!(catalog.image_progress(scope, "image-one").await.unwrap().unwrap().done_bytes, 5);
    assert_eq!(catalog.advance_seeded_jobs(40, NOW).await.unwrap(), 2, "a job that waits is not touched");
    assert_eq!(catalog.advance_seeded_jobs(30, NOW).await.unwrap(), 0, "they are further");
    let progress = catalog.image_progress(scope, "image-one").await.unwrap().unwrap();
    assert_eq!((progress.done_bytes, progress.total_bytes), (419_431, 1 << 20));

    let mut sizes = catalog.seeded_job_sizes().await.unwrap();
    sizes.sort_unstable();
    assert_eq!(sizes, [1 << 20, 1 << 30]);
    let revision = catalog.account_revision(owner.id).await.unwrap();
    assert_eq!(catalog.complete_seeded_jobs(1 << 20, "manifest", NOW).await.unwrap(), 1);
    assert_ne!(catalog.account_revision(owner.id).await.unwrap(), revision);
    let one = catalog.image(scope, "image-one").await.unwrap().unwrap();
    assert_eq!((one.status, one.manifest.as_deref()), (ImageStatus::Available, Some("manifest")));
    let large = catalog.image(scope, "image-large").await.unwrap().unwrap();
    assert_eq!(large.status, ImageStatus::Making);
    assert_eq!(catalog.seeded_job_sizes().await.unwrap(), [1 << 30]);
}
