//! Takes the samples of the history.

use std::time::Duration;

use jingku_library::Internal;

use crate::context::Context;
use crate::history::Sample;

/// How often a sample is taken.
pub const SAMPLE_INTERVAL: Duration = Duration::from_mins(1);

impl Context {
    /// Takes a sample. If that fails, the history has a gap.
    pub async fn sample(&self) {
        match self.measure().await {
            Ok(sample) => self.history.add(sample),
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(error, "cannot take a sample for the charts of the console");
            }
        }
    }

    /// The samples of the last six hours, oldest first.
    pub fn samples(&self) -> Vec<Sample> {
        self.history.samples()
    }

    async fn measure(&self) -> Result<Sample, Internal> {
        let gauges = self.library.gauges().await?;
        let unsigned = |value: i64| u64::try_from(value).unwrap_or(0);
        let (metrics, connections) = (&self.metrics, &self.metrics.connections);
        Ok(Sample {
            time: gauges.now,
            requests: metrics.answers.get(),
            faults: metrics.faults.get(),
            received_bytes: connections.received_bytes.get(),
            sent_bytes: connections.sent_bytes.get(),
            connections: unsigned(connections.open.get()),
            waiting_jobs: unsigned(gauges.catalog.waiting_jobs),
            running_jobs: unsigned(gauges.catalog.running_jobs),
            free_bytes: gauges.free_bytes,
        })
    }
}
