//! The limit of distinct bytes. A manifest of these tests has a shared chunk and one of its own, whose name and size its
//! own name says: `a 7`.

use jingku_catalog::{
    AccountId, BuiltImage, Catalog, CopyImage, Job, JobEnd, Limit, NewCopy, OverLimit, Scope, StoredManifest,
    UniqueBytes, UsageSample,
};

use crate::engines::{Engine, on_every_engine};
use crate::setting::{NOW, claim, create, lab};

on_every_engine!(
    an_account_without_the_limit_counts_nothing,
    what_fits_without_sharing_is_not_counted,
    a_count_of_other_manifests_is_refused,
    deleted_images_count_until_they_are_purged,
    content_of_the_account_adds_nothing,
    the_use_is_that_of_the_last_measurement,
);

/// The size of the chunk that all manifests have.
pub(crate) const SHARED: i64 = 100;

/// The bytes that a manifest does not share.
fn own_bytes(manifest: &str) -> i64 {
    manifest.split(' ').nth(1).unwrap().parse().unwrap()
}

fn used(manifests: &[StoredManifest]) -> i64 {
    let own: i64 = manifests.iter().map(|manifest| own_bytes(&manifest.name)).sum();
    if manifests.is_empty() { 0 } else { SHARED + own }
}

fn built<'a>(manifest: &'a str, counted: Option<&'a [StoredManifest]>) -> BuiltImage<'a> {
    let dense = BuiltImage::dense(manifest, SHARED + own_bytes(manifest));
    let unique = counted.map(|manifests| UniqueBytes {
        manifests,
        used: used(manifests),
        more: own_bytes(manifest) + if manifests.is_empty() { SHARED } else { 0 },
    });
    BuiltImage { unique, ..dense }
}

/// Completes a job, as a worker does: counts and tries again until the count is accepted.
pub(crate) async fn complete(catalog: &Catalog, job: &Job, manifest: &str) -> JobEnd {
    let mut counted: Option<Vec<StoredManifest>> = None;
    loop {
        match catalog.complete_job(job, built(manifest, counted.as_deref()), NOW).await.unwrap() {
            JobEnd::Uncounted(manifests) => counted = Some(manifests),
            ended => return ended,
        }
    }
}

/// The distinct bytes of an account.
pub(crate) async fn unique_bytes(catalog: &Catalog, owner: AccountId) -> i64 {
    let mut manifests: Vec<StoredManifest> = Vec::new();
    for image in catalog.manifest_uses_of(owner, "", 1000).await.unwrap() {
        let manifest = image.manifest.map(|name| StoredManifest { name, data_bytes: 0 });
        manifests.extend(manifest.filter(|one| !manifests.contains(one)));
    }
    used(&manifests)
}

/// Begins an image, whose job is returned.
async fn begin(catalog: &Catalog, owner: AccountId, name: &str) -> Job {
    create(catalog, owner, name, "vm").await;
    claim(catalog, "maker", NOW).await.unwrap()
}

async fn make(catalog: &Catalog, owner: AccountId, name: &str, manifest: &str) -> JobEnd {
    let job = begin(catalog, owner, name).await;
    let end = complete(catalog, &job, manifest).await;
    if matches!(end, JobEnd::OverLimit(_)) {
        catalog.fail_job(&job, "over", NOW).await.unwrap();
    }
    end
}

async fn limit(catalog: &Catalog, owner: AccountId, max: i64) {
    assert!(catalog.set_account_limits(owner, &[(Limit::UniqueBytes, Some(max))]).await.unwrap());
}

fn over(used: i64, more: i64, max: i64) -> JobEnd {
    JobEnd::OverLimit(OverLimit { limit: Limit::UniqueBytes, used, more, max })
}

async fn purge(catalog: &Catalog, owner: AccountId, image: &str) {
    catalog.delete_image(Scope::own(owner), image, NOW).await.unwrap();
    assert!(catalog.purge_image(image, NOW).await.unwrap());
}

async fn an_account_without_the_limit_counts_nothing(Engine { catalog, .. }: Engine) {
    let owner = lab(&catalog).await;
    for (name, manifest) in [("a", "a 7"), ("b", "b 7")] {
        let job = begin(&catalog, owner, name).await;
        assert_eq!(catalog.complete_job(&job, built(manifest, None), NOW).await.unwrap(), JobEnd::Ended);
    }
}

async fn what_fits_without_sharing_is_not_counted(Engine { catalog, .. }: Engine) {
    let owner = lab(&catalog).await;
    limit(&catalog, owner, 2 * (SHARED + 7)).await;
    for (name, manifest) in [("a", "a 7"), ("b", "b 7")] {
        let job = begin(&catalog, owner, name).await;
        assert_eq!(catalog.complete_job(&job, built(manifest, None), NOW).await.unwrap(), JobEnd::Ended);
    }
    let job = begin(&catalog, owner, "c").await;
    let counted = catalog.complete_job(&job, built("c 1", None), NOW).await.unwrap();
    let stored = |name: &str| StoredManifest { name: name.to_owned(), data_bytes: SHARED + 7 };
    assert_eq!(counted, JobEnd::Uncounted(vec![stored("a 7"), stored("b 7")]));
    assert_eq!(complete(&catalog, &job, "c 1").await, JobEnd::Ended);
}

async fn a_count_of_other_manifests_is_refused(Engine { catalog, .. }: Engine) {
    let owner = lab(&catalog).await;
    make(&catalog, owner, "a", "a 7").await;
    limit(&catalog, owner, SHARED + 20).await;
    let job = begin(&catalog, owner, "b").await;
    let JobEnd::Uncounted(counted) = catalog.complete_job(&job, built("b 7", None), NOW).await.unwrap()
    else {
        panic!("it must be counted");
    };
    // Another image gets in first, so both together are too much.
    crate::setting::instance(&catalog, owner, "vm-2").await;
    create(&catalog, owner, "c", "vm-2").await;
    let other = claim(&catalog, "other", NOW).await.unwrap();
    assert_eq!(complete(&catalog, &other, "c 7").await, JobEnd::Ended);
    let late = catalog.complete_job(&job, built("b 7", Some(&counted)), NOW).await.unwrap();
    let JobEnd::Uncounted(counted) = late else { panic!("{late:?}") };
    assert_eq!(counted.len(), 2);
    let late = catalog.complete_job(&job, built("b 7", Some(&counted)), NOW).await.unwrap();
    assert_eq!(late, over(SHARED + 14, 7, SHARED + 20));
    // An image that is gone makes the count too large, which matters only if it would be refused.
    purge(&catalog, owner, "image-c").await;
    let late = catalog.complete_job(&job, built("b 7", Some(&counted)), NOW).await.unwrap();
    assert!(matches!(&late, JobEnd::Uncounted(manifests) if manifests.len() == 1), "{late:?}");
    limit(&catalog, owner, SHARED + 21).await;
    let late = catalog.complete_job(&job, built("b 7", Some(&counted)), NOW).await.unwrap();
    assert_eq!((late, unique_bytes(&catalog, owner).await), (JobEnd::Ended, SHARED + 14));
}

async fn deleted_images_count_until_they_are_purged(Engine { catalog, .. }: Engine) {
    let owner = lab(&catalog).await;
    let max = SHARED + 20;
    limit(&catalog, owner, max).await;
    assert_eq!(make(&catalog, owner, "a", "a 10").await, JobEnd::Ended);
    assert_eq!(make(&catalog, owner, "b", "b 11").await, over(SHARED + 10, 11, max));
    assert_eq!(make(&catalog, owner, "c", "c 10").await, JobEnd::Ended);
    catalog.delete_image(Scope::own(owner), "image-a", NOW).await.unwrap();
    assert_eq!(make(&catalog, owner, "d", "d 1").await, over(max, 1, max));
    // A restored image counted before.
    catalog.restore_image("image-a", None, NOW).await.unwrap();
    purge(&catalog, owner, "image-a").await;
    assert_eq!(make(&catalog, owner, "e", "e 10").await, JobEnd::Ended);
    // Lowering the limit removes nothing.
    limit(&catalog, owner, 1).await;
    assert_eq!(unique_bytes(&catalog, owner).await, max);
    assert_eq!(make(&catalog, owner, "f", "f 1").await, over(max, 1, 1));
    catalog.set_account_limits(owner, &[(Limit::UniqueBytes, None)]).await.unwrap();
    assert_eq!(make(&catalog, owner, "g", "g 1000").await, JobEnd::Ended);
}

async fn content_of_the_account_adds_nothing(Engine { catalog, .. }: Engine) {
    let owner = lab(&catalog).await;
    make(&catalog, owner, "a", "a 7").await;
    limit(&catalog, owner, 1).await;
    let job = begin(&catalog, owner, "b").await;
    assert_eq!(catalog.complete_job(&job, built("a 7", None), NOW).await.unwrap(), JobEnd::Ended);
    // Another manifest of the same chunks.
    assert_eq!(make(&catalog, owner, "c", "c 0").await, JobEnd::Ended);
    let name = |_: &str, number: u32| (number == 0).then(|| "copy".to_owned());
    let (description, place, request) = (None, None, None);
    let copy = NewCopy { id: "copy", owner, name: &name, description, place, platform_type: "", request };
    let copied = catalog.copy_image(Scope::own(owner), "image-a", copy, NOW).await.unwrap();
    assert_eq!(copied, CopyImage::Copied("copy".to_owned()));
    let promoted = NewCopy { id: "promoted", owner: AccountId::PLATFORM, ..copy };
    let promoted = catalog.copy_image(Scope::everybody(), "image-a", promoted, NOW).await.unwrap();
    assert_eq!(promoted, CopyImage::Copied("copy".to_owned()));
    assert_eq!(unique_bytes(&catalog, owner).await, SHARED + 7);
}

async fn the_use_is_that_of_the_last_measurement(Engine { catalog, .. }: Engine) {
    let owner = lab(&catalog).await;
    let shown = async || {
        let states = catalog.account_limits(owner).await.unwrap();
        let state = states.into_iter().find(|state| state.limit == Limit::UniqueBytes).unwrap();
        (state.used, state.max, state.own)
    };
    assert_eq!(shown().await, (0, i64::MAX, false));
    limit(&catalog, owner, 9).await;
    for (measured_at, stored_bytes) in [(NOW, 5), (NOW + 86_400, 7), (NOW - 86_400, 3)] {
        let sample = UsageSample {
            measured_at,
            images: 1,
            logical_bytes: 10,
            stored_bytes,
            unique_bytes: 1,
            trash_bytes: 0,
            detail: String::new(),
        };
        catalog.save_usage_sample(owner, 1, &sample).await.unwrap();
    }
    assert_eq!(shown().await, (7, 9, true));
}
