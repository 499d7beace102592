//! One worker: claims a job, has it done on a thread of its own, and writes down how it ended.

use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use jingku_catalog::{self as catalog, BuiltImage, CatalogError, Heartbeat, Job, JobEnd};
use jingku_chunks::{ManifestId, Written};
use jingku_sources::DiskFormat;
use tokio::time::{Instant, sleep_until, timeout};

use super::make::MakeError;
use super::progress::{Progress, StopReason};
use super::supervisor::{Loop, panic_text};
use super::{import, make, uploads};
use crate::error::Internal;
use crate::failpoint;
use crate::library::Library;
use crate::limits::{JOB_STOP_TIMEOUT, OWN_MANIFESTS_MAX};

/// How long a claimed job is a worker's own.
const LEASE_SECS: i64 = 30;
/// How often the lease is renewed and the progress written down.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// How often an idle worker looks for jobs that another process left.
const POLL: Duration = Duration::from_secs(5);

/// What the owner of an image reads whose making found a fault of this program.
const PANICKED: &str = "Making the image failed because of a fault in the server. Ask the operator to look at the server's \
     log, then delete this image and make it again.";

/// Works until the server stops.
pub(super) async fn work(task: Loop) {
    let context = &task.context;
    while !task.stop.is_cancelled() {
        let working = context.running.at_work.read().await;
        failpoint::passed("worker.before_claim");
        let (now, account_max) = (context.clock.now(), context.config.jobs.account_max());
        let claimed = context.catalog.claim_job(&context.node, account_max, now, LEASE_SECS).await;
        match claimed {
            Ok(Some(job)) => {
                // Of two jobs that came at once, the second may have woken nobody.
                context.running.wake.notify_one();
                run_caught(&task, job).await;
                task.note::<CatalogError>(&Ok(()));
            }
            Ok(None) => {
                drop(working);
                task.note::<CatalogError>(&Ok(()));
                tokio::select! {
                    () = context.running.wake.notified() => {}
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

/// Does a job. A panic ends this job and no other.
async fn run_caught(task: &Loop, job: Job) {
    let context = &task.context;
    let Err(panic) = AssertUnwindSafe(run(task, &job)).catch_unwind().await else { return };
    let (image_id, panic) = (&job.image_id, panic_text(&*panic));
    tracing::error!(image_id, panic, "making an image panicked");
    context.running.remove(image_id);
    // Where this fails too, the lease runs out, and the job is claimed again only so often.
    if let Err(error) = context.catalog.fail_job(&job.lease, PANICKED, context.clock.now()).await {
        tracing::error!(image_id, error = &error as &dyn std::error::Error, "cannot end the job");
    }
    uploads::remove_if_gone(context, &job).await;
}

async fn run(task: &Loop, job: &Job) {
    failpoint::reached("make.claimed");
    let (context, image_id) = (&task.context, &job.image_id);
    tracing::info!(image_id, attempt = job.attempt, "making image");
    let own = own_manifests(context, job).await;
    let progress =
        Arc::new(Progress::new(context.clock.now(), context.job_hook.clone()).with_own_manifests(own));
    context.running.insert(image_id, &progress);
    let result = make_while_held(task, job, &progress).await;
    if result.is_err() {
        // What the catalogue tells from now on is how far it came.
        keep(context, job, &progress).await;
    }
    // Before the end, so that whoever sees the image sees it too.
    if let Some(caution) = progress.caution()
        && let Err(error) = context.catalog.set_caution(&job.lease, &caution.to_string()).await
    {
        tracing::warn!(image_id, error = &error as &dyn std::error::Error, "cannot keep a caution");
    }
    let ended = end(context, job, result).await;
    uploads::remove_if_gone(context, job).await;
    // Not before the end is known: in between, the last heartbeat would report less than was reported before.
    context.running.remove(image_id);
    match ended {
        Ok(()) => {}
        // The lease runs out and the job is claimed again.
        Err(error) => {
            tracing::error!(image_id, error = &error as &dyn std::error::Error, "cannot end the job");
        }
    }
}

/// The manifests of what the account has already.
async fn own_manifests(context: &Library, job: &Job) -> Vec<ManifestId> {
    match context.catalog.own_manifests(job.account, OWN_MANIFESTS_MAX).await {
        Ok(names) => names.iter().filter_map(|name| name.parse().ok()).collect(),
        Err(error) => {
            // The making does without: it only reports less.
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "cannot look for an account's manifests");
            Vec::new()
        }
    }
}

/// Runs the making on a thread of its own and keeps the lease meanwhile.
async fn make_while_held(task: &Loop, job: &Job, progress: &Arc<Progress>) -> Result<Written, MakeError> {
    let context = &task.context;
    let source = source(context, job).await?;
    // A thread that is held would keep the process from ending when nobody is left to stop it.
    let _stop = StopWhenDropped(progress);
    let mut making = std::pin::pin!(spawn(context, source, progress));
    let started = Instant::now();
    let mut beat = tokio::time::interval_at(started + HEARTBEAT, HEARTBEAT);
    let stop = loop {
        if let Some(stop) = progress.stopped() {
            break stop;
        }
        // How much there is to read may show only after a while. A hook keeps jobs waiting for as long as it likes.
        let deadline = started + context.config.jobs.deadline(progress.total());
        tokio::select! {
            made = &mut making => return made?,
            () = task.stop.cancelled() => progress.stop(StopReason::Shutdown),
            () = sleep_until(deadline), if context.job_hook.is_none() => {
                if Instant::now() >= started + context.config.jobs.deadline(progress.total()) {
                    progress.stop(StopReason::Overdue);
                }
            }
            _ = beat.tick() => keep(context, job, progress).await,
        }
    };
    if let Ok(made) = timeout(JOB_STOP_TIMEOUT, making).await {
        return made?;
    }
    tracing::warn!(image_id = job.image_id, "the making of an image does not stop; it is left alone");
    Err(MakeError::Stopped(stop))
}

/// What an image is made of.
enum Source {
    /// The disk of an instance, as its row has it.
    Instance(String),
    /// A file that was uploaded, and how the disk in it is to be read, where its owner said so.
    Upload(PathBuf, Option<DiskFormat>),
}

async fn source(context: &Library, job: &Job) -> Result<Source, MakeError> {
    let catalog::Source::Instance(instance_id) = &job.source else {
        let upload = context.catalog.upload(job.account, &job.image_id).await?;
        let format = upload.and_then(|upload| upload.format).and_then(|name| name.parse().ok());
        return Ok(Source::Upload(context.uploads.path(&job.image_id).map_err(MakeError::Inside)?, format));
    };
    let instance = context.catalog.instance(Some(job.account), instance_id).await?;
    Ok(Source::Instance(instance.ok_or(MakeError::InstanceGone)?.disk))
}

fn spawn(
    context: &Arc<Library>,
    source: Source,
    progress: &Arc<Progress>,
) -> tokio::task::JoinHandle<Result<Written, MakeError>> {
    let (context, progress) = (Arc::clone(context), Arc::clone(progress));
    tokio::task::spawn_blocking(move || {
        failpoint::passed("make.begun");
        let scratch = context.scratch.clone().unwrap_or_else(std::env::temp_dir);
        let disk_space = context.disk_space.as_ref();
        match source {
            Source::Instance(disk) => make::make(&context.store, &disk, &scratch, &progress, disk_space),
            Source::Upload(file, format) => import::make(
                &context.store,
                &file,
                format,
                context.config.limits.unpack_ratio.into(),
                &progress,
                disk_space,
            ),
        }
    })
}

struct StopWhenDropped<'a>(&'a Progress);

impl Drop for StopWhenDropped<'_> {
    fn drop(&mut self) {
        self.0.stop(StopReason::Shutdown);
    }
}

async fn keep(context: &Library, job: &Job, progress: &Progress) {
    let (done, total) = (to_i64(progress.done()), to_i64(progress.total()));
    match context.catalog.heartbeat(&job.lease, done, total, context.clock.now(), LEASE_SECS).await {
        Ok(Heartbeat::Held) => {}
        Ok(Heartbeat::Lost | Heartbeat::Cancelled) => progress.stop(StopReason::Lost),
        // The next beat may do better; if none does, the lease runs out.
        Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "cannot renew a lease"),
    }
}

async fn end(context: &Library, job: &Job, result: Result<Written, MakeError>) -> Result<(), CatalogError> {
    let (lease, now, image_id) = (&job.lease, context.clock.now(), &job.image_id);
    let ended = match result {
        Ok(written) => complete(context, job, &written).await?,
        Err(MakeError::Stopped(StopReason::Shutdown)) => {
            context.catalog.release_job(lease).await?;
            tracing::info!(image_id, "job given back");
            return Ok(());
        }
        Err(MakeError::Stopped(StopReason::Lost)) => JobEnd::Lost,
        Err(error) => {
            tracing::error!(image_id, error = &error as &dyn std::error::Error, "cannot make image");
            context.catalog.fail_job(lease, &error.reason(), now).await?
        }
    };
    match ended {
        JobEnd::Ended => {}
        JobEnd::Lost => {
            tracing::info!(image_id, "the image was deleted meanwhile, or another worker has the job");
        }
        JobEnd::OverLimit(over) => {
            let reason = format!("{}.", crate::account_limits::limit_refusal(&over));
            tracing::info!(image_id, reason, "the account would store more than it may");
            context.catalog.fail_job(lease, &reason, now).await?;
        }
    }
    Ok(())
}

async fn complete(context: &Library, job: &Job, written: &Written) -> Result<JobEnd, CatalogError> {
    failpoint::reached("make.before_row");
    let manifest = written.manifest.to_string();
    let made = BuiltImage {
        manifest: &manifest,
        size_bytes: to_i64(written.logical_bytes),
        data_bytes: to_i64(written.data_bytes),
    };
    let ended = context.catalog.complete_job(&job.lease, made, context.clock.now()).await;
    // Whether a commit that failed has happened is not known, and may show later: what it is about is held for
    // as long as this process lives.
    let ended = ended.inspect_err(|_| std::mem::forget(written.guard.clone()))?;
    failpoint::reached("make.after_row");
    if ended == JobEnd::Ended {
        let (new_bytes, data_bytes) = (written.new_bytes, written.data_bytes);
        tracing::info!(image_id = job.image_id, new_bytes, data_bytes, "image made");
    }
    Ok(ended)
}

fn to_i64(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

impl From<CatalogError> for MakeError {
    fn from(error: CatalogError) -> Self {
        Self::Inside(Internal::Catalog(error))
    }
}
