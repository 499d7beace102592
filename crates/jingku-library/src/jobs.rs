//! The work in the background: the making of images, and what looks after them.
//!
//! A worker claims a job under a lease, which it renews while it works. A server that dies leaves the lease to run out,
//! or to its own next start, which gives back what the last run held; then the job is claimed again and skips the
//! chunks that are there already.

mod import;
mod make;
mod pace;
mod progress;
mod scrub;
mod supervisor;
mod sweep;
mod trash;
mod uploads;
mod usage;
mod worker;

use std::path::Path;
use std::sync::Arc;

use jingku_catalog::CatalogError;

use crate::library::Library;
use supervisor::Supervisor;

pub use make::{DeclaredDisk, DeclaredFailure, disk_reason, store_pattern};
pub use progress::{JobHook, Progress, Running, StopReason, percent_of};

/// The running loops; they stop when asked to, and when dropped, without waiting for them.
pub struct Workers(Supervisor);

impl Workers {
    /// Starts them: as many workers as the settings say, and one loop for each kind of upkeep.
    pub async fn start(context: Arc<Library>) -> Result<Self, CatalogError> {
        // The data folder is locked, so whatever carries this server's name was left by a run that has ended.
        context.catalog.release_jobs_of(&context.node).await?;
        if let Some(scratch) = &context.scratch {
            clear(scratch);
        }
        let workers = context.config.jobs.workers.get();
        let mut supervisor = Supervisor::new(context);
        for _ in 0..workers {
            supervisor.start("making images", worker::work);
        }
        supervisor.start("counting use", usage::count);
        supervisor.start("emptying the trash", trash::empty);
        supervisor.start("sweeping", sweep::sweep);
        supervisor.start("scrubbing", scrub::scrub);
        supervisor.start("ending uploads", uploads::expire);
        Ok(Self(supervisor))
    }

    /// Stops: a job that is being made is given back and resumes at the next start.
    pub async fn stop(self) {
        self.0.stop().await;
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
