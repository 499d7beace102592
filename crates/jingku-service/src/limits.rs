//! What one client may ask of the service, and all clients together. Those on parameters are in `jingku-protocol`.

use std::sync::Arc;
use std::time::Duration;

use jingku_protocol::MAX_BODY_BYTES;
use serde::Deserialize;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::error::Error;
use crate::transfer::Slots;

/// The most connections at once. One more takes the place of the one that has waited longest for its client.
pub const MAX_CONNECTIONS: usize = 2048;
/// The most connections from one address, unless it is a loopback address.
pub const MAX_ADDRESS_CONNECTIONS: usize = 1024;
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
/// How long the making of an image may take to see that it has to stop. One that does not, for example because a disk does not
/// answer, is waited for no longer.
pub const JOB_STOP_TIMEOUT: Duration = Duration::from_secs(20);
/// A loop of the background that has failed so often in a row makes the server not ready.
pub const FAILURES_MAX: u32 = 3;
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
/// The most uploads of one account that have not come to their end, unless the operator says otherwise.
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
/// The most images of one account, unless the operator says otherwise.
pub const MAX_ACCOUNT_IMAGES: i64 = 1000;
/// The most deleted images of one account that are still kept, unless the operator says otherwise.
pub const MAX_ACCOUNT_TRASHED: i64 = 10_000;
/// The most bytes of data in the images of one account, unless the operator says otherwise: ten of the largest disks.
pub const MAX_ACCOUNT_STORED_BYTES: i64 = 10 * DISK_BYTES_MAX;
/// The most bytes of uploaded files of one account that no image is made of yet, unless the operator says otherwise.
pub const MAX_ACCOUNT_UPLOAD_BYTES: i64 = DISK_BYTES_MAX;
/// The most images of one account that wait for their making or are being made, unless the operator says otherwise.
pub const MAX_ACCOUNT_JOBS: i64 = 64;
/// Of the room that is free or that uploaded files take up, those of one account take one part of so many.
pub const UPLOAD_ROOM_SHARE: u64 = 2;
/// How many times its size an uploaded file may unpack to, runs of zeros not counted, unless the operator says otherwise.
pub const UNPACK_RATIO_MAX: u64 = 200;
/// So many bytes of data an uploaded file may unpack to however small it is: 1 GiB.
pub const UNPACKED_DATA_BYTES_FREE: u64 = 1 << 30;
/// Unpacking one file leaves one part of so many of the room that was free at its start.
pub const UNPACK_FREE_SHARE: u64 = 4;
/// The slowest making of an image, in bytes a second, that has all the time that it needs: 4 MiB.
pub const JOB_BYTES_PER_SECOND_MIN: u64 = 4 << 20;
/// How many images are made at once at least, unless the operator says otherwise: also where there are few cores, since jobs wait
/// for disks as well.
pub const WORKERS_DEFAULT_MIN: u8 = 4;
/// How many images are made at once at most, unless the operator says otherwise: each takes up to 32 MiB of memory.
pub const WORKERS_DEFAULT_MAX: u8 = 8;
/// The longest file that is uploaded, and the largest disk that is made an image of, in bytes: 1000 GB.
pub(crate) const DISK_BYTES_MAX: i64 = 1000 << 30;
/// The largest window of a zstd file that is imported, in bytes: `zstd --long=29`. Of files with one above 128 MiB a server
/// unpacks one at a time.
pub const ZSTD_WINDOW_BYTES_MAX: u64 = jingku_sources::ZSTD_WINDOW_BYTES_MAX;
/// The most covers checked at once; more wait. Each may need 48 MiB.
pub const MAX_COVER_CHECKS: usize = 1;
/// How long a cover waits to be looked at.
pub const COVER_WAIT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long `/readyz` waits for the disk and the catalogue.
pub const READY_TIMEOUT: Duration = Duration::from_secs(3);

/// The most images of an account, the newest, that `PresentBytes` of a new one counts common chunks with. Of these it
/// remembers [`KNOWN_CHUNKS_MAX`](jingku_chunks::KNOWN_CHUNKS_MAX) chunks.
pub const OWN_MANIFESTS_MAX: u32 = 64;

/// How long the same signed call to copy, sync or publish gets the answer of the first, in seconds.
pub const ANSWER_SECS: i64 = jingku_catalog::ANSWER_SECS;
/// How long deleting an image once more answers success, in seconds.
pub const DELETED_SECS: i64 = jingku_catalog::DELETED_SECS;
/// The most answers kept for one account; the oldest are forgotten first.
pub const ANSWERS_MAX: i64 = jingku_catalog::ANSWERS_MAX;
/// For how long a server has to run with a clock before what is deleted by age counts with it, in seconds: a day.
pub const CLOCK_TRUST_SECS: i64 = 24 * 60 * 60;

/// The most accounts one image is shared with: their list comes in one answer.
pub const SHARES_MAX: i64 = 1000;

/// How many generations a backup keeps unless it is told otherwise.
pub const KEPT_GENERATIONS: u32 = 7;
/// The most generations that a backup can be told to keep: one a day for a year.
pub const KEPT_GENERATIONS_MAX: u32 = 366;

/// How many connections there may be.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConnectionLimits {
    /// In total. Half of the file descriptors that the process may open, if that is less.
    pub total: usize,
    /// From one address: an IPv4 address, or the first 64 bits of an IPv6 address. A proxy on the same machine speaks for
    /// many clients, so loopback addresses are not limited.
    pub per_address: usize,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self { total: MAX_CONNECTIONS, per_address: MAX_ADDRESS_CONNECTIONS }
    }
}

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
