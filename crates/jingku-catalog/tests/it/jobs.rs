use jingku_catalog::{
    ATTEMPTS_MAX, AccountId, BuiltImage, Catalog, CreateImage, DeleteImage, Heartbeat, Image, ImageStatus,
    Job, JobEnd, Scope, Source, testing,
};

use crate::engines::{Engine, on_every_engine};
use crate::setting::{LEASE_SECS, NOW, account, claim, create, create_at, instance, lab};

on_every_engine!(
    jobs_are_claimed_in_order_of_arrival,
    accounts_take_turns,
    an_account_cannot_occupy_all_workers,
    concurrent_workers_claim_different_jobs,
    a_made_image_is_available,
    an_expired_job_is_claimed_by_another_worker,
    a_lease_is_valid_for_one_attempt,
    a_late_heartbeat_renews_an_unclaimed_job,
    a_deleted_image_cancels_its_job,
    a_released_job_is_claimed_at_once_and_not_counted,
    a_restarted_worker_releases_its_jobs,
    attempts_are_bounded,
    progress_is_what_the_worker_reports,
    the_queue_lists_running_jobs_first,
);

/// A lease that has ended when the next statement runs.
const EXPIRED_SECS: i64 = -10;

/// An account with the image `image-a` in status `Making`.
async fn making(catalog: &Catalog) -> Scope {
    let owner = lab(catalog).await;
    assert_eq!(create(catalog, owner, "a", "vm").await, CreateImage::Created);
    Scope::own(owner)
}

/// Makes the lease of a job expire. The time of a database cannot be set.
async fn expire(catalog: &Catalog, job: &Job) {
    let beat = catalog.heartbeat(job, 10, 100, NOW, EXPIRED_SECS).await.unwrap();
    assert_eq!(beat, Heartbeat::Held);
}

async fn beat(catalog: &Catalog, job: &Job, now: i64) -> Heartbeat {
    catalog.heartbeat(job, 10, 100, now, LEASE_SECS).await.unwrap()
}

async fn image(catalog: &Catalog, scope: Scope) -> Image {
    catalog.image(scope, "image-a").await.unwrap().expect("it exists")
}

/// Queues jobs of an account, one per instance, in one second, with ids in reverse order.
async fn queue(catalog: &Catalog, owner: AccountId, prefix: &str, count: usize) -> Vec<String> {
    let mut names = Vec::new();
    for number in 0..count {
        let name = format!("{prefix}{}", 99 - number);
        instance(catalog, owner, &name).await;
        assert_eq!(create(catalog, owner, &name, &name).await, CreateImage::Created);
        names.push(name);
    }
    names
}

fn instance_of(job: &Job) -> String {
    match &job.source {
        Source::Instance(id) => id.clone(),
        Source::Upload => panic!("no instance"),
    }
}

/// Claims all jobs the worker can get.
async fn claim_jobs(catalog: &Catalog, worker: &str, account_max: i64) -> Vec<Job> {
    let mut jobs = Vec::new();
    while let Some(job) = catalog.claim_job(worker, account_max, NOW, LEASE_SECS).await.unwrap() {
        jobs.push(job);
    }
    jobs
}

/// Claims all jobs the worker can get and returns their instances.
async fn claim_all(catalog: &Catalog, worker: &str, account_max: i64) -> Vec<String> {
    claim_jobs(catalog, worker, account_max).await.iter().map(instance_of).collect()
}

async fn jobs_are_claimed_in_order_of_arrival(Engine { catalog, .. }: Engine) {
    let owner = account(&catalog, "lab").await.id;
    let names = queue(&catalog, owner, "vm-", 5).await;
    let first = claim(&catalog, "worker", NOW).await.unwrap();
    assert_eq!((first.account, first.attempt, instance_of(&first)), (owner, 1, names[0].clone()));
    // A released job keeps its position.
    assert!(catalog.release_job(&first).await.unwrap());
    assert_eq!(claim_all(&catalog, "worker", i64::MAX).await, names);
}

/// An account with a long queue gets no more than one with a single job.
async fn accounts_take_turns(Engine { catalog, .. }: Engine) {
    let (a, b) = (account(&catalog, "a").await.id, account(&catalog, "b").await.id);
    queue(&catalog, a, "a-", 4).await;
    queue(&catalog, b, "b-", 2).await;
    let mut order = Vec::new();
    while let Some(job) = claim(&catalog, "worker", NOW).await {
        catalog.fail_job(&job, "Next.", NOW).await.unwrap();
        order.push(instance_of(&job));
    }
    assert_eq!(order, ["a-99", "b-99", "a-98", "b-98", "a-97", "a-96"]);
    // The same with running jobs: next is the account with the fewest.
    queue(&catalog, a, "c-", 3).await;
    queue(&catalog, b, "d-", 1).await;
    assert_eq!(claim_all(&catalog, "worker", i64::MAX).await, ["d-99", "c-99", "c-98", "c-97"]);
}

async fn an_account_cannot_occupy_all_workers(Engine { catalog, .. }: Engine) {
    let (a, b) = (account(&catalog, "a").await.id, account(&catalog, "b").await.id);
    let of_a = queue(&catalog, a, "a-", 30).await;
    let mut jobs = claim_jobs(&catalog, "server", 2).await;
    assert_eq!(jobs.iter().map(instance_of).collect::<Vec<_>>(), of_a[..2]);
    let of_b = queue(&catalog, b, "b-", 1).await;
    jobs.extend(claim_jobs(&catalog, "server", 2).await);
    assert_eq!(jobs.last().map(instance_of), Some(of_b[0].clone()));
    // Other servers count separately.
    assert_eq!(claim_all(&catalog, "another", 2).await, of_a[2..4]);
    // Expired leases do not count; next is the account served least recently.
    for job in &jobs {
        expire(&catalog, job).await;
    }
    let later = catalog.claim_job("server", 1, NOW, LEASE_SECS).await.unwrap().unwrap();
    assert_eq!((later.account, later.attempt, instance_of(&later)), (b, 2, of_b[0].clone()));
}

/// Each job is claimed once by any number of workers on any number of servers.
async fn concurrent_workers_claim_different_jobs(Engine { catalog, .. }: Engine) {
    let (a, b) = (account(&catalog, "a").await.id, account(&catalog, "b").await.id);
    let mut expected = queue(&catalog, a, "a-", 8).await;
    expected.extend(queue(&catalog, b, "b-", 8).await);
    let claiming: Vec<_> = ["one", "two", "three", "four"]
        .map(|worker| {
            let catalog = catalog.clone();
            tokio::spawn(async move { claim_all(&catalog, worker, i64::MAX).await })
        })
        .into();
    let mut found = Vec::new();
    for claimed in claiming {
        found.extend(claimed.await.unwrap());
    }
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
}

async fn a_made_image_is_available(Engine { catalog, .. }: Engine) {
    let scope = making(&catalog).await;
    let job = claim(&catalog, "worker", NOW).await.unwrap();
    assert_eq!(job.id, "job-a");
    assert_eq!(catalog.complete_job(&job, BuiltImage::dense("m1", 7), NOW + 9).await.unwrap(), JobEnd::Ended);
    let made = image(&catalog, scope).await;
    assert_eq!((made.status, made.manifest.as_deref()), (ImageStatus::Available, Some("m1")));
    assert_eq!((made.size_bytes, made.create_time, made.update_time), (7, NOW, NOW + 9));
    // It ends once.
    assert_eq!(catalog.complete_job(&job, BuiltImage::dense("m2", 8), NOW).await.unwrap(), JobEnd::Lost);
    assert_eq!(catalog.fail_job(&job, "No.", NOW).await.unwrap(), JobEnd::Lost);
    assert_eq!(beat(&catalog, &job, NOW).await, Heartbeat::Lost);
    assert_eq!(image(&catalog, scope).await, made);
    assert!(claim(&catalog, "worker", NOW + 1_000_000).await.is_none());
}

async fn an_expired_job_is_claimed_by_another_worker(Engine { catalog, .. }: Engine) {
    let scope = making(&catalog).await;
    let first = claim(&catalog, "first", NOW).await.unwrap();
    assert!(claim(&catalog, "second", NOW + LEASE_SECS - 1).await.is_none());
    expire(&catalog, &first).await;
    let second = claim(&catalog, "second", NOW).await.unwrap();
    assert_eq!((second.image_id.as_str(), second.attempt), ("image-a", 2));
    let later = NOW + LEASE_SECS + 1;
    assert_eq!(beat(&catalog, &first, later).await, Heartbeat::Lost);
    assert_eq!(catalog.complete_job(&first, BuiltImage::dense("m1", 7), later).await.unwrap(), JobEnd::Lost);
    assert_eq!(catalog.fail_job(&first, "No.", later).await.unwrap(), JobEnd::Lost);
    assert!(!catalog.release_job(&first).await.unwrap());
    assert_eq!(image(&catalog, scope).await.status, ImageStatus::Making);
    assert_eq!(
        catalog.complete_job(&second, BuiltImage::dense("m2", 7), later).await.unwrap(),
        JobEnd::Ended
    );
    assert_eq!(image(&catalog, scope).await.manifest.as_deref(), Some("m2"));
}

async fn a_lease_is_valid_for_one_attempt(Engine { catalog, .. }: Engine) {
    making(&catalog).await;
    let stalled = claim(&catalog, "worker", NOW).await.unwrap();
    expire(&catalog, &stalled).await;
    let again = claim(&catalog, "worker", NOW).await.unwrap();
    assert_eq!(beat(&catalog, &stalled, NOW).await, Heartbeat::Lost);
    assert_eq!(beat(&catalog, &again, NOW).await, Heartbeat::Held);
}

async fn a_late_heartbeat_renews_an_unclaimed_job(Engine { catalog, .. }: Engine) {
    making(&catalog).await;
    let job = claim(&catalog, "worker", NOW).await.unwrap();
    expire(&catalog, &job).await;
    let late = NOW + 2 * LEASE_SECS;
    assert_eq!(beat(&catalog, &job, late).await, Heartbeat::Held);
    assert!(claim(&catalog, "other", late + LEASE_SECS - 1).await.is_none());
}

async fn a_deleted_image_cancels_its_job(Engine { catalog, .. }: Engine) {
    let scope = making(&catalog).await;
    let job = claim(&catalog, "worker", NOW).await.unwrap();
    assert_eq!(catalog.delete_image(scope, "image-a", NOW).await.unwrap(), DeleteImage::Deleted);
    assert_eq!(beat(&catalog, &job, NOW).await, Heartbeat::Cancelled);
    assert_eq!(catalog.complete_job(&job, BuiltImage::dense("m1", 7), NOW).await.unwrap(), JobEnd::Lost);
    assert!(claim(&catalog, "worker", NOW + 2 * LEASE_SECS).await.is_none());
    assert_eq!(catalog.image(scope, "image-a").await.unwrap(), None);
}

async fn a_released_job_is_claimed_at_once_and_not_counted(Engine { catalog, .. }: Engine) {
    making(&catalog).await;
    for _ in 0..2 * ATTEMPTS_MAX {
        let job = claim(&catalog, "worker", NOW).await.unwrap();
        assert_eq!(job.attempt, 1);
        assert!(catalog.release_job(&job).await.unwrap());
        assert!(!catalog.release_job(&job).await.unwrap());
        assert_eq!(beat(&catalog, &job, NOW).await, Heartbeat::Lost);
    }
}

async fn a_restarted_worker_releases_its_jobs(Engine { catalog, .. }: Engine) {
    making(&catalog).await;
    let dead = claim(&catalog, "worker", NOW).await.unwrap();
    assert_eq!(catalog.release_jobs_of("other").await.unwrap(), 0);
    assert!(claim(&catalog, "other", NOW).await.is_none());
    assert_eq!(catalog.release_jobs_of("worker").await.unwrap(), 1);
    assert_eq!(beat(&catalog, &dead, NOW).await, Heartbeat::Lost);
    // The lost attempt counts.
    assert_eq!(claim(&catalog, "other", NOW).await.unwrap().attempt, 2);
    assert_eq!(catalog.release_jobs_of("worker").await.unwrap(), 0);
}

async fn attempts_are_bounded(Engine { catalog, .. }: Engine) {
    let scope = making(&catalog).await;
    let now = NOW;
    for attempt in 1..=ATTEMPTS_MAX {
        let job = claim(&catalog, "worker", now).await.unwrap();
        assert_eq!(job.attempt, attempt);
        expire(&catalog, &job).await;
    }
    // The next job does not wait for the failed one.
    let owner = catalog.accounts().await.unwrap()[0].id;
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
    assert_eq!(catalog.heartbeat(&job, 25, 100, NOW + 5, LEASE_SECS).await.unwrap(), Heartbeat::Held);
    let half = progress().await;
    assert_eq!((half.done_bytes, half.total_bytes), (25, 100));
    assert_eq!((half.started_at, half.reported_at), (Some(NOW + 1), Some(NOW + 5)));

    catalog.fail_job(&job, "The disk is gone.", NOW + 6).await.unwrap();
    let failed = progress().await;
    assert_eq!(failed.status, ImageStatus::UnAvailable);
    assert_eq!(failed.failed_reason, "The disk is gone.");
}

/// Draws an ordinal as a change of the account 1 does, once another session waits for the lock of its account.
const CHANGE_WITH_A_WAITING_SESSION: &str = "
    BEGIN;
    UPDATE accounts SET revision = revision + 1 WHERE id = 1;
    DO $$ BEGIN
        WHILE NOT EXISTS (
            SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
        ) LOOP
            PERFORM pg_sleep(0.01);
            PERFORM pg_stat_clear_snapshot();
        END LOOP;
    END $$;
    SET LOCAL lock_timeout = '500ms';
    UPDATE counters SET ordinal = ordinal + 1;
    COMMIT";

/// PostgreSQL notices a deadlock after a second, in which no account can change anything.
#[tokio::test(flavor = "multi_thread")]
async fn a_claim_that_waits_for_an_account_locks_nothing_else() {
    let Some(url) = testing::postgres_database().await else { return };
    let catalog = Catalog::connect_postgres(&url, None).await.unwrap();
    making(&catalog).await;
    let change = tokio::spawn(async move { testing::run_sql(&url, CHANGE_WITH_A_WAITING_SESSION).await });
    while !change.is_finished() {
        let job = claim(&catalog, "worker", NOW).await.expect("it is waiting");
        catalog.release_job(&job).await.unwrap();
    }
    change.await.unwrap();
    assert!(claim(&catalog, "worker", NOW).await.is_some());
}

async fn the_queue_lists_running_jobs_first(Engine { catalog, .. }: Engine) {
    let (lab, other) = (account(&catalog, "lab").await.id, account(&catalog, "other").await.id);
    queue(&catalog, lab, "a", 2).await;
    queue(&catalog, other, "b", 1).await;
    let job = claim(&catalog, "worker", NOW).await;
    let job = job.expect("there is a job");
    catalog.heartbeat(&job, 10, 100, NOW, LEASE_SECS).await.unwrap();
    let jobs = catalog.queued_jobs(NOW, 10).await.unwrap();
    assert_eq!(jobs.len(), 3);
    let first = &jobs[0];
    assert_eq!((&first.image_id, first.is_running, first.attempts), (&job.image_id, true, 1));
    assert_eq!((first.done_bytes, first.total_bytes), (10, 100));
    assert!(jobs[1..].iter().all(|job| !job.is_running && job.attempts == 0));
    assert!(jobs.iter().any(|job| job.account_name == "other" && job.account == other));
    assert_eq!(catalog.queued_jobs(NOW, 1).await.unwrap(), jobs[..1]);
    expire(&catalog, &job).await;
    assert!(catalog.queued_jobs(NOW, 10).await.unwrap().iter().all(|job| !job.is_running));
}
