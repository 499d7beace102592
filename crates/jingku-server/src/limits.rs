//! What one client may ask of the server, and all clients together. Those on parameters are in `jingku-protocol`, those of
//! accounts and jobs in `jingku-library`.

use std::sync::Arc;
use std::time::Duration;

use jingku_protocol::MAX_BODY_BYTES;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::error::Error;
use crate::transfer::Slots;

/// The connections beyond [`MAX_CONNECTIONS`], for health checks while all others are being answered.
pub const MAX_RESERVED_CONNECTIONS: usize = 64;
/// The most bytes of a request's head. No more is read ahead on a connection either.
pub const MAX_HEAD_BYTES: usize = 64 << 10;
/// The most bytes of requests that have not come to their end, of all connections together. Beyond it, the address that
/// sent most of them loses its oldest request.
pub const MAX_HELD_BYTES: usize = 24 << 20;
/// A request of which no more bytes than this have come does not lose its place for its size.
pub const SPARED_HELD_BYTES: usize = 8 << 10;
/// How long a request's head may take to arrive; an idle connection is closed after the same time.
pub const HEADER_READ_TIMEOUT: Duration = Duration::from_secs(15);
/// How long a request body may take to arrive.
pub const BODY_READ_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a client may take none of what is sent to it, or send none of a file: then its connection is closed, and
/// what it held is free.
pub const STALL_TIMEOUT: Duration = Duration::from_mins(1);
/// How long requests and jobs may take to end when the server is told to stop. What runs then is cut off.
pub const STOP_TIMEOUT: Duration = Duration::from_secs(30);
/// A body up to this size, in bytes, is read at once; only a picture is larger.
const SMALL_BODY_BYTES: usize = 64 << 10;
/// The most bytes of larger bodies decoded and answered at once; more wait. Anybody may send one, so this bounds what all
/// cost: a body is in memory twice while it is decoded. One of the largest and others, or 16 with the largest cover.
pub const MAX_LARGE_BODIES_BYTES: usize = 12 << 20;
/// How long a larger body that has arrived waits until it is decoded.
pub const LARGE_BODY_WAIT_TIMEOUT: Duration = Duration::from_secs(10);
/// What room for large bodies is counted in, in bytes.
const BODY_UNIT_BYTES: usize = 1 << 10;
/// The most exports and downloads at once. An account gets another while it runs fewer than there are places left: half
/// of them at most.
pub const MAX_EXPORTS: usize = 16;
/// The most uploads that bytes come in for at once, shared between accounts in the same way.
pub const MAX_UPLOADS: usize = 16;
/// The bytes that a client must take of an export, or send of an upload, in each [`TRANSFER_STEP_TIMEOUT`].
pub const TRANSFER_STEP_BYTES: u64 = 4 << 20;
/// How long the server waits for a client until [`TRANSFER_STEP_BYTES`] have moved; then the transfer ends.
pub const TRANSFER_STEP_TIMEOUT: Duration = Duration::from_mins(1);
/// The longest that one request may transfer bytes. Both directions resume where they were.
pub const TRANSFER_TIME_MAX: Duration = Duration::from_hours(24);
/// What has come of an upload is made durable at least this often while bytes come, however slowly.
pub const UPLOAD_CHECKPOINT: Duration = Duration::from_secs(30);
/// The most uploaded files read again at once to hash them, as after a restart; more wait.
pub const MAX_UPLOAD_HASHES: usize = 2;
/// How long a request waits until a file has been read again. Then it is refused with 409, and the reading continues.
pub const UPLOAD_HASH_TIMEOUT: Duration = Duration::from_secs(10);
/// The most covers checked at once; more wait. Each may need 48 MiB.
pub const MAX_COVER_CHECKS: usize = 1;
/// How long a cover waits to be looked at.
pub const COVER_WAIT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the same signed call to copy, sync or publish gets the answer of the first, in seconds.
pub const ANSWER_SECS: i64 = jingku_catalog::ANSWER_SECS;
/// How long deleting an image once more answers success, in seconds.
pub const DELETED_SECS: i64 = jingku_catalog::DELETED_SECS;
/// The most answers kept for one account; the oldest are forgotten first.
pub const ANSWERS_MAX: i64 = jingku_catalog::ANSWERS_MAX;

/// What is left of those that all clients share.
pub(crate) struct Shared {
    pub(crate) exports: Slots,
    pub(crate) uploads: Slots,
    pub(crate) upload_hashes: Arc<Semaphore>,
    /// In units of [`BODY_UNIT_BYTES`].
    large_bodies: Semaphore,
    pub(crate) cover_checks: Arc<Semaphore>,
}

impl Default for Shared {
    fn default() -> Self {
        let body_units = MAX_LARGE_BODIES_BYTES / BODY_UNIT_BYTES;
        Self {
            exports: Slots::new(MAX_EXPORTS),
            uploads: Slots::new(MAX_UPLOADS),
            upload_hashes: Arc::new(Semaphore::new(MAX_UPLOAD_HASHES)),
            large_bodies: Semaphore::new(body_units),
            cover_checks: Arc::new(Semaphore::new(MAX_COVER_CHECKS)),
        }
    }
}

impl Shared {
    /// Waits for room to decode a body of so many bytes; `None` for a small one, which needs no room. Refuses with
    /// `Throttled` when that takes too long.
    pub(crate) async fn reserve_body(&self, bytes: usize) -> Result<Option<SemaphorePermit<'_>>, Error> {
        if bytes <= SMALL_BODY_BYTES {
            return Ok(None);
        }
        let units =
            u32::try_from(bytes.min(MAX_BODY_BYTES).div_ceil(BODY_UNIT_BYTES)).expect("some thousands");
        let room = tokio::time::timeout(LARGE_BODY_WAIT_TIMEOUT, self.large_bodies.acquire_many(units));
        Ok(room.await.map_err(|_| Error::Throttled)?.ok())
    }
}
