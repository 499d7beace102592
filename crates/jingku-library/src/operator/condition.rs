//! What the operator should know of a library, for a page.

use jingku_catalog::{ManifestUse, QueuedJob};

use crate::backup::LastBackup;
use crate::error::LibraryError;
use crate::gauges::Gauges;
use crate::library::Library;
use crate::membership::ClusterStatus;

/// The condition of a library at one time.
pub struct Condition {
    /// Counts, disk space, scrub and sweep.
    pub gauges: Gauges,
    /// The servers and their tasks.
    pub cluster: ClusterStatus,
    /// The first corrupted images that the scrub has found and that still exist.
    pub damaged: Vec<ManifestUse>,
    /// The first jobs that run or wait.
    pub queue: Vec<QueuedJob>,
    /// The last backup, if it is known.
    pub backup: Option<LastBackup>,
}

impl Library {
    /// Reads the condition, with at most `listed_max` images and jobs each. Reads no data of images.
    pub async fn condition(&self, listed_max: u32) -> Result<Condition, LibraryError> {
        let gauges = self.gauges().await?;
        let ids = gauges.scrub.iter().flat_map(|scrub| &scrub.damaged_images);
        let mut damaged = Vec::new();
        for id in ids.take(usize::try_from(listed_max).unwrap_or(usize::MAX)) {
            damaged.extend(self.catalog.manifest_use(id).await?);
        }
        let queue = self.catalog.queued_jobs(gauges.now, listed_max).await?;
        let (cluster, backup) = (self.cluster_status().await?, self.last_backup().await?);
        Ok(Condition { gauges, cluster, damaged, queue, backup })
    }
}
