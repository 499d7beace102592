//! Work on several cores, with results in the order of submission.

use std::collections::VecDeque;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Receiver, Sender};

use crate::error::{Error, Result};

/// The most chunks that one writer or reader holds in memory, plain and encoded together at most twice as many. 16 MiB
/// at the default chunk size. Keeps [`WORKERS_MAX`] threads busy while the caller waits for the oldest result.
pub const IN_FLIGHT_CHUNKS_MAX: usize = 32;

/// The most threads of one writer or reader, see [`Backend::threads`](crate::Backend::threads).
pub const WORKERS_MAX: usize = 16;

/// Jobs per thread, finished or not, that keep it busy while the caller waits for the oldest result.
const BUSY_JOBS: usize = 4;

/// Threads that turn jobs into results, and a queue that restores their order.
///
/// Dropping it finishes running jobs, discards the others, and joins the threads.
pub(crate) struct Pipeline<J, T> {
    /// Taken when dropped, which ends the threads.
    jobs: Option<Sender<(J, Sender<Result<T>>)>>,
    threads: Vec<JoinHandle<()>>,
    queue: VecDeque<Receiver<Result<T>>>,
    abandoned: Arc<AtomicBool>,
}

impl<J: Send + 'static, T: Send + 'static> Pipeline<J, T> {
    /// Starts threads, each with its own worker; at least one and at most [`WORKERS_MAX`].
    pub(crate) fn start<W>(threads: usize, mut worker: impl FnMut() -> Result<W>) -> Result<Self>
    where
        W: FnMut(J) -> Result<T> + Send + 'static,
    {
        let (jobs, inbox) = crossbeam_channel::bounded(IN_FLIGHT_CHUNKS_MAX);
        let mut pipeline =
            Self { jobs: Some(jobs), threads: Vec::new(), queue: VecDeque::new(), abandoned: Arc::default() };
        for _ in 0..threads.clamp(1, WORKERS_MAX) {
            let mut work = worker()?;
            let inbox: Receiver<(J, Sender<Result<T>>)> = inbox.clone();
            let abandoned = Arc::clone(&pipeline.abandoned);
            let run = move || {
                for (job, outbox) in inbox {
                    if abandoned.load(Ordering::Relaxed) {
                        continue;
                    }
                    // A dead thread would leave jobs that nobody does. The worker can be reused: its zstd contexts
                    // start afresh with every chunk.
                    let done = panic::catch_unwind(AssertUnwindSafe(|| work(job)));
                    // Fails if the pipeline is being dropped.
                    let _ = outbox.send(done.unwrap_or_else(|_| Err(worker_panicked())));
                }
            };
            let thread = thread::Builder::new().name("chunks".into()).spawn(run);
            pipeline.threads.push(thread.map_err(|e| Error::io("start a thread", e))?);
        }
        Ok(pipeline)
    }

    /// Whether a result must be taken before more is added.
    pub(crate) fn is_full(&self) -> bool {
        self.queue.len() >= IN_FLIGHT_CHUNKS_MAX
    }

    /// Whether every thread has enough to do.
    pub(crate) fn is_busy(&self) -> bool {
        self.queue.len() >= (self.threads.len() * BUSY_JOBS).min(IN_FLIGHT_CHUNKS_MAX)
    }

    pub(crate) fn submit(&mut self, job: J) {
        let outbox = self.reserve();
        if let Some(jobs) = &self.jobs {
            // The threads outlive this call. If sending failed, `take` would report it: the outbox is lost.
            let _ = jobs.send((job, outbox));
        }
    }

    /// Queues a result that needs no work.
    pub(crate) fn pass(&mut self, result: Result<T>) {
        // Neither full nor closed.
        let _ = self.reserve().send(result);
    }

    fn reserve(&mut self) -> Sender<Result<T>> {
        let (outbox, result) = crossbeam_channel::bounded(1);
        self.queue.push_back(result);
        outbox
    }

    /// Waits for the oldest result; `None` if the queue is empty.
    pub(crate) fn take(&mut self) -> Option<Result<T>> {
        let result = self.queue.pop_front()?;
        Some(result.recv().unwrap_or_else(|_| Err(worker_panicked())))
    }

    /// Takes the oldest result if it is ready.
    pub(crate) fn take_ready(&mut self) -> Option<Result<T>> {
        if self.queue.front()?.is_empty() { None } else { self.take() }
    }
}

impl<J, T> Drop for Pipeline<J, T> {
    fn drop(&mut self) {
        self.abandoned.store(true, Ordering::Relaxed);
        self.jobs = None;
        for thread in self.threads.drain(..) {
            // The thread catches panics.
            let _ = thread.join();
        }
    }
}

fn worker_panicked() -> Error {
    Error::io("work on a chunk", std::io::Error::other("a worker thread panicked"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn results_keep_their_order() {
        let mut pipeline = Pipeline::start(4, || {
            Ok(|n: u64| {
                thread::sleep(Duration::from_micros(n * 7919 % 300));
                Ok(n)
            })
        })
        .unwrap();
        let mut taken = Vec::new();
        for n in 0..200 {
            while pipeline.is_full() {
                taken.extend(pipeline.take());
            }
            if n % 5 == 0 {
                pipeline.pass(Ok(n));
            } else {
                pipeline.submit(n);
            }
            taken.extend(pipeline.take_ready());
        }
        while let Some(result) = pipeline.take() {
            taken.push(result);
        }
        let taken: Vec<u64> = taken.into_iter().map(Result::unwrap).collect();
        assert_eq!(taken, (0..200).collect::<Vec<_>>());
    }

    #[test]
    fn panic_in_a_worker_is_an_error() {
        let mut pipeline =
            Pipeline::start(4, || Ok(|(): ()| -> Result<()> { panic!("expected by this test") })).unwrap();
        for _ in 0..IN_FLIGHT_CHUNKS_MAX {
            pipeline.submit(());
        }
        while let Some(result) = pipeline.take() {
            assert!(matches!(result, Err(Error::Io { .. })));
        }
    }
}
