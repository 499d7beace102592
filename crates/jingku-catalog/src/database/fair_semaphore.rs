//! Limits concurrent scans and shares them fairly between accounts.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex as AsyncMutex, OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::{AccountId, CatalogError, Result};

/// How long a caller waits for a permit to scan.
pub const SCAN_WAIT_TIMEOUT: Duration = Duration::from_secs(10);
/// The most callers of one account that wait for a permit to scan; more are rejected at once.
pub const SCANS_WAITING_MAX: usize = 256;

/// A semaphore that serves waiting accounts round-robin and, within an account, first come, first served.
pub(crate) struct FairSemaphore {
    permits: Arc<Semaphore>,
    /// The waiting callers of an account. Only the holder of the lock waits for a permit, so accounts take turns.
    queues: Mutex<HashMap<AccountId, Arc<AsyncMutex<()>>>>,
}

impl FairSemaphore {
    pub(crate) fn new(count: usize) -> Self {
        Self { permits: Arc::new(Semaphore::new(count)), queues: Mutex::default() }
    }

    /// Waits for a permit. Fails with [`CatalogError::Busy`] after [`SCAN_WAIT_TIMEOUT`], or at once if too many callers
    /// of the account are waiting.
    pub(crate) async fn acquire(&self, account: AccountId) -> Result<OwnedSemaphorePermit> {
        if let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() {
            return Ok(permit);
        }
        let queue = self.queue(account)?;
        let permit = async {
            let _turn = queue.lock().await;
            Arc::clone(&self.permits).acquire_owned().await
        };
        timeout(SCAN_WAIT_TIMEOUT, permit)
            .await
            .ok()
            .and_then(std::result::Result::ok)
            .ok_or(CatalogError::Busy)
    }

    fn queue(&self, account: AccountId) -> Result<Arc<AsyncMutex<()>>> {
        // Nothing panics while the lock is held.
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        // The map has one reference to a queue, and every caller that waits has one.
        queues.retain(|_, queue| Arc::strong_count(queue) > 1);
        let queue = queues.entry(account).or_default();
        if Arc::strong_count(queue) > SCANS_WAITING_MAX {
            Err(CatalogError::Busy)
        } else {
            Ok(Arc::clone(queue))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: AccountId = AccountId(1);
    const B: AccountId = AccountId(2);

    /// Acquires a permit in a task, reports the account and releases it.
    fn wait(
        semaphore: &Arc<FairSemaphore>,
        account: AccountId,
        done: &tokio::sync::mpsc::UnboundedSender<AccountId>,
    ) -> tokio::task::JoinHandle<()> {
        let (semaphore, done) = (Arc::clone(semaphore), done.clone());
        tokio::spawn(async move {
            let permit = semaphore.acquire(account).await.unwrap();
            done.send(account).unwrap();
            drop(permit);
        })
    }

    #[tokio::test(start_paused = true)]
    async fn accounts_are_served_round_robin() {
        let semaphore = Arc::new(FairSemaphore::new(1));
        let first = semaphore.acquire(A).await.unwrap();
        let (done, mut order) = tokio::sync::mpsc::unbounded_channel();
        for account in [A, A, A, B] {
            wait(&semaphore, account, &done);
            tokio::task::yield_now().await;
        }
        drop(first);
        let mut served = Vec::new();
        for _ in 0..4 {
            served.push(order.recv().await.unwrap());
        }
        assert_eq!(served, [A, B, A, A]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_that_gives_up_uses_no_permit() {
        let semaphore = Arc::new(FairSemaphore::new(2));
        let held = [semaphore.acquire(A).await.unwrap(), semaphore.acquire(A).await.unwrap()];
        let (done, mut order) = tokio::sync::mpsc::unbounded_channel();
        let given_up = wait(&semaphore, B, &done);
        tokio::task::yield_now().await;
        given_up.abort();
        assert!(given_up.await.unwrap_err().is_cancelled());
        assert!(matches!(semaphore.acquire(A).await, Err(CatalogError::Busy)), "waiting ends");
        drop(held);
        let again = [semaphore.acquire(A).await.unwrap(), semaphore.acquire(B).await.unwrap()];
        assert_eq!(semaphore.permits.available_permits(), 0);
        drop(again);
        assert_eq!(semaphore.permits.available_permits(), 2);
        assert!(order.try_recv().is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn the_queue_of_an_account_is_bounded() {
        let semaphore = Arc::new(FairSemaphore::new(1));
        let held = semaphore.acquire(A).await.unwrap();
        let (done, mut order) = tokio::sync::mpsc::unbounded_channel();
        for _ in 0..SCANS_WAITING_MAX {
            wait(&semaphore, A, &done);
        }
        let waiting =
            || semaphore.queues.lock().unwrap().get(&A).map_or(0, |queue| Arc::strong_count(queue) - 1);
        while waiting() < SCANS_WAITING_MAX {
            tokio::task::yield_now().await;
        }
        let began = tokio::time::Instant::now();
        assert!(matches!(semaphore.acquire(A).await, Err(CatalogError::Busy)));
        assert_eq!(began.elapsed(), Duration::ZERO);
        wait(&semaphore, B, &done);
        tokio::task::yield_now().await;
        drop(held);
        let served = [order.recv().await.unwrap(), order.recv().await.unwrap()];
        assert!(served.contains(&B), "{served:?}");
    }
}
