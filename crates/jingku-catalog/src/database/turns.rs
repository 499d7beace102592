//! Limits how many scans run at once, and shares the turns fairly between accounts.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::{AccountId, CatalogError, Result};

/// How long a caller waits for its turn.
pub const SCAN_WAIT_TIMEOUT: Duration = Duration::from_secs(10);
/// The most callers of one account that wait for a turn; more are refused at once.
pub const SCANS_WAITING_MAX: usize = 256;

/// Gives out a number of turns. Accounts that wait get one each, in circles; within an account, first come, first served.
pub(crate) struct Turns(Mutex<State>);

struct State {
    free: usize,
    /// The accounts that wait, the next one first. None of the queues is empty.
    queues: VecDeque<(AccountId, Queue)>,
}

type Queue = VecDeque<oneshot::Sender<Turn>>;

/// The right to run, until dropped.
pub(crate) struct Turn {
    /// Taken when somebody else gets the turn instead.
    turns: Option<Arc<Turns>>,
}

impl Turns {
    pub(crate) fn new(count: usize) -> Arc<Self> {
        Arc::new(Self(Mutex::new(State { free: count, queues: VecDeque::new() })))
    }

    /// Waits for a turn. Fails with [`CatalogError::Busy`] after [`SCAN_WAIT_TIMEOUT`], or at once when too many callers
    /// of the account wait already.
    pub(crate) async fn take(self: &Arc<Self>, account: AccountId) -> Result<Turn> {
        let turn = {
            let mut state = self.lock();
            if state.free > 0 {
                state.free -= 1;
                return Ok(Turn { turns: Some(Arc::clone(self)) });
            }
            let (sender, turn) = oneshot::channel();
            let queue = state.queue(account);
            // Callers that have given up leave their places.
            queue.retain(|waiting| !waiting.is_closed());
            if queue.len() >= SCANS_WAITING_MAX {
                return Err(CatalogError::Busy);
            }
            queue.push_back(sender);
            turn
        };
        match tokio::time::timeout(SCAN_WAIT_TIMEOUT, turn).await {
            Ok(Ok(turn)) => Ok(turn),
            Ok(Err(_)) | Err(_) => Err(CatalogError::Busy),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        // Nothing panics while it is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Passes a turn on to the next caller, or keeps it for the next to come.
    fn pass_on(self: Arc<Self>) {
        let mut turn = Turn { turns: Some(Arc::clone(&self)) };
        loop {
            let next = {
                let mut state = self.lock();
                let next = state.next();
                if next.is_none() {
                    state.free += 1;
                    turn.turns = None;
                }
                next
            };
            let Some(next) = next else { return };
            match next.send(turn) {
                Ok(()) => return,
                // It has given up meanwhile.
                Err(unused) => turn = unused,
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

    fn next(&mut self) -> Option<oneshot::Sender<Turn>> {
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

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(turns) = self.turns.take() {
            turns.pass_on();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: AccountId = AccountId(1);
    const B: AccountId = AccountId(2);

    /// Waits in a task of its own, and says who it is once it has had its turn.
    fn wait(
        turns: &Arc<Turns>,
        account: AccountId,
        done: &tokio::sync::mpsc::UnboundedSender<AccountId>,
    ) -> tokio::task::JoinHandle<()> {
        let (turns, done) = (Arc::clone(turns), done.clone());
        tokio::spawn(async move {
            let turn = turns.take(account).await.unwrap();
            done.send(account).unwrap();
            drop(turn);
        })
    }

    #[tokio::test(start_paused = true)]
    async fn accounts_take_turns_however_many_calls_one_of_them_makes() {
        let turns = Turns::new(1);
        let first = turns.take(A).await.unwrap();
        let (done, mut order) = tokio::sync::mpsc::unbounded_channel();
        for account in [A, A, A, B] {
            wait(&turns, account, &done);
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
    async fn a_caller_that_gives_up_costs_no_turn() {
        let turns = Turns::new(2);
        let held = [turns.take(A).await.unwrap(), turns.take(A).await.unwrap()];
        let (done, mut order) = tokio::sync::mpsc::unbounded_channel();
        let given_up = wait(&turns, B, &done);
        tokio::task::yield_now().await;
        given_up.abort();
        assert!(given_up.await.unwrap_err().is_cancelled());
        assert!(matches!(turns.take(A).await, Err(CatalogError::Busy)), "nobody waits for ever");
        drop(held);
        let again = [turns.take(A).await.unwrap(), turns.take(B).await.unwrap()];
        assert_eq!(turns.lock().free, 0);
        drop(again);
        assert_eq!(turns.lock().free, 2);
        assert!(order.try_recv().is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn an_account_has_so_many_places_to_wait_in() {
        let turns = Turns::new(1);
        let held = turns.take(A).await.unwrap();
        let (done, mut order) = tokio::sync::mpsc::unbounded_channel();
        for _ in 0..SCANS_WAITING_MAX {
            wait(&turns, A, &done);
        }
        while turns.lock().queues.front().is_none_or(|(_, queue)| queue.len() < SCANS_WAITING_MAX) {
            tokio::task::yield_now().await;
        }
        let began = tokio::time::Instant::now();
        assert!(matches!(turns.take(A).await, Err(CatalogError::Busy)));
        assert_eq!(began.elapsed(), Duration::ZERO);
        wait(&turns, B, &done);
        tokio::task::yield_now().await;
        drop(held);
        let served = [order.recv().await.unwrap(), order.recv().await.unwrap()];
        assert!(served.contains(&B), "{served:?}");
    }
}
