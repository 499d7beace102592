//! Runs requests for threads that wait for them.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::AmazonS3;
use object_store::client::{HttpClient, HttpConnector, ReqwestConnector};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Semaphore;

use super::settings::BucketSettings;
use super::trouble::Trouble;
use crate::error::{Error, Result};

/// The most requests to an object store in flight, of one process.
pub const BUCKET_REQUESTS_MAX: usize = 64;
/// How long a request may take with all attempts.
const OPERATION_TIMEOUT: Duration = Duration::from_mins(5);
/// Requests of one call in flight, such as the deletions of a sweep.
pub(super) const REQUESTS_AT_ONCE: usize = 32;
/// Threads that drive the connections. Signing and TLS need little of a core.
const DRIVERS: usize = 2;

/// The clients of one bucket and the runtime that drives their connections.
pub(super) struct Requests {
    pub(super) s3: AmazonS3,
    /// Sends requests that were signed before.
    pub(super) plain: HttpClient,
    permits: Arc<Semaphore>,
    /// Taken when dropped.
    runtime: Option<Runtime>,
}

impl Requests {
    pub(super) fn start(settings: &BucketSettings) -> Result<Self> {
        let s3 = settings.client()?;
        let runtime =
            Builder::new_multi_thread().worker_threads(DRIVERS).thread_name("bucket").enable_all().build();
        let runtime = runtime.map_err(|error| Error::io("start the threads of the object store", error))?;
        let plain = ReqwestConnector::default().connect(&settings.client_options());
        let plain = plain.map_err(|error| Error::Settings(error.to_string()))?;
        let permits = Arc::new(Semaphore::new(BUCKET_REQUESTS_MAX));
        Ok(Self { s3, plain, permits, runtime: Some(runtime) })
    }

    /// Runs a request and waits for it. Works on every thread, also on those of other runtimes.
    pub(super) fn run<T: Send + 'static>(
        &self,
        act: impl Future<Output = Result<T, Trouble>> + Send + 'static,
    ) -> Result<T, Trouble> {
        let (sender, receiver) = crossbeam_channel::bounded(1);
        let permits = Arc::clone(&self.permits);
        let task = async move {
            let permitted = async {
                // Never closed.
                let _permit = permits.acquire().await;
                act.await
            };
            let done = tokio::time::timeout(OPERATION_TIMEOUT, permitted).await;
            // Fails if the waiting thread has ended.
            let _ = sender.send(done.unwrap_or_else(|_| Err(Trouble::timeout(OPERATION_TIMEOUT))));
        };
        if let Some(runtime) = &self.runtime {
            runtime.spawn(task);
        }
        receiver.recv().unwrap_or_else(|_| Err(Trouble::Io(io::Error::other("a request was abandoned"))))
    }
}

impl Drop for Requests {
    fn drop(&mut self) {
        // Waiting is not possible on a thread of another runtime.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
