use jingku_catalog::{
    ATTEMPTS_MAX, Catalog, CreateImage, DeleteImage, Heartbeat, Image, ImageStatus, JobEnd, Lease, Scope,
};

use crate::engines::{Engine, on_every_engine};
use crate::setting::{LEASE_SECS, NOW, account, claim, create, create_at, instance};

on_every_engine!(
    the_oldest_job_is_claimed_first,
    a_made_image_is_available,
    a_lease_runs_out_and_another_worker_goes_on,
    a_lease_is_of_one_attempt,
    a_late_heartbeat_keeps_a_job_nobody_took,
    a_deleted_image_cancels_its_job,
    a_released_job_is_claimed_at_once_and_not_counted,
    a_later_run_takes_back_what_it_held,
    a_job_is_started_only_so_often,
    progress_is_what_the_worker_reports,
);

/// An account with the image `image-a` in the making.
async fn making(catalog: &Catalog) -> Scope {
    let owner = account(catalog, "lab").await.id;
    instance(catalog, owner, "vm").await;
    assert_eq!(create(catalog, owner, "a", "vm").await, CreateImage::Created);
    Scope::own(owner)
}

async fn beat(catalog: &Catalog, lease: &Lease, now: i64) -> Heartbeat {
    catalog.heartbeat(lease, 10, 100, now, LEASE_SECS).await.unwrap()
}

async fn image(catalog: &Catalog, scope: Scope) -> Image {
    catalog.image(scope, "image-a").await.unwrap().expect("it exists")
}

async fn the_oldest_job_is_claimed_first(Engine { catalog, .. }: Engine) {
    let owner = account(&catalog, "lab").await.id;
    for (name, now) in [("b", NOW + 1), ("c", NOW + 2), ("a", NOW)] {
        instance(&catalog, owner, name).await;
        create_at(&catalog, owner, name, name, now).await;
    }
    let mut order = Vec::new();
    while let Some(job) = claim(&catalog, "worker", NOW + 3).await {
        assert_eq!((job.account, job.attempt), (owner, 1));
        assert_eq!(job.image_id, format!("image-{}", job.instance_id));
        order.push(job.instance_id);
    }
    assert_eq!(order, ["a", "b", "c"]);
}

async fn a_made_image_is_available(Engine { catalog, .. }: Engine) {
    let scope = making(&catalog).await;
    let job = claim(&catalog, "worker", NOW).await.unwrap();
    assert_eq!(job.lease.job(), "job-a");
    assert_eq!(catalog.complete_job(&job.lease, "m1", 7, NOW + 9).await.unwrap(), JobEnd::Ended);
    let made = image(&catalog, scope).await;
    assert_eq!((made.status, made.manifest.as_deref()), (ImageStatus::Available, Some("m1")));
    assert_eq!((made.size_bytes, made.create_time, made.update_time), (7, NOW, NOW + 9));
    // Once is enough.
    assert_eq!(catalog.complete_job(&job.lease, "m2", 8, NOW).await.unwrap(), JobEnd::Lost);
    assert_eq!(catalog.fail_job(&job.lease, "No.", NOW).await.unwrap(), JobEnd::Lost);
    assert_eq!(beat(&catalog, &job.lease, NOW).await, Heartbeat::Lost);
    assert_eq!(image(&catalog, scope).await, made);
    assert!(claim(&catalog, "worker", NOW + 1_000_000).await.is_none());
}

async fn a_lease_runs_out_and_another_worker_goes_on(Engine { catalog, .. }: Engine) {
    let scope = making(&catalog).await;
    let first = claim(&catalog, "first", NOW).await.unwrap();
    assert!(claim(&catalog, "second", NOW + LEASE_SECS - 1).await.is_none());
    let second = claim(&catalog, "second", NOW + LEASE_SECS).await.unwrap();
    assert_eq!((second.image_id.as_str(), second.attempt), ("image-a", 2));
    let later = NOW + LEASE_SECS + 1;
    assert_eq!(beat(&catalog, &first.lease, later).await, Heartbeat::Lost);
    assert_eq!(catalog.complete_job(&first.lease, "m1", 7, later).await.unwrap(), JobEnd::Lost);
    assert_eq!(catalog.fail_job(&first.lease, "No.", later).await.unwrap(), JobEnd::Lost);
    assert!(!catalog.release_job(&first.lease).await.unwrap());
    assert_eq!(image(&catalog, scope).await.status, ImageStatus::Making);
    assert_eq!(catalog.complete_job(&second.lease, "m2", 7, later).await.unwrap(), JobEnd::Ended);
    assert_eq!(image(&catalog, scope).await.manifest.as_deref(), Some("m2"));
}

async fn a_lease_is_of_one_attempt(Engine { catalog, .. }: Engine) {
    making(&catalog).await;
    let stalled = claim(&catalog, "worker", NOW).await.unwrap();
    let again = claim(&catalog, "worker", NOW + LEASE_SECS).await.unwrap();
    assert_eq!(beat(&catalog, &stalled.lease, NOW + LEASE_SECS).await, Heartbeat::Lost);
    assert_eq!(beat(&catalog, &again.lease, NOW + LEASE_SECS).await, Heartbeat::Held);
}

async fn a_late_heartbeat_keeps_a_job_nobody_took(Engine { catalog, .. }: Engine) {
    making(&catalog).await;
    let job = claim(&catalog, "worker", NOW).await.unwrap();
    let late = NOW + 2 * LEASE_SECS;
    assert_eq!(beat(&catalog, &job.lease, late).await, Heartbeat::Held);
    assert!(claim(&catalog, "other", late + LEASE_SECS - 1).await.is_none());
}

async fn a_deleted_image_cancels_its_job(Engine { catalog, .. }: Engine) {
    let scope = making(&catalog).await;
    let job = claim(&catalog, "worker", NOW).await.unwrap();
    assert_eq!(catalog.delete_image(scope, "image-a", NOW).await.unwrap(), DeleteImage::Deleted);
    assert_eq!(beat(&catalog, &job.lease, NOW).await, Heartbeat::Cancelled);
    assert_eq!(catalog.complete_job(&job.lease, "m1", 7, NOW).await.unwrap(), JobEnd::Lost);
    assert!(claim(&catalog, "worker", NOW + 2 * LEASE_SECS).await.is_none());
    assert_eq!(catalog.image(scope, "image-a").await.unwrap(), None);
}

async fn a_released_job_is_claimed_at_once_and_not_counted(Engine { catalog, .. }: Engine) {
    making(&catalog).await;
    for _ in 0..2 * ATTEMPTS_MAX {
        let job = claim(&catalog, "worker", NOW).await.unwrap();
        assert_eq!(job.attempt, 1);
        assert!(catalog.release_job(&job.lease).await.unwrap());
        assert!(!catalog.release_job(&job.lease).await.unwrap());
        assert_eq!(beat(&catalog, &job.lease, NOW).await, Heartbeat::Lost);
    }
}

async fn a_later_run_takes_back_what_it_held(Engine { catalog, .. }: Engine) {
    making(&catalog).await;
    let dead = claim(&catalog, "worker", NOW).await.unwrap();
    assert_eq!(catalog.release_jobs_of("other").await.unwrap(), 0);
    assert!(claim(&catalog, "other", NOW).await.is_none());
    assert_eq!(catalog.release_jobs_of("worker").await.unwrap(), 1);
    assert_eq!(beat(&catalog, &dead.lease, NOW).await, Heartbeat::Lost);
    // The attempt that died counts.
    assert_eq!(claim(&catalog, "other", NOW).await.unwrap().attempt, 2);
    assert_eq!(catalog.release_jobs_of("worker").await.unwrap(), 0);
}

async fn a_job_is_started_only_so_often(Engine { catalog, .. }: Engine) {
    let scope = making(&catalog).await;
    let mut now = NOW;
    for attempt in 1..=ATTEMPTS_MAX {
        assert_eq!(claim(&catalog, "worker", now).await.unwrap().attempt, attempt);
        now += LEASE_SECS;
    }
    // The next job is not held up by the one that ends.
    let owner = catalog.account_named("lab").await.unwrap().unwrap().id;
    instance(&catalog, owner, "vm-2").await;
    create_at(&catalog, owner, "b", "vm-2", now).await;
    assert_eq!(claim(&catalog, "worker", now).await.unwrap().image_id, "image-b");
    let ended = image(&catalog, scope).await;
    assert_eq!(ended.status, ImageStatus::UnAvailable);
    assert!(!ended.failed_reason.is_empty());
    assert_eq!(catalog.instance(None, "vm").await.unwrap().unwrap().image_in_making, None);
}

async fn progress_is_what_the_worker_reports(Engine { catalog, .. }: Engine) {
    let scope = making(&catalog).await;
    let progress = async || catalog.image_progress(scope, "image-a").await.unwrap().unwrap();
    let waiting = progress().await;
    assert_eq!((waiting.status, waiting.started_at, waiting.reported_at), (ImageStatus::Making, None, None));
    assert_eq!((waiting.done_bytes, waiting.total_bytes), (0, 1 << 30));

    let job = claim(&catalog, "worker", NOW + 1).await.unwrap();
    assert_eq!(catalog.heartbeat(&job.lease, 25, 100, NOW + 5, LEASE_SECS).await.unwrap(), Heartbeat::Held);
    let half = progress().await;
    assert_eq!((half.done_bytes, half.total_bytes), (25, 100));
    assert_eq!((half.started_at, half.reported_at), (Some(NOW + 1), Some(NOW + 5)));

    catalog.fail_job(&job.lease, "The disk is gone.", NOW + 6).await.unwrap();
    let failed = progress().await;
    assert_eq!(failed.status, ImageStatus::UnAvailable);
    assert_eq!(failed.failed_reason, "The disk is gone.");
}
