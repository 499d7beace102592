//! What one client may ask of the service, and all clients together. Those on parameters are in `jingku-protocol`.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

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
pub(crate) const SMALL_BODY_BYTES: u64 = 64 << 10;
/// The most larger bodies read at once; more wait. Anybody may send one, so together they bound what it costs.
pub const MAX_LARGE_BODIES: usize = 16;
/// The most exports at once; more are refused. Each has threads of its own.
pub const MAX_EXPORTS: usize = 16;
/// The most uploads that bytes come in for at once; more are refused. Each has a thread of its own.
pub const MAX_UPLOADS: usize = 16;
/// The most uploads of one account that have not come to their end.
pub const MAX_ACCOUNT_UPLOADS: i64 = 16;
/// How long the first bytes of an upload may take to come since the client has last asked for its link. Then its image is
/// `UnAvailable` and its name is free.
pub const UPLOAD_START_TIMEOUT: Duration = Duration::from_mins(10);
/// How long nothing may come of an upload of which something has come. It can be resumed for so long.
pub const UPLOAD_RESUME_TIMEOUT: Duration = Duration::from_hours(24);
/// What has come of an upload is made durable at least this often while bytes come, however slowly.
pub const UPLOAD_CHECKPOINT: Duration = Duration::from_secs(30);
/// The most uploaded files read again at once to hash them, as after a restart; more wait.
pub const MAX_UPLOAD_HASHES: usize = 2;
/// How long a request waits until a file has been read again. Then it is refused with 409, and the reading continues.
pub const UPLOAD_HASH_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest file that is uploaded, and the largest disk that is made an image of, in bytes: 1000 GB.
pub(crate) const DISK_BYTES_MAX: i64 = 1000 << 30;
/// The most covers looked at once; more wait. Each may need a hundred megabytes while it is.
pub(crate) const MAX_COVER_CHECKS: usize = 2;

/// The most accounts one image is shared with: their list comes in one answer.
pub const SHARES_MAX: i64 = 1000;

/// What is left of those that all clients share.
pub(crate) struct Shared {
    pub(crate) exports: Arc<Semaphore>,
    pub(crate) uploads: Arc<Semaphore>,
    pub(crate) upload_hashes: Arc<Semaphore>,
    pub(crate) large_bodies: Semaphore,
    pub(crate) cover_checks: Arc<Semaphore>,
}

impl Default for Shared {
    fn default() -> Self {
        Self {
            exports: Arc::new(Semaphore::new(MAX_EXPORTS)),
            uploads: Arc::new(Semaphore::new(MAX_UPLOADS)),
            upload_hashes: Arc::new(Semaphore::new(MAX_UPLOAD_HASHES)),
            large_bodies: Semaphore::new(MAX_LARGE_BODIES),
            cover_checks: Arc::new(Semaphore::new(MAX_COVER_CHECKS)),
        }
    }
}
