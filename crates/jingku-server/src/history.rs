//! Figures of the last hours, for the charts of the console. They are in memory: monitoring with a history of its own reads
//! `/metrics`.

use std::collections::VecDeque;
use std::sync::Mutex;

use jingku_library::lock;

/// Maximum number of samples, one per minute: six hours.
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
    /// The samples, oldest first.
    pub(crate) fn samples(&self) -> Vec<Sample> {
        lock(&self.0).iter().copied().collect()
    }

    pub(crate) fn add(&self, sample: Sample) {
        let mut samples = lock(&self.0);
        if samples.len() == MAX_SAMPLES {
            samples.pop_front();
        }
        samples.push_back(sample);
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
        let samples = history.samples();
        assert_eq!((samples.len(), samples[0].time, samples[MAX_SAMPLES - 1].time), (MAX_SAMPLES, 640, 999));
    }
}
