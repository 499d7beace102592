//! Limits concurrent scans and shares them fairly between accounts.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::{AccountId, CatalogError, Result};

/// How long a caller waits for a permit to scan.
pub const SCAN_WAIT_TIMEOUT: Duration = Duration::from_secs(10);
/// The most callers of one account that wait for a permit to scan; more are rejected at once.
pub const SCANS_WAITING_MAX: usize = 256;

/// A semaphore that serves waiting accounts round-robin and, within an account, first come, first served.
pub(crate) struct FairSemaphore(Mutex<State>);

struct State {
    free: usize,
    /// The waiting accounts, next first. No queue is empty.
    queues: VecDeque<(AccountId, Queue)>,
}

type Queue = VecDeque<oneshot::Sender<Permit>>;

/// The right to run, until dropped.
pub(crate) struct Permit {
    /// `None` once another caller has the permit.
    semaphore: Option<Arc<FairSemaphore>>,
}

impl FairSemaphore {
    pub(crate) fn new(count: usize) -> Arc<Self> {
        Arc::new(Self(Mutex::new(State { free: count, queues: VecDeque::new() })))
    }

    /// Waits for a permit. Fails with [`CatalogError::Busy`] after [`SCAN_WAIT_TIMEOUT`], or at once if too many callers
    /// of the account are waiting.
    pub(crate) async fn acquire(self: &Arc<Self>, account: AccountId) -> Result<Permit> {
        let permit = {
            let mut state = self.lock();
            if state.free > 0 {
                state.free -= 1;
                return Ok(Permit { semaphore: Some(Arc::clone(self)) });
            }
            let (sender, permit) = oneshot::channel();
            let queue = state.queue(account);
            // Callers that gave up free their places.
            queue.retain(|waiting| !waiting.is_closed());
            if queue.len() >= SCANS_WAITING_MAX {
                return Err(CatalogError::Busy);
            }
            queue.push_back(sender);
            permit
        };
        match tokio::time::timeout(SCAN_WAIT_TIMEOUT, permit).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) | Err(_) => Err(CatalogError::Busy),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        // Nothing panics while the lock is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Passes a permit to the next waiting caller, or frees it.
    fn release(self: Arc<Self>) {
        let mut permit = Permit { semaphore: Some(Arc::clone(&self)) };
        loop {
            let next = {
                let mut state = self.lock();
                let next = state.next();
                if next.is_none() {
                    state.free += 1;
                    permit.semaphore = None;
                }
                next
            };
            let Some(next) = next else { return };
            match next.send(permit) {
                Ok(()) => return,
                // The caller gave up.
                Err(unused) => permit = unused,
            }
        }
    }
}

impl State {
    fn queue(&mut self, account: AccountId) -> &mut Queue {
        let found = self.queues.iter().position(|(waiting, _)| *waiting == account);
        let at = found.unwrap_or_else(|| {
            self.queues.push_back((account, Queue::new()));
            self.queues.len() - 1
        });
        &mut self.queues[at].1
    }

    fn next(&mut self) -> Option<oneshot::Sender<Permit>> {
        loop {
            let (account, mut queue) = self.queues.pop_front()?;
            let next = queue.pop_front();
            if !queue.is_empty() {
                self.queues.push_back((account, queue));
            }
            if next.is_some() {
                return next;
            }
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(semaphore) = self.semaphore.take() {
            semaphore.release();
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
        let semaphore = FairSemaphore::new(1);
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
        let semaphore = FairSemaphore::new(2);
        let held = [semaphore.acquire(A).await.unwrap(), semaphore.acquire(A).await.unwrap()];
        let (done, mut order) = tokio::sync::mpsc::unbounded_channel();
        let given_up = wait(&semaphore, B, &done);
        tokio::task::yield_now().await;
        given_up.abort();
        assert!(given_up.await.unwrap_err().is_cancelled());
        assert!(matches!(semaphore.acquire(A).await, Err(CatalogError::Busy)), "waiting ends");
        drop(held);
        let again = [semaphore.acquire(A).await.unwrap(), semaphore.acquire(B).await.unwrap()];
        assert_eq!(semaphore.lock().free, 0);
        drop(again);
        assert_eq!(semaphore.lock().free, 2);
        assert!(order.try_recv().is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn the_queue_of_an_account_is_bounded() {
        let semaphore = FairSemaphore::new(1);
        let held = semaphore.acquire(A).await.unwrap();
        let (done, mut order) = tokio::sync::mpsc::unbounded_channel();
        for _ in 0..SCANS_WAITING_MAX {
            wait(&semaphore, A, &done);
        }
        while semaphore.lock().queues.front().is_none_or(|(_, queue)| queue.len() < SCANS_WAITING_MAX) {
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
