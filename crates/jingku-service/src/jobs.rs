//! The making of images in the background.
//!
//! A worker claims a job under a lease, which it renews while it works. A server that dies leaves the lease to run out,
//! or to its own next start, which gives back what the last run held; then the job is claimed again and skips the
//! chunks that are there already.

mod import;
mod make;
mod pace;
mod progress;
mod scrub;
mod sweep;
mod trash;
mod uploads;
mod usage;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jingku_catalog::{CatalogError, Heartbeat, Job, JobEnd, UPLOAD_SOURCE};
use jingku_makers::DiskFormat;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use crate::context::Context;
use crate::error::Internal;
use crate::failpoint;
use make::MakeError;
use progress::{Progress, Stop};

pub(crate) use make::{DeclaredDisk, DeclaredFailure, disk_reason, store_pattern};
pub(crate) use progress::{Hold, Running};

/// How long a claimed job is a worker's own.
const LEASE_SECS: i64 = 30;
/// How often the lease is renewed and the progress written down.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// How often an idle worker looks for jobs that another process left.
const POLL: Duration = Duration::from_secs(5);

/// The running workers; they stop when told to, and when dropped, without waiting for them.
pub struct Workers {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Workers {
    /// Starts working. One job at a time: a job uses all cores by itself.
    pub async fn start(context: Arc<Context>) -> Result<Self, CatalogError> {
        // The data folder is locked, so whatever carries this server's name was left by a run that has ended.
        context.catalog.release_jobs_of(&context.node).await?;
        if let Some(scratch) = &context.scratch {
            clear(scratch);
        }
        let (stop, stopped) = watch::channel(false);
        let counting = usage::count(Arc::clone(&context), stopped.clone());
        let emptying = trash::empty(Arc::clone(&context), stopped.clone());
        let sweeping = sweep::sweep(Arc::clone(&context), stopped.clone());
        let scrubbing = scrub::scrub(Arc::clone(&context), stopped.clone());
        let expiring = uploads::expire(Arc::clone(&context), stopped.clone());
        let working = work(context, stopped);
        let task = tokio::spawn(async {
            let ((), (), (), (), (), ()) =
                tokio::join!(working, counting, emptying, sweeping, scrubbing, expiring);
        });
        Ok(Self { stop, task })
    }

    /// Stops: a job at work is given back and goes on at the next start.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the worker ended abnormally");
        }
    }
}

/// Removes what a run that was killed left in the scratch folder: copies as large as disks.
fn clear(scratch: &Path) {
    let files = std::fs::read_dir(scratch).into_iter().flatten().flatten().map(|entry| entry.path());
    for path in files {
        if let Err(error) = std::fs::remove_file(&path) {
            tracing::warn!(path = %path.display(), %error, "cannot remove a scratch file");
        }
    }
}

async fn work(context: Arc<Context>, mut stopped: watch::Receiver<bool>) {
    // An error means that whoever could tell to stop is gone.
    while !*stopped.borrow() && stopped.has_changed().is_ok() {
        let at_work = context.running.at_work.read().await;
        match context.catalog.claim_job(&context.node, context.clock.now(), LEASE_SECS).await {
            Ok(Some(job)) => run(&context, job, &mut stopped).await,
            Ok(None) => {
                drop(at_work);
                idle(&context.running.wake, &mut stopped).await;
            }
            Err(error) => {
                drop(at_work);
                tracing::error!(error = &error as &dyn std::error::Error, "cannot look for jobs");
                tokio::select! { _ = stopped.changed() => {}, () = tokio::time::sleep(POLL) => {} }
            }
        }
    }
}

async fn idle(wake: &Notify, stopped: &mut watch::Receiver<bool>) {
    tokio::select! {
        () = wake.notified() => {}
        () = tokio::time::sleep(POLL) => {}
        _ = stopped.changed() => {}
    }
}

async fn run(context: &Arc<Context>, job: Job, stopped: &mut watch::Receiver<bool>) {
    failpoint::reached("make.claimed");
    let image_id = job.image_id.clone();
    tracing::info!(image_id, attempt = job.attempt, "making image");
    let hold = context.lab.as_ref().map(|lab| Arc::clone(&lab.hold));
    let progress = Arc::new(Progress::new(context.clock.now(), hold));
    context.running.insert(&image_id, &progress);
    let result = make_while_held(context, &job, &progress, stopped).await;
    if result.is_err() {
        // What the catalogue tells from now on is how far it came.
        keep(context, &job, &progress).await;
    }
    // Before the end, so that who sees the image sees it too.
    if let Some(caution) = progress.caution()
        && let Err(error) = context.catalog.set_caution(&job.lease, &caution.to_string()).await
    {
        tracing::warn!(image_id, error = &error as &dyn std::error::Error, "cannot keep a caution");
    }
    let ended = end(context, &job, result).await;
    uploads::remove_if_gone(context, &job).await;
    // Not before the end is known: in between, the last heartbeat would tell less than was told already.
    context.running.remove(&image_id, progress.rate(context.clock.now()));
    match ended {
        Ok(()) => {}
        // The lease runs out and the job is claimed again.
        Err(error) => {
            tracing::error!(image_id, error = &error as &dyn std::error::Error, "cannot end the job");
        }
    }
}

/// Runs the making on a thread of its own and keeps the lease meanwhile.
async fn make_while_held(
    context: &Arc<Context>,
    job: &Job,
    progress: &Arc<Progress>,
    stopped: &mut watch::Receiver<bool>,
) -> Result<jingku_chunks::Written, MakeError> {
    let source = source(context, job).await?;
    // A thread that is held would keep the process from ending when nobody is left to stop it.
    let _stop = StopWhenDropped(progress);
    let making = {
        let (context, progress) = (Arc::clone(context), Arc::clone(progress));
        tokio::task::spawn_blocking(move || {
            let scratch = context.scratch.clone().unwrap_or_else(std::env::temp_dir);
            let room = context.room.as_ref();
            match source {
                Source::Instance(disk) => make::make(&context.store, &disk, &scratch, &progress, room),
                Source::Upload(spool, format) => {
                    import::make(&context.store, &spool, format, &progress, room)
                }
            }
        })
    };
    let mut making = std::pin::pin!(making);
    let mut beat = tokio::time::interval_at(tokio::time::Instant::now() + HEARTBEAT, HEARTBEAT);
    loop {
        tokio::select! {
            made = &mut making => return made?,
            _ = stopped.changed(), if progress.stopped().is_none() => progress.stop(Stop::Shutdown),
            _ = beat.tick() => keep(context, job, progress).await,
        }
    }
}

/// What an image is made of.
enum Source {
    /// The disk of an instance, as its row has it.
    Instance(String),
    /// A file that was uploaded, and how the disk in it is to be read, where its owner said so.
    Upload(PathBuf, Option<DiskFormat>),
}

async fn source(context: &Context, job: &Job) -> Result<Source, MakeError> {
    if job.instance_id.starts_with(UPLOAD_SOURCE) {
        let upload = context.catalog.upload(job.account, &job.image_id).await?;
        let format = upload.and_then(|upload| upload.format).and_then(|name| name.parse().ok());
        return Ok(Source::Upload(context.spools.path(&job.image_id).map_err(MakeError::Inside)?, format));
    }
    let instance = context.catalog.instance(Some(job.account), &job.instance_id).await?;
    Ok(Source::Instance(instance.ok_or(MakeError::InstanceGone)?.disk))
}

struct StopWhenDropped<'a>(&'a Progress);

impl Drop for StopWhenDropped<'_> {
    fn drop(&mut self) {
        self.0.stop(Stop::Shutdown);
    }
}

async fn keep(context: &Context, job: &Job, progress: &Progress) {
    let (done, total) = (to_i64(progress.done()), to_i64(progress.total()));
    match context.catalog.heartbeat(&job.lease, done, total, context.clock.now(), LEASE_SECS).await {
        Ok(Heartbeat::Held) => {}
        Ok(Heartbeat::Lost | Heartbeat::Cancelled) => progress.stop(Stop::Lost),
        // The next beat may do better; if none does, the lease runs out.
        Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "cannot renew a lease"),
    }
}

async fn end(
    context: &Context,
    job: &Job,
    result: Result<jingku_chunks::Written, MakeError>,
) -> Result<(), CatalogError> {
    let (lease, now, image_id) = (&job.lease, context.clock.now(), &job.image_id);
    let ended = match result {
        Ok(written) => {
            failpoint::reached("make.before_row");
            let manifest = written.manifest.to_string();
            let size = to_i64(written.logical_bytes);
            let ended = context.catalog.complete_job(lease, &manifest, size, now).await;
            // Whether a commit that failed has happened is not known, and may show later: what it is about is held for
            // as long as this process lives.
            let ended = ended.inspect_err(|_| std::mem::forget(written.hold.clone()))?;
            failpoint::reached("make.after_row");
            tracing::info!(
                image_id,
                new_bytes = written.new_bytes,
                data_bytes = written.data_bytes,
                "image made"
            );
            ended
        }
        Err(MakeError::Stopped(Stop::Shutdown)) => {
            context.catalog.release_job(lease).await?;
            tracing::info!(image_id, "job given back");
            return Ok(());
        }
        Err(MakeError::Stopped(Stop::Lost)) => JobEnd::Lost,
        Err(error) => {
            tracing::error!(image_id, error = &error as &dyn std::error::Error, "cannot make image");
            context.catalog.fail_job(lease, &error.reason(), now).await?
        }
    };
    if ended == JobEnd::Lost {
        tracing::info!(image_id, "the image was deleted meanwhile, or another worker has the job");
    }
    Ok(())
}

fn to_i64(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

impl From<CatalogError> for MakeError {
    fn from(error: CatalogError) -> Self {
        Self::Inside(Internal::Catalog(error))
    }
}
