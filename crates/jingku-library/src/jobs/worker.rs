//! A worker: claims a job, runs it on a thread of its own, and records its end.

use std::error::Error;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::FutureExt;
use jingku_catalog::{
    AccountId, BuiltImage, CatalogError, ClaimState, Heartbeat, Job, JobEnd, Limit, Source, StoredManifest,
};
use jingku_chunks::ManifestId;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};
use tracing::Instrument;

use super::make::{Made, MakeError};
use super::progress::{Progress, StopReason};
use super::save::Saving;
use super::saved::{Saved, SavedTexts};
use super::supervisor::{Loop, panic_text};
use super::unique::{Count, Counted};
use super::{import, make, save, uploads};
use crate::error::Internal;
use crate::failpoint;
use crate::library::Library;
use crate::limits::{JOB_STOP_TIMEOUT, OWN_MANIFESTS_MAX};
use crate::lock::lock;

/// How often an idle worker polls for jobs of other processes.
const POLL: Duration = Duration::from_secs(5);

/// `FailedReason` of an image whose job panicked.
const PANICKED: &str = "Making the image failed because of a fault in the server. Ask the operator to look at the server's \
     log, then delete this image and make it again.";

pub(super) async fn work(task: Loop) {
    let library = &task.library;
    while !task.stop.is_cancelled() && !library.is_host_lost() {
        let working = library.running.at_work.read().await;
        failpoint::passed("worker.before_claim");
        let (now, account_max) = (library.clock.now(), library.config.jobs.account_max());
        let claimed = library.catalog.claim_job(&library.node, account_max, now, library.lease_secs()).await;
        match claimed {
            Ok(Some(job)) => {
                // One notification may stand for several new jobs.
                library.running.wake.notify_one();
                run_caught(&task, job).await;
                task.note::<CatalogError>(&Ok(()));
            }
            Ok(None) => {
                drop(working);
                task.note::<CatalogError>(&Ok(()));
                tokio::select! {
                    () = library.running.wake.notified() => {}
                    () = task.rest(POLL) => {}
                }
            }
            Err(error) => {
                drop(working);
                task.note(&Err(error));
                task.rest(POLL).await;
            }
        }
    }
}

/// Runs a job. A panic ends only this job.
async fn run_caught(task: &Loop, job: Job) {
    let library = &task.library;
    let span = tracing::info_span!("job", id = job.id, image_id = job.image_id);
    let running = AssertUnwindSafe(run(task, &job)).catch_unwind();
    let Err(panic) = running.instrument(span).await else { return };
    let (image_id, panic) = (&job.image_id, panic_text(&*panic));
    tracing::error!(image_id, panic, "making an image panicked");
    library.running.failed.fetch_add(1, Ordering::Relaxed);
    library.running.remove(image_id);
    // If this fails, the lease expires, and the number of further attempts is limited.
    if let Err(error) = library.catalog.fail_job(&job, PANICKED, library.clock.now()).await {
        tracing::error!(image_id, error = &error as &dyn Error, "cannot end the job");
    }
    uploads::remove_if_gone(library, &job).await;
}

async fn run(task: &Loop, job: &Job) {
    failpoint::reached("make.claimed");
    let (library, image_id) = (&task.library, &job.image_id);
    tracing::info!(image_id, attempt = job.attempt, "making image");
    let own = own_manifests(library, job.account).await;
    let progress = Arc::new(Progress::new(library.clock.now(), own, library.job_hook.clone()));
    library.running.insert(image_id, &progress);
    let attempt = Attempt { task, job, progress: &progress, started: Instant::now() };
    // Otherwise, a blocked thread would prevent the process from ending.
    let _stop = StopWhenDropped(&progress);
    let result = attempt.make().await;
    if result.is_err() {
        // From now on, the catalogue reports the progress.
        heartbeat(library, job, &progress).await;
    }
    // Before the image becomes visible.
    let secrets = result.as_ref().ok().and_then(|made| made.saved.as_ref()?.secrets_warning());
    if let Some(caution) = progress.caution().map(|caution| caution.to_string()).or(secrets)
        && let Err(error) = library.catalog.set_caution(job, &caution).await
    {
        tracing::warn!(image_id, error = &error as &dyn Error, "cannot save a warning about the disk");
    }
    let ended = attempt.end(result).await;
    uploads::remove_if_gone(library, job).await;
    // Only now, because the last heartbeat may report less progress than was reported before.
    library.running.remove(image_id);
    if let Err(error) = ended {
        // The lease expires and the job is claimed again.
        tracing::error!(image_id, error = &error as &dyn Error, "cannot end the job");
    }
}

pub(super) async fn own_manifests(library: &Library, account: AccountId) -> Vec<ManifestId> {
    match library.catalog.own_manifests(account, OWN_MANIFESTS_MAX).await {
        Ok(names) => names.iter().filter_map(|name| name.parse().ok()).collect(),
        Err(error) => {
            // Without them, the job only reports less.
            tracing::warn!(error = &error as &dyn Error, "cannot read the manifests of an account");
            Vec::new()
        }
    }
}

/// A job that this worker has claimed.
struct Attempt<'a> {
    task: &'a Loop,
    job: &'a Job,
    progress: &'a Arc<Progress>,
    started: Instant,
}

impl Attempt<'_> {
    /// Makes the image on a thread of its own.
    async fn make(&self) -> Result<Made, MakeError> {
        let making = spawn(&self.task.library, self.job, self.progress).await?;
        self.hold(async { making.await.map_err(Internal::Task)? }).await
    }

    /// Waits for a part of the job. Renews the lease meanwhile, and stops the job at its deadline.
    async fn hold<T>(&self, part: impl Future<Output = Result<T, MakeError>>) -> Result<T, MakeError> {
        let Self { task, job, progress, started } = *self;
        let library = &task.library;
        let mut part = std::pin::pin!(part);
        let every = library.renewal_interval();
        let mut beat = tokio::time::interval_at(Instant::now() + every, every);
        let stop = loop {
            if let Some(stop) = progress.stopped() {
                break stop;
            }
            // The total may become known late. A hook may block jobs without limit.
            let deadline = || started + library.config.jobs.deadline(lock(&progress.bytes).total);
            tokio::select! {
                done = &mut part => return done,
                () = task.stop.cancelled() => progress.stop(StopReason::Shutdown),
                () = sleep_until(deadline()), if library.job_hook.is_none() => {
                    if Instant::now() >= deadline() {
                        progress.stop(StopReason::Overdue);
                    }
                }
                _ = beat.tick() => heartbeat(library, job, progress).await,
            }
        };
        if let Ok(done) = timeout(JOB_STOP_TIMEOUT, part).await {
            return done;
        }
        tracing::warn!(image_id = job.image_id, "a job does not stop and is abandoned");
        Err(MakeError::Stopped(stop))
    }

    /// Records the end of the job.
    async fn end(&self, result: Result<Made, MakeError>) -> Result<(), CatalogError> {
        let Self { task, job, .. } = *self;
        let (library, image_id) = (&task.library, &job.image_id);
        let completed = match result {
            Ok(made) => self.complete(&made).await,
            Err(error) => Err(error),
        };
        let now = library.clock.now();
        let ended = match completed {
            Ok(ended) => ended,
            Err(MakeError::Stopped(StopReason::Shutdown)) => {
                library.catalog.release_job(job).await?;
                tracing::info!(image_id, "job given back");
                return Ok(());
            }
            Err(MakeError::Stopped(StopReason::Lost)) => JobEnd::Lost,
            // It is not the fault of the image: another attempt may succeed.
            Err(MakeError::Inside(Internal::Catalog(error))) if error.is_transient() => return Err(error),
            Err(MakeError::Store(jingku_chunks::Error::ClaimExpired)) => JobEnd::ClaimExpired,
            Err(error) => {
                tracing::error!(image_id, error = &error as &dyn Error, "cannot make image");
                library.running.failed.fetch_add(1, Ordering::Relaxed);
                library.catalog.fail_job(job, &error.reason(), now).await?
            }
        };
        match ended {
            JobEnd::Ended => {}
            JobEnd::Lost => {
                tracing::info!(image_id, "the image was deleted meanwhile, or another worker has the job");
            }
            // The lease of the job expires, and another attempt claims and looks again.
            JobEnd::ClaimExpired => {
                tracing::warn!(image_id, "the claim on the content expired: the job starts over");
            }
            JobEnd::OverLimit(over) => {
                let reason = format!("{}.", crate::account_limits::limit_refusal(&over));
                tracing::info!(image_id, reason, "the image exceeds a limit of its account");
                library.running.failed.fetch_add(1, Ordering::Relaxed);
                library.catalog.fail_job(job, &reason, now).await?;
            }
            JobEnd::Uncounted(_) => unreachable!("what is uncounted is counted"),
        }
        Ok(())
    }

    /// Makes the image visible. If its account has a limit of distinct bytes, counts them first.
    async fn complete(&self, made: &Made) -> Result<JobEnd, MakeError> {
        let (counts, manifest) = (&self.task.library.counts, made.written.manifest);
        let (mut turn, mut counted) = (None, None::<Counted>);
        loop {
            let ended = self.commit(made, counted.as_ref()).await.map_err(Internal::Catalog)?;
            match (ended, &mut turn) {
                // Until it is the turn of this job, others may add images.
                (JobEnd::Uncounted(_), None) => {
                    turn = Some(self.hold(async { Ok(counts.turn(self.job.account).await) }).await?);
                }
                (JobEnd::Uncounted(manifests), Some(turn)) => {
                    counted = Some(self.count(turn.known(), manifests, manifest).await?);
                }
                (JobEnd::OverLimit(over), Some(turn))
                    if over.limit == Limit::UniqueBytes
                        && counted.take_if(|one| one.is_outdated).is_some() =>
                {
                    turn.forget();
                }
                (ended, turn) => {
                    if let (Some(turn), Some(counted)) = (turn, counted) {
                        let data_bytes = to_i64(made.written.data_bytes);
                        let new = StoredManifest { name: manifest.to_string(), data_bytes };
                        turn.remember(counted, (ended == JobEnd::Ended).then_some(new));
                    }
                    return Ok(ended);
                }
            }
        }
    }

    /// Makes the image visible, unless its account exceeds a limit.
    async fn commit(&self, made: &Made, counted: Option<&Counted>) -> Result<JobEnd, CatalogError> {
        failpoint::reached("make.before_row");
        let Self { task, job, .. } = *self;
        let (library, written) = (&task.library, &made.written);
        let manifest = written.manifest.to_string();
        let ticket = written.guard.ticket();
        let texts = made.saved.as_ref().map(Saved::texts);
        let built = BuiltImage {
            manifest: &manifest,
            size_bytes: to_i64(written.logical_bytes),
            data_bytes: to_i64(written.data_bytes),
            container: texts.as_ref().map(SavedTexts::built),
            claim: ticket.as_ref().map(|ticket| ClaimState { id: &ticket.id, records: ticket.records }),
            unique: counted.map(Counted::unique_bytes),
        };
        let ended = library.catalog.complete_job(job, built, library.clock.now()).await;
        // A commit that reports an error may still take effect, so its manifest is guarded until this process ends.
        let ended = ended.inspect_err(|_| std::mem::forget(written.guard.clone()))?;
        failpoint::reached("make.after_row");
        if ended == JobEnd::Ended {
            library.running.made.fetch_add(1, Ordering::Relaxed);
            let (new_bytes, data_bytes) = (written.new_bytes, written.data_bytes);
            tracing::info!(image_id = job.image_id, new_bytes, data_bytes, "image made");
        }
        Ok(ended)
    }

    /// Counts the distinct bytes of the account on a thread of its own.
    async fn count(
        &self,
        known: Count,
        manifests: Vec<StoredManifest>,
        new: ManifestId,
    ) -> Result<Counted, MakeError> {
        let (store, progress) = (self.task.library.store.clone(), Arc::clone(self.progress));
        let counting = on_thread(move || {
            let counted = known.extend(&store, manifests, new, &|| progress.stopped().is_none())?;
            counted.ok_or_else(|| MakeError::Stopped(progress.stopped().unwrap_or(StopReason::Shutdown)))
        });
        self.hold(async { counting.await.map_err(Internal::Task)? }).await
    }
}

/// Starts to make the image on a thread of its own.
async fn spawn(
    library: &Arc<Library>,
    job: &Job,
    progress: &Arc<Progress>,
) -> Result<JoinHandle<Result<Made, MakeError>>, MakeError> {
    let (library, progress) = (Arc::clone(library), Arc::clone(progress));
    if let Source::Instance(id) = &job.source {
        let instance = library.catalog.instance(Some(job.account), id).await.map_err(Internal::Catalog)?;
        let instance = instance.ok_or(MakeError::InstanceGone)?;
        if let Some(facts) = instance.container.clone() {
            let saving = Saving::prepare(&library, job, instance, &facts).await?;
            return Ok(on_thread(move || save::make(&library, &saving, &progress)));
        }
        return Ok(on_thread(move || make::make(&library, &instance.disk, &progress)));
    }
    let upload = library.catalog.upload(job.account, &job.image_id).await.map_err(Internal::Catalog)?;
    // The format that the owner declared.
    let format = upload.and_then(|upload| upload.format).and_then(|name| name.parse().ok());
    let file = library.uploads.path(&job.image_id)?;
    let make = move || match import::make(&library, &file, format, &progress) {
        Err(MakeError::Disk(error)) => Err(MakeError::File(error)),
        made => made,
    };
    Ok(on_thread(make))
}

/// Runs work on a thread of its own, and logs as part of the same job.
fn on_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    let span = tracing::Span::current();
    tokio::task::spawn_blocking(move || span.in_scope(work))
}

struct StopWhenDropped<'a>(&'a Progress);

impl Drop for StopWhenDropped<'_> {
    fn drop(&mut self) {
        self.0.stop(StopReason::Shutdown);
    }
}

async fn heartbeat(library: &Library, job: &Job, progress: &Progress) {
    let bytes = *lock(&progress.bytes);
    let (done, total) = (to_i64(bytes.done), to_i64(bytes.total));
    match library.catalog.heartbeat(job, done, total, library.clock.now(), library.lease_secs()).await {
        Ok(Heartbeat::Held) => {}
        Ok(Heartbeat::Lost | Heartbeat::Cancelled) => progress.stop(StopReason::Lost),
        // The next heartbeat may succeed. If none does, the lease expires.
        Err(error) => tracing::warn!(error = &error as &dyn Error, "cannot renew a lease"),
    }
}

fn to_i64(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}
