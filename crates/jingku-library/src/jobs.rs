//! The background tasks: jobs that make images, and maintenance.
//!
//! A worker claims a job under a lease and renews it while it works. If the server dies, the lease expires, or the next
//! start of the same server releases it. Then the job is claimed again and skips chunks that exist.

mod audit;
mod containers;
mod estimate;
mod files;
mod import;
mod make;
mod measure;
mod membership;
mod pace;
mod pods;
mod progress;
mod save;
mod saved;
mod scrub;
mod supervisor;
mod sweep;
mod trash;
mod unique;
mod uploads;
mod usage;
mod webhooks;
mod worker;

use std::path::Path;
use std::sync::Arc;

use futures::future::BoxFuture;
use jingku_catalog::CatalogError;

use crate::library::Library;

pub use estimate::{ESTIMATE_TIME_MAX, Estimate, EstimateError};
pub use make::{DeclaredDisk, DeclaredFailure, disk_reason, store_pattern};
pub use progress::{JobBytes, JobHook, Progress, Running, StopReason, percent_of};
pub use save::SaveOptions;
pub use supervisor::Workers;
pub(crate) use unique::Counts;

impl Workers {
    /// Starts the workers and one task for each kind of maintenance. Boxed, so that no other crate compiles the tasks again.
    pub fn start(library: Arc<Library>) -> BoxFuture<'static, Result<Self, CatalogError>> {
        Box::pin(Self::start_all(library))
    }

    async fn start_all(library: Arc<Library>) -> Result<Self, CatalogError> {
        // The data directory is locked, so these jobs belong to an earlier run of this server.
        library.catalog.release_jobs_of(&library.node).await?;
        if let Some(scratch) = &library.scratch {
            clear(scratch);
        }
        let workers = library.config.jobs.workers.get();
        let mut tasks = Self::new(library);
        tasks.spawn("renewing the lease of this server", membership::renew);
        for _ in 0..workers {
            tasks.spawn("making images", worker::work);
        }
        tasks.spawn("counting use", usage::count);
        tasks.spawn("emptying the trash", trash::empty);
        tasks.spawn("removing old entries of the audit log", audit::expire);
        tasks.spawn("sweeping", sweep::sweep);
        tasks.spawn("scrubbing", scrub::scrub);
        tasks.spawn("ending uploads", uploads::expire);
        tasks.spawn("watching containers", containers::watch);
        tasks.spawn("running instances", pods::run);
        tasks.spawn("sending events", webhooks::send);
        tasks.spawn("removing old deliveries", webhooks::prune);
        Ok(tasks)
    }
}

/// Removes disk copies that a killed run left in the scratch folder.
fn clear(scratch: &Path) {
    for path in std::fs::read_dir(scratch).into_iter().flatten().flatten().map(|entry| entry.path()) {
        if let Err(error) = std::fs::remove_file(&path) {
            tracing::warn!(path = %path.display(), %error, "cannot remove a scratch file");
        }
    }
}
