//! How slow the client of a transfer may be.

use std::time::Duration;

use tokio::time::{Instant, timeout};

use crate::limits::{TRANSFER_STEP_BYTES, TRANSFER_STEP_TIMEOUT, TRANSFER_TIME_MAX};

/// Ends a transfer whose client is too slow or takes too long, so that its place is free again. Only the time in which
/// the client is waited for counts, and not that of our own disk.
pub(crate) struct ClientRate {
    started: Instant,
    /// Since the last step was done.
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

    /// Waits for the client.
    pub(crate) async fn wait<T>(&mut self, client: impl Future<Output = T>) -> Result<T, TooSlow> {
        let began = Instant::now();
        let step = TRANSFER_STEP_TIMEOUT.saturating_sub(self.waited);
        let whole = TRANSFER_TIME_MAX.saturating_sub(self.started.elapsed());
        let done = timeout(step.min(whole), client).await.map_err(|_| TooSlow)?;
        self.waited += began.elapsed();
        Ok(done)
    }

    /// Counts bytes that the client took or sent.
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
    async fn a_client_that_moves_a_step_in_time_goes_on() {
        let mut rate = ClientRate::start();
        for _ in 0..100 {
            rate.wait(sleep(TRANSFER_STEP_TIMEOUT / 2)).await.unwrap();
            rate.moved(TRANSFER_STEP_BYTES);
            // Our own disk may take its time.
            sleep(TRANSFER_STEP_TIMEOUT).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_byte_now_and_then_is_too_slow() {
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
    async fn no_transfer_lasts_for_ever() {
        let mut rate = ClientRate::start();
        let started = Instant::now();
        while rate.wait(sleep(TRANSFER_STEP_TIMEOUT / 2)).await.is_ok() {
            rate.moved(TRANSFER_STEP_BYTES);
        }
        assert_eq!(started.elapsed(), TRANSFER_TIME_MAX);
    }
}
