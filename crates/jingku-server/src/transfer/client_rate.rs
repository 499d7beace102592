//! The minimum speed of a client in a transfer.

use std::time::Duration;

use tokio::time::{Instant, timeout};

use crate::limits::{TRANSFER_STEP_BYTES, TRANSFER_STEP_TIMEOUT, TRANSFER_TIME_MAX};

/// Ends a transfer whose client is too slow or takes too long, which frees its slot. Only time spent waiting for the
/// client counts, not that of the server's disk.
pub(crate) struct ClientRate {
    started: Instant,
    waited: Duration,
    moved: u64,
}

/// The client was slower than the limits allow.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooSlow;

impl ClientRate {
    pub(crate) fn start() -> Self {
        Self { started: Instant::now(), waited: Duration::ZERO, moved: 0 }
    }

    pub(crate) async fn wait<T>(&mut self, client: impl Future<Output = T>) -> Result<T, TooSlow> {
        let start = Instant::now();
        let step = TRANSFER_STEP_TIMEOUT.saturating_sub(self.waited);
        let total = TRANSFER_TIME_MAX.saturating_sub(self.started.elapsed());
        let done = timeout(step.min(total), client).await.map_err(|_| TooSlow)?;
        self.waited += start.elapsed();
        Ok(done)
    }

    /// Counts bytes that the client read or sent.
    pub(crate) fn moved(&mut self, bytes: u64) {
        self.moved += bytes;
        if self.moved >= TRANSFER_STEP_BYTES {
            (self.moved, self.waited) = (0, Duration::ZERO);
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::sleep;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_client_that_moves_each_step_in_time_continues() {
        let mut rate = ClientRate::start();
        for _ in 0..100 {
            rate.wait(sleep(TRANSFER_STEP_TIMEOUT / 2)).await.unwrap();
            rate.moved(TRANSFER_STEP_BYTES);
            // Time of the server's disk does not count.
            sleep(TRANSFER_STEP_TIMEOUT).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn occasional_bytes_are_too_slow() {
        let mut rate = ClientRate::start();
        let started = Instant::now();
        let mut bytes = 0;
        while rate.wait(sleep(Duration::from_secs(7))).await.is_ok() {
            rate.moved(1);
            bytes += 1;
        }
        assert_eq!((bytes, started.elapsed()), (8, TRANSFER_STEP_TIMEOUT));
    }

    #[tokio::test(start_paused = true)]
    async fn a_transfer_ends_at_the_time_limit() {
        let mut rate = ClientRate::start();
        let started = Instant::now();
        while rate.wait(sleep(TRANSFER_STEP_TIMEOUT / 2)).await.is_ok() {
            rate.moved(TRANSFER_STEP_BYTES);
        }
        assert_eq!(started.elapsed(), TRANSFER_TIME_MAX);
    }
}
