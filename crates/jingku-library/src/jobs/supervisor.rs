//! Supervises the background tasks. A task that panics is logged, counted and restarted; the others continue.

use std::any::Any;
use std::convert::Infallible;
use std::error::Error;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use jingku_catalog::CatalogError;
use tokio::task::JoinSet;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::cluster::Turn;
use crate::library::Library;

/// The wait before the first restart; doubled before each further one.
const BACKOFF_FIRST: Duration = Duration::from_secs(1);
/// The longest wait before a restart.
const BACKOFF_MAX: Duration = Duration::from_mins(1);

/// The running tasks. They stop on request, and on drop without being waited for.
pub struct Workers {
    library: Arc<Library>,
    loops: JoinSet<()>,
    stop: DropGuard,
}

impl Workers {
    pub(super) fn new(library: Arc<Library>) -> Self {
        Self { library, loops: JoinSet::new(), stop: CancellationToken::new().drop_guard() }
    }

    /// Starts a task. It has ended regularly when `run` returns.
    pub(super) fn spawn<F>(&mut self, name: &'static str, run: impl Fn(Loop) -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let task = Loop { name, library: Arc::clone(&self.library), stop: self.stop.token().clone() };
        self.loops.spawn(async move {
            while let Err(panic) = AssertUnwindSafe(run(task.clone())).catch_unwind().await {
                let (failures, restarts) = task.library.health.note_restart(name);
                let panic = panic_text(&*panic);
                tracing::error!(name, panic, restarts, "a background task panicked and is restarted");
                let doubled = BACKOFF_FIRST.saturating_mul(1 << failures.saturating_sub(1).min(16));
                task.rest(doubled.min(BACKOFF_MAX)).await;
                if task.stop.is_cancelled() {
                    return;
                }
            }
        });
    }

    /// Starts a task of the server above the library, which runs at once and again after each interval.
    pub fn repeat<F>(
        &mut self,
        name: &'static str,
        interval: Duration,
        round: impl Fn() -> F + Clone + Send + Sync + 'static,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        self.spawn(name, move |task| {
            let round = round.clone();
            async move {
                let round = || async {
                    round().await;
                    Ok::<(), Infallible>(())
                };
                task.every(interval, round).await;
            }
        });
    }

    /// Stops all tasks and waits until they have ended. A running job is released and resumes at the next start.
    pub async fn stop(mut self) {
        drop(self.stop);
        while let Some(ended) = self.loops.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a background task ended abnormally");
            }
        }
        self.library.leave_cluster().await;
    }
}

/// The view that a task has of itself.
#[derive(Clone)]
pub(super) struct Loop {
    name: &'static str,
    pub(super) library: Arc<Library>,
    /// Cancelled when the server stops.
    pub(super) stop: CancellationToken,
}

impl Loop {
    /// Runs a round at once and again after each interval, until the server stops.
    pub(super) async fn every<F, E>(&self, interval: Duration, round: impl Fn() -> F)
    where
        F: Future<Output = Result<(), E>>,
        E: Error + 'static,
    {
        while !self.stop.is_cancelled() {
            self.note(&round().await);
            self.rest(interval).await;
        }
    }

    /// Runs `round` if no other server does the same for all; `None` if one does. The round must end soon after its `stop` is
    /// cancelled.
    pub(super) async fn alone<F, T, E>(
        &self,
        name: &str,
        round: impl FnOnce(Turn) -> F,
    ) -> Result<Option<T>, E>
    where
        F: Future<Output = Result<T, E>>,
        E: From<CatalogError>,
    {
        let Some(turn) = self.library.take_turn(name, &self.stop).await? else { return Ok(None) };
        let mut running = std::pin::pin!(round(turn.clone()));
        let result = tokio::select! {
            result = &mut running => result,
            () = self.library.keep_turn(name, &turn) => {
                turn.stop.cancel();
                running.await
            }
        };
        self.library.end_turn(name, &turn).await;
        result.map(Some)
    }

    /// Waits until the duration has passed or the server stops.
    pub(super) async fn rest(&self, duration: Duration) {
        let _ = self.stop.run_until_cancelled(tokio::time::sleep(duration)).await;
    }

    /// Records the result of a round and logs its error.
    pub(super) fn note<E: Error + 'static>(&self, result: &Result<(), E>) {
        match result {
            Ok(()) => self.library.health.note_success(self.name),
            Err(error) => {
                self.library.health.note_failure(self.name);
                tracing::error!(name = self.name, error = error as &dyn Error, "a background task failed");
            }
        }
    }
}

pub(super) fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic without a message")
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::config::Config;
    use crate::environment::Environment;

    async fn supervisor() -> Workers {
        let library = Library::open_in_memory(&Config::default(), &Environment::default()).await.unwrap();
        Workers::new(Arc::new(library))
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_panics_is_restarted_and_the_others_continue() {
        let mut supervisor = supervisor().await;
        let library = Arc::clone(&supervisor.library);
        let (starts, rounds) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
        let (counted, turned) = (Arc::clone(&starts), Arc::clone(&rounds));
        supervisor.spawn("panicking", move |task| {
            let start = counted.fetch_add(1, Ordering::Relaxed);
            async move {
                assert!(start >= 4, "not yet");
                task.every(BACKOFF_MAX, || async { Ok::<(), std::io::Error>(()) }).await;
            }
        });
        supervisor.spawn("steady", move |task| {
            let turned = Arc::clone(&turned);
            async move {
                let round = || async {
                    turned.fetch_add(1, Ordering::Relaxed);
                    Ok::<(), std::io::Error>(())
                };
                task.every(BACKOFF_FIRST, round).await;
            }
        });
        // It waits 1, 2, 4 and 8 seconds.
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert_eq!(library.health.problems(), ["panicking failed 3 times in a row; see the log"]);
        tokio::time::sleep(Duration::from_secs(15)).await;
        assert_eq!(starts.load(Ordering::Relaxed), 5);
        assert!(library.health.problems().is_empty());
        assert!(rounds.load(Ordering::Relaxed) >= 19);
        supervisor.stop().await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_keeps_failing_is_a_problem() {
        let mut supervisor = supervisor().await;
        let library = Arc::clone(&supervisor.library);
        supervisor.spawn("failing", async move |task| {
            task.every(BACKOFF_FIRST, || async { Err(std::io::Error::other("no")) }).await;
        });
        tokio::time::sleep(Duration::from_secs(10)).await;
        assert_eq!(library.health.problems().len(), 1);
        supervisor.stop().await;
    }

    #[tokio::test(start_paused = true)]
    async fn stopping_does_not_wait_for_the_next_round() {
        let mut supervisor = supervisor().await;
        supervisor.spawn("waiting", async move |task| {
            task.every(Duration::from_hours(1), || async { Ok::<(), std::io::Error>(()) }).await;
        });
        supervisor.spawn("panicking", async move |_| panic!("always"));
        tokio::time::sleep(Duration::from_mins(5)).await;
        let asked = tokio::time::Instant::now();
        supervisor.stop().await;
        assert!(asked.elapsed() < BACKOFF_FIRST);
    }
}
