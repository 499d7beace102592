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
/// How often a request is attempted if the object store is overloaded or fails.
pub(super) const ATTEMPTS_MAX: usize = 8;
/// The longest pause between two attempts.
pub(super) const PAUSE_MAX: Duration = Duration::from_secs(10);
/// How long connecting to the object store may take.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long one attempt may take, with its body of at most 8 MiB, or of 1 MiB when reading.
pub(super) const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
/// After this time, a request is not attempted again. Signatures expire after 15 minutes.
pub(super) const RETRY_TIMEOUT: Duration = Duration::from_mins(2);
/// How long a request may take with all attempts.
pub(super) const OPERATION_TIMEOUT: Duration = Duration::from_mins(5);
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
            let _ = sender.send(done.unwrap_or_else(|_| Err(Trouble::timeout())));
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
