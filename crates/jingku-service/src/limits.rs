//! What one client may ask of the service, and all clients together. Those on parameters are in `jingku-protocol`.

use std::sync::Arc;
use std::time::Duration;

use jingku_protocol::MAX_BODY_BYTES;
use tokio::sync::{Semaphore, SemaphorePermit};

/// The most connections at once; more wait in the listener's queue.
pub const MAX_CONNECTIONS: usize = 4096;
/// How long a request's head may take to arrive; an idle connection is closed after the same time.
pub const HEADER_READ_TIMEOUT: Duration = Duration::from_secs(15);
/// How long a request body may take to arrive.
pub const BODY_READ_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a client may take none of what is sent to it, or send none of a file: then its connection is closed, and
/// what it held is free.
pub const STALL_TIMEOUT: Duration = Duration::from_mins(1);
/// A body up to this size, in bytes, is read at once; only a picture is larger.
const SMALL_BODY_BYTES: u64 = 64 << 10;
/// The most bytes of larger bodies in memory at once; more wait. Anybody may send one, so this bounds what all cost:
/// a body is in memory twice while it is read. One of the largest and others, or 16 with the largest cover.
pub const MAX_LARGE_BODIES_BYTES: usize = 12 << 20;
/// What room for large bodies is counted in, in bytes.
const BODY_UNIT_BYTES: u64 = 1 << 10;
/// The most exports at once; more are refused. Each has threads of its own.
pub const MAX_EXPORTS: usize = 16;
/// The most uploads that bytes come in for at once; more are refused. Each has a thread of its own.
pub const MAX_UPLOADS: usize = 16;
/// The most uploads of one account that have not come to their end.
pub const MAX_ACCOUNT_UPLOADS: i64 = 16;
/// The longest file that is uploaded, and the largest disk that is made an image of, in bytes: 1000 GB.
pub(crate) const DISK_BYTES_MAX: i64 = 1000 << 30;
/// The most covers checked at once; more wait. Each may need 48 MiB.
pub const MAX_COVER_CHECKS: usize = 1;

/// The most accounts one image is shared with: their list comes in one answer.
pub const SHARES_MAX: i64 = 1000;

/// What is left of those that all clients share.
pub(crate) struct Shared {
    pub(crate) exports: Arc<Semaphore>,
    pub(crate) uploads: Arc<Semaphore>,
    /// In units of [`BODY_UNIT_BYTES`].
    large_bodies: Semaphore,
    pub(crate) cover_checks: Arc<Semaphore>,
}

impl Default for Shared {
    fn default() -> Self {
        let body_units = MAX_LARGE_BODIES_BYTES as u64 / BODY_UNIT_BYTES;
        Self {
            exports: Arc::new(Semaphore::new(MAX_EXPORTS)),
            uploads: Arc::new(Semaphore::new(MAX_UPLOADS)),
            large_bodies: Semaphore::new(usize::try_from(body_units).expect("some thousands")),
            cover_checks: Arc::new(Semaphore::new(MAX_COVER_CHECKS)),
        }
    }
}

impl Shared {
    /// Waits for room for a body of at most so many bytes, if that is known; `None` for a small one, which needs no room.
    pub(crate) async fn reserve_body(&self, announced: Option<u64>) -> Option<SemaphorePermit<'_>> {
        let bytes = announced.unwrap_or(u64::MAX).min(MAX_BODY_BYTES as u64);
        if bytes <= SMALL_BODY_BYTES {
            return None;
        }
        let units = u32::try_from(bytes.div_ceil(BODY_UNIT_BYTES)).expect("some thousands");
        self.large_bodies.acquire_many(units).await.ok()
    }
}
