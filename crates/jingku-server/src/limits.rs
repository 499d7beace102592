//! Limits of requests, of one client and of all together. The limits of parameters are in `jingku-protocol`, those of
//! accounts and jobs in `jingku-library`.

use std::sync::Arc;
use std::time::Duration;

use jingku_protocol::MAX_BODY_BYTES;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::error::Error;
use crate::transfer::Slots;

/// Extra connections beyond [`MAX_CONNECTIONS`](jingku_library::MAX_CONNECTIONS), reserved for health checks while all
/// others are busy.
pub(crate) const MAX_RESERVED_CONNECTIONS: usize = 64;
/// Maximum number of signed requests that are answered at the same time. An account may send another while it has fewer
/// than there are free places, so at most half of them.
pub(crate) const MAX_REQUESTS: usize = 1024;
/// How long at least a connection waits for its next answer after a request beyond the limits per second was refused, so
/// that a client that repeats its request at once costs little. At most twice as long.
pub(crate) const FLOOD_PAUSE_TIMEOUT: Duration = Duration::from_millis(100);
/// How long a TLS handshake, or a header of the PROXY protocol, may take.
pub(crate) const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Maximum number of requests of one HTTP/2 connection at the same time.
pub(crate) const MAX_STREAMS: u32 = 32;
/// Maximum number of HTTP/2 requests that a client has cancelled before the server looked at them. Beyond it, the
/// connection is closed.
pub(crate) const MAX_RESET_STREAMS: usize = 20;
/// Maximum of unread bytes of one HTTP/2 request, which limits the speed of an upload over a long distance.
pub(crate) const STREAM_WINDOW_BYTES_MAX: u32 = 1 << 20;
/// Maximum of unread bytes of all requests of one HTTP/2 connection.
pub(crate) const CONNECTION_WINDOW_BYTES_MAX: u32 = 2 << 20;
/// Maximum of unsent bytes of one HTTP/2 response that were handed to the connection.
pub(crate) const SEND_BUFFER_BYTES_MAX: usize = 64 << 10;
/// Maximum number of images that one call of a tenant purges from its trash. The client repeats the call for the rest.
pub(crate) const PURGED_IMAGES_MAX: u64 = 1024;
/// Maximum number of these images that one transaction purges, while other changes wait.
pub(crate) const PURGED_ONCE_MAX: u32 = 64;
/// Largest request head, in bytes. Also the read-ahead limit of a connection.
pub const MAX_HEAD_BYTES: usize = 64 << 10;
/// Maximum of unanswered request bytes of all connections. Beyond it, the address that sent most of them loses its oldest
/// request.
pub(crate) const MAX_HELD_BYTES: usize = 16 << 20;
/// Maximum of bytes of responses, except transfers, that clients have not taken. Beyond it, the address that leaves most of
/// them unread loses the connection that has had some for longest.
pub(crate) const MAX_UNSENT_BYTES: usize = 16 << 20;
/// A connection with at most this many bytes of requests, or of responses, is never closed for their number.
pub(crate) const SPARED_HELD_BYTES: usize = 8 << 10;
/// How long a request head may take to arrive. Idle connections are closed after the same time.
pub(crate) const HEADER_READ_TIMEOUT: Duration = Duration::from_secs(15);
/// How long a request body may take to arrive.
pub(crate) const BODY_READ_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a client may read nothing of a response, or send nothing of a file, before its connection is closed.
pub(crate) const STALL_TIMEOUT: Duration = Duration::from_mins(1);
/// How long requests and jobs may take to finish at shutdown. The rest is aborted.
pub const STOP_TIMEOUT: Duration = Duration::from_secs(30);
/// Bodies up to this size, in bytes, are decoded at once. Only a cover is larger.
const SMALL_BODY_BYTES: usize = 64 << 10;
/// Maximum of large bodies decoded and answered at the same time, in bytes. Others wait. Clients need no credentials to
/// send one, so this bounds the memory of all: a body is in memory twice while it is decoded.
pub(crate) const MAX_LARGE_BODIES_BYTES: usize = 12 << 20;
/// How long a large body waits to be decoded.
pub(crate) const LARGE_BODY_WAIT_TIMEOUT: Duration = Duration::from_secs(10);
/// Unit in which memory for large bodies is counted, in bytes.
const BODY_UNIT_BYTES: usize = 1 << 10;
/// Maximum number of parallel exports and downloads. An account may start another while it runs fewer than there are free
/// places, so at most half of them.
pub const MAX_EXPORTS: usize = 16;
/// Maximum number of images that are estimated at the same time, shared between accounts in the same way.
pub(crate) const MAX_ESTIMATES: usize = 4;
/// Maximum number of parallel uploads, shared between accounts in the same way.
pub const MAX_UPLOADS: usize = 16;
/// Bytes that a client must read or send in each `TRANSFER_STEP_TIMEOUT`.
pub(crate) const TRANSFER_STEP_BYTES: u64 = 4 << 20;
/// How long the server waits for a client until `TRANSFER_STEP_BYTES` have moved. Then the transfer ends.
pub const TRANSFER_STEP_TIMEOUT: Duration = Duration::from_mins(1);
/// Longest transfer of one request. Downloads and uploads can both be resumed.
pub(crate) const TRANSFER_TIME_MAX: Duration = Duration::from_hours(24);
/// Received bytes of an upload are made durable at least this often.
pub const UPLOAD_CHECKPOINT: Duration = Duration::from_secs(30);
/// Maximum number of uploaded files that are read at the same time to hash them again, as after a restart. Others wait.
pub(crate) const MAX_UPLOAD_HASHES: usize = 2;
/// How long a request waits for an uploaded file to be hashed again. Then it gets 409, and hashing continues.
pub(crate) const UPLOAD_HASH_TIMEOUT: Duration = Duration::from_secs(10);
/// Maximum number of covers checked at the same time. Others wait. Each may need 48 MiB.
pub(crate) const MAX_COVER_CHECKS: usize = 1;
/// How long a cover waits to be checked.
pub(crate) const COVER_WAIT_TIMEOUT: Duration = Duration::from_secs(10);
/// The remaining capacity that all clients share.
pub(crate) struct SharedLimits {
    pub(crate) requests: Slots,
    pub(crate) exports: Slots,
    pub(crate) estimates: Slots,
    pub(crate) uploads: Slots,
    pub(crate) upload_hashes: Arc<Semaphore>,
    /// In units of [`BODY_UNIT_BYTES`].
    large_bodies: Semaphore,
    pub(crate) cover_checks: Arc<Semaphore>,
}

impl Default for SharedLimits {
    fn default() -> Self {
        let body_units = MAX_LARGE_BODIES_BYTES / BODY_UNIT_BYTES;
        Self {
            requests: Slots::new(MAX_REQUESTS),
            exports: Slots::new(MAX_EXPORTS),
            estimates: Slots::new(MAX_ESTIMATES),
            uploads: Slots::new(MAX_UPLOADS),
            upload_hashes: Arc::new(Semaphore::new(MAX_UPLOAD_HASHES)),
            large_bodies: Semaphore::new(body_units),
            cover_checks: Arc::new(Semaphore::new(MAX_COVER_CHECKS)),
        }
    }
}

impl SharedLimits {
    /// Waits for memory to decode a body; `None` for a small body, which needs no permit. Refuses with `Throttled` at the
    /// timeout.
    pub(crate) async fn reserve_body(&self, bytes: usize) -> Result<Option<SemaphorePermit<'_>>, Error> {
        if bytes <= SMALL_BODY_BYTES {
            return Ok(None);
        }
        let units =
            u32::try_from(bytes.min(MAX_BODY_BYTES).div_ceil(BODY_UNIT_BYTES)).expect("some thousands");
        let permit = tokio::time::timeout(LARGE_BODY_WAIT_TIMEOUT, self.large_bodies.acquire_many(units));
        Ok(permit.await.map_err(|_| Error::Throttled)?.ok())
    }
}
