//! Figures of the last hours, for the charts of the console. They are in memory: monitoring with a history of its own reads
//! `/metrics`.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use jingku_library::{Internal, lock};

use crate::context::Context;

/// How often a sample is taken.
pub const SAMPLE_INTERVAL: Duration = Duration::from_mins(1);
/// Maximum number of samples: six hours.
const MAX_SAMPLES: usize = 360;

/// Figures of one time. Those that count are since the start of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The time, in Unix seconds.
    pub time: i64,
    /// Answered API requests.
    pub requests: u64,
    /// Those of them that failed because of the server.
    pub faults: u64,
    /// Bytes received, after TLS.
    pub received_bytes: u64,
    /// Bytes sent, before TLS.
    pub sent_bytes: u64,
    /// Open connections.
    pub connections: u64,
    /// Jobs that wait for a worker.
    pub waiting_jobs: u64,
    /// Jobs that a worker runs.
    pub running_jobs: u64,
    /// Free space for images; `None` if it is not limited or unknown.
    pub free_bytes: Option<u64>,
}

/// The newest samples, oldest first.
#[derive(Default)]
pub(crate) struct History(Mutex<VecDeque<Sample>>);

impl History {
    fn add(&self, sample: Sample) {
        let mut samples = lock(&self.0);
        if samples.len() == MAX_SAMPLES {
            samples.pop_front();
        }
        samples.push_back(sample);
    }
}

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
        lock(&self.history.0).iter().copied().collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_history_keeps_the_newest_samples() {
        let history = History::default();
        let sample = |time| Sample {
            time,
            requests: 0,
            faults: 0,
            received_bytes: 0,
            sent_bytes: 0,
            connections: 0,
            waiting_jobs: 0,
            running_jobs: 0,
            free_bytes: None,
        };
        for time in 0..1000 {
            history.add(sample(time));
        }
        let samples = lock(&history.0);
        assert_eq!((samples.len(), samples[0].time, samples[MAX_SAMPLES - 1].time), (MAX_SAMPLES, 640, 999));
    }
}
