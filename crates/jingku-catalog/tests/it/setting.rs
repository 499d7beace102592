//! The set-up shared by most tests.

use jingku_catalog::{
    Account, AccountId, AddInstance, BuiltImage, Catalog, CreateImage, ImageChanges, ImageStatus, Job,
    JobEnd, NewAccount, NewImage, NewInstance, PublishImage, Scope, SeedImage, Submission,
};

pub(crate) const NOW: i64 = 1_800_000_000;
pub(crate) const LEASE_SECS: i64 = 60;

pub(crate) async fn account(catalog: &Catalog, name: &str) -> Account {
    let project_id = format!("org-{name}");
    match catalog.create_account(NewAccount { name, project_id: &project_id }, NOW).await.unwrap() {
        Some(account) => account,
        None => panic!("account {name} exists"),
    }
}

/// Creates the account "lab" with the instance "vm".
pub(crate) async fn lab(catalog: &Catalog) -> AccountId {
    let owner = account(catalog, "lab").await.id;
    instance(catalog, owner, "vm").await;
    owner
}

pub(crate) async fn instance(catalog: &Catalog, account: AccountId, id: &str) {
    let new = NewInstance {
        id,
        account,
        name: "training",
        region: "cn-wlcb",
        zone: "cn-wlcb-01",
        disk: r#"{"path":"/srv/disk.qcow2"}"#,
        size_bytes: 1 << 30,
        gpu_type: "4090",
        container: None,
    };
    assert_eq!(catalog.add_instance(new, None, NOW).await.unwrap(), AddInstance::Added);
}

pub(crate) fn new_image<'a>(id: &'a str, name: &'a str, instance_id: &'a str) -> NewImage<'a> {
    NewImage {
        id,
        name,
        description: "",
        instance_id,
        softwares: None,
        software_ports: "[]",
        firewall_ports: &[],
        options: "",
    }
}

/// Creates the image `image-name`, named `name`, from an instance, and the job `job-name`.
pub(crate) async fn create(
    catalog: &Catalog,
    account: AccountId,
    name: &str,
    instance_id: &str,
) -> CreateImage {
    create_at(catalog, account, name, instance_id, NOW).await
}

pub(crate) async fn create_at(
    catalog: &Catalog,
    account: AccountId,
    name: &str,
    instance_id: &str,
    now: i64,
) -> CreateImage {
    let (image, job) = (format!("image-{name}"), format!("job-{name}"));
    let new = new_image(&image, name, instance_id);
    catalog.create_image(Scope::own(account), new, &job, now).await.unwrap()
}

pub(crate) async fn claim(catalog: &Catalog, worker: &str, now: i64) -> Option<Job> {
    catalog.claim_job(worker, i64::MAX, now, LEASE_SECS).await.unwrap()
}

/// Creates an image and makes it.
pub(crate) async fn make(catalog: &Catalog, account: AccountId, name: &str, instance_id: &str, now: i64) {
    assert_eq!(create_at(catalog, account, name, instance_id, now).await, CreateImage::Created);
    let job = claim(catalog, "maker", now).await.expect("a job waits");
    let end = catalog.complete_job(&job, BuiltImage::dense("manifest", 5), now).await.unwrap();
    assert_eq!(end, JobEnd::Ended);
}

/// Submits an image without a group, with or without approval.
pub(crate) const fn submission(new_group_id: &str, approve: bool) -> Submission<'_> {
    Submission { new_group_id, community_name: None, approve, containers_only: false }
}

/// Makes the image `image-name` and publishes it as the first version of a group.
pub(crate) async fn make_public(catalog: &Catalog, owner: AccountId, name: &str, group: &str, now: i64) {
    make(catalog, owner, name, "vm", now).await;
    publish(catalog, owner, &format!("image-{name}"), group, ImageChanges::default(), now).await;
}

/// Publishes and approves an image, in the group of the changes or a new one.
pub(crate) async fn publish(
    catalog: &Catalog,
    owner: AccountId,
    image: &str,
    group: &str,
    changes: ImageChanges<'_>,
    now: i64,
) {
    let published =
        catalog.publish_image(Scope::own(owner), image, submission(group, false), changes, None, now).await;
    assert_eq!(published.unwrap(), PublishImage::Published(group.to_owned()));
    assert!(catalog.approve_image(image, now).await.unwrap());
}

/// The zones of seeded images.
pub(crate) const ZONES: [&str; 3] = ["cn-wlcb-01", "cn-sh2-02", "us-den-01"];

/// The id of [`seeded`].
pub(crate) fn seeded_id(owner: AccountId, number: usize) -> String {
    format!("image-{}-{number:03}", owner.0)
}

/// The image with a number of an account, to seed. Two have the same second.
pub(crate) fn seeded(owner: AccountId, number: usize) -> SeedImage<'static> {
    SeedImage {
        id: seeded_id(owner, number),
        account: owner,
        name: format!("name-{number}"),
        status: ImageStatus::Available,
        description: "",
        readme: "",
        tags: &[],
        supported_gpu_types: &[],
        price_cents: 0,
        failed_reason: "",
        create_time: NOW + i64::try_from(number / 2).unwrap(),
        region: "region",
        zone: ZONES[number % 7 % 3],
        source_gpu_type: "",
        source_instance_id: "",
        size_bytes: 1,
        manifest: Some("manifest"),
        done_bytes: 0,
        container: false,
        platform_type: "",
        shared_with: &[],
        version: None,
    }
}
