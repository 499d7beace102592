//! The present state of a library in numbers, for monitoring.

use jingku_catalog::Statistics;

use crate::disk_space::DiskSpace;
use crate::error::Internal;
use crate::library::Library;
use crate::scrub::Scrub;
use crate::sweep::LastSweep;

/// What is counted or measured at one time.
pub struct Gauges {
    /// Accounts, images and jobs.
    pub catalog: Statistics,
    /// The time of the clock, in Unix seconds.
    pub now: i64,
    /// The size of the catalogue's file, in bytes; 0 in memory.
    pub catalog_bytes: u64,
    /// Free space for images; `None` if it is not limited or unknown.
    pub free_bytes: Option<u64>,
    /// The last completed sweep.
    pub last_sweep: Option<LastSweep>,
    /// The current or last round of the scrub.
    pub scrub: Option<Scrub>,
}

impl Library {
    /// Measures without reading rows of images or chunks.
    pub async fn gauges(&self) -> Result<Gauges, Internal> {
        let now = self.clock.now();
        let statistics = self.catalog.statistics(now).await?;
        let catalog = statistics.ok_or_else(|| Internal::BadRow("no statistics".to_owned()))?;
        let (last_sweep, scrub) = (self.last_sweep().await?, self.scrub().await?);
        let (data, disk_space) = (self.data.clone(), self.disk_space.clone());
        let measured = tokio::task::spawn_blocking(move || Gauges {
            catalog,
            now,
            catalog_bytes: data
                .as_ref()
                .and_then(|data| data.catalog_path().metadata().ok())
                .map_or(0, |file| file.len()),
            free_bytes: disk_space.as_ref().map(DiskSpace::free_bytes).and_then(Result::ok),
            last_sweep,
            scrub,
        });
        Ok(measured.await?)
    }
}
